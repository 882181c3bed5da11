#include "transport/file_backed.h"

#include "transport/blocking.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

namespace issuer::vault::transport {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 30s;

/// Files as a test would have them.
struct Files
{
	std::atomic<std::uint64_t> stamp = 1;
	std::atomic<bool> openable = true;
	std::atomic<unsigned> reads = 0;
	std::atomic<bool> held = false; ///< the next look waits, with the stamp seen, until it may go on
	std::binary_semaphore seen{0};
	std::binary_semaphore mayGoOn{0};
};

struct FilesSource
{
	using Value = std::uint64_t; ///< the stamp of the content that was read

	std::shared_ptr<Files> files;

	[[nodiscard]] std::string name() const { return "CA file /x.pem"; }
	[[nodiscard]] std::string key() const { return "/"; }
	[[nodiscard]] std::vector<FileStamp> stamps(Reading&) const
	{
		std::vector<FileStamp> stamps{FileStamp{.inode = files->stamp}};
		if (files->held.exchange(false)) {
			files->seen.release();
			static_cast<void>(files->mayGoOn.try_acquire_for(patience));
		}
		return stamps;
	}
	[[nodiscard]] FileResult<std::shared_ptr<const Value>> read(Reading&) const
	{
		++files->reads;
		if (!files->openable) {
			FileError error(Error{"CA file /x.pem: Too many open files"});
			error.outOfDescriptors = true;
			return tl::unexpected(error);
		}
		return std::make_shared<const Value>(files->stamp);
	}
	void advise(const Value&, std::vector<std::string>&) const {}
};

class FileBackedTest : public testing::Test
{
protected:
	[[nodiscard]] auto current() { return blockingly(backed->current(std::chrono::steady_clock::now() + patience)); }

	std::shared_ptr<Files> files = std::make_shared<Files>();
	std::shared_ptr<FileBacked<FilesSource>> backed = std::make_shared<FileBacked<FilesSource>>(
		std::make_shared<runtime::Helpers>(runtime::Helpers::Options()), FilesSource{files});
};

TEST_F(FileBackedTest, AFirstReadingWithoutADescriptorSaysSo)
{
	files->openable = false;
	const auto read = current();
	ASSERT_FALSE(read.has_value());
	EXPECT_TRUE(read.error().outOfDescriptors);
	EXPECT_EQ(read.error().kind, ExchangeError::Kind::configuration);
}

TEST_F(FileBackedTest, AChangeThatNoDescriptorWasLeftToReadIsReadLater)
{
	ASSERT_TRUE(current().has_value());
	files->openable = false;
	files->stamp = 2;
	const auto limit = std::chrono::steady_clock::now() + patience;
	while (files->reads < 2 && std::chrono::steady_clock::now() < limit) {
		EXPECT_EQ(*current()->contents, 1U) << "what was read before stays in use";
	}
	files->openable = true;
	while (*current()->contents != 2 && std::chrono::steady_clock::now() < limit) {
	}
	EXPECT_EQ(*current()->contents, 2U);
}

TEST_F(FileBackedTest, ALookThatBeganBeforeAChangeIsNotTheOneWaitedFor)
{
	ASSERT_TRUE(current().has_value());
	const auto begin = std::chrono::steady_clock::now();
	files->held = true;
	auto before = backed->lookAgain(begin + patience);
	ASSERT_TRUE(before.resume(Wake::ready)) << "it waits";
	ASSERT_TRUE(files->seen.try_acquire_for(patience));
	files->stamp = 2;
	auto after = backed->lookAgain(begin + patience);
	auto wait = after.resume(Wake::ready);
	files->mayGoOn.release();
	while (wait) {
		wait = after.resume(block(*wait, -1));
	}
	const bool hung = std::chrono::steady_clock::now() - begin >= FileBacked<FilesSource>::hangsAfter;
	EXPECT_TRUE(hung || *current()->contents == 2) << "a machine that stands still for a second tests nothing";
}

} // namespace
} // namespace issuer::vault::transport
