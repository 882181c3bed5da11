#include "transport/file_backed.h"

#include "transport/blocking.h"

#include <atomic>
#include <gtest/gtest.h>

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
};

struct FilesSource
{
	using Value = std::uint64_t; ///< the stamp of the content that was read

	std::shared_ptr<Files> files;

	[[nodiscard]] std::string name() const { return "CA file /x.pem"; }
	[[nodiscard]] std::string key() const { return "/"; }
	[[nodiscard]] std::vector<FileStamp> stamps(Reading&) const { return {FileStamp{.inode = files->stamp}}; }
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

} // namespace
} // namespace issuer::vault::transport
