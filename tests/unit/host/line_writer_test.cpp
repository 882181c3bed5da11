#include "observe/journal/line_writer.h"

#include <array>
#include <climits>
#include <fcntl.h>
#include <future>
#include <gtest/gtest.h>
#include <unistd.h>

namespace issuer::observe {
namespace {

/// A pipe without a reader, with room for one piece and not for two.
class FullPipe
{
public:
	FullPipe()
	{
		EXPECT_EQ(::pipe2(_ends.data(), O_CLOEXEC), 0);
		const int room = ::fcntl(_ends[1], F_SETPIPE_SZ, 2 * PIPE_BUF);
		const std::string filling(static_cast<std::size_t>(room) - PIPE_BUF, 'x');
		EXPECT_EQ(::write(_ends[1], filling.data(), filling.size()), static_cast<ssize_t>(filling.size()));
	}
	~FullPipe()
	{
		::close(_ends[0]);
		::close(_ends[1]);
	}
	FullPipe(const FullPipe&) = delete;
	FullPipe& operator=(const FullPipe&) = delete;

	[[nodiscard]] int end() const { return _ends[1]; }
	/// Empties the pipe, so that a writer that blocks goes on.
	void drain() const
	{
		std::array<char, 65536> block;
		::fcntl(_ends[0], F_SETFL, O_NONBLOCK);
		while (::read(_ends[0], block.data(), block.size()) > 0) {
		}
	}

private:
	std::array<int, 2> _ends{};
};

TEST(ALineWriter, EndsAlsoWhenItsReaderTakesNothing)
{
	const FullPipe pipe;
	LineWriter writer(pipe.end());
	writer.write(std::string(8 * PIPE_BUF, 'y'));
	auto closed = std::async(std::launch::async, [&] { writer.close(); });
	const auto ended = closed.wait_for(std::chrono::seconds(20));
	while (closed.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
		pipe.drain();
	}
	EXPECT_EQ(ended, std::future_status::ready) << "the host would hang with its terminal";
}

} // namespace
} // namespace issuer::observe
