#include "credential/sink.h"
#include "temp_dir.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace issuer::vault::credential {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

class Sink : public testing::Test
{
protected:
	Sink() { fs::permissions(_folder.path(), fs::perms(0700)); }

	[[nodiscard]] fs::path path(const std::string& name) const { return _folder.path() / name; }
	[[nodiscard]] SinkFile sink(const std::string& name = "token") const { return {path(name).string(), 0600, {}, {}}; }
	[[nodiscard]] std::string read(const std::string& name = "token") const
	{
		std::ifstream file(path(name));
		return {std::istreambuf_iterator<char>(file), {}};
	}
	[[nodiscard]] std::ptrdiff_t files() const { return std::distance(fs::directory_iterator(_folder.path()), {}); }

	/// Expects a refusal of both functions, and that nothing is left behind.
	void expectRefused(const SinkFile& wanted, const std::string& why) const
	{
		const auto before = files();
		for (const auto& done : {checkSink(wanted), writeSink(wanted, "token")}) {
			ASSERT_FALSE(done);
			EXPECT_THAT(done.error().text, StartsWith("sink file " + wanted.file + " cannot be written: "));
			EXPECT_THAT(done.error().text, HasSubstr(why));
		}
		EXPECT_EQ(files(), before);
	}

private:
	issuer::test::TempDir _folder;
};

TEST_F(Sink, HoldsTheTokenAloneWithItsMode)
{
	auto wanted = sink();
	ASSERT_TRUE(writeSink(wanted, "first"));
	EXPECT_EQ(read(), "first");
	struct stat status = {};
	ASSERT_EQ(::stat(wanted.file.c_str(), &status), 0);
	EXPECT_EQ(status.st_mode & 07777U, 0600U);
	wanted.mode = 0444;
	ASSERT_TRUE(writeSink(wanted, "second"));
	EXPECT_EQ(read(), "second");
	ASSERT_EQ(::stat(wanted.file.c_str(), &status), 0);
	EXPECT_EQ(status.st_mode & 07777U, 0444U);
	EXPECT_EQ(files(), 1);
}

TEST_F(Sink, IsReplacedAndNeverWrittenOver)
{
	ASSERT_TRUE(writeSink(sink(), "first"));
	fs::create_hard_link(path("token"), path("held"));
	ASSERT_TRUE(writeSink(sink(), "second"));
	EXPECT_EQ(read("held"), "first") << "a reader that had it open reads a mixture";
}

TEST_F(Sink, ReplacesASymbolicLinkAndNotItsTarget)
{
	std::ofstream(path("target")) << "another's";
	fs::create_symlink(path("target"), path("token"));
	ASSERT_TRUE(writeSink(sink(), "first"));
	EXPECT_EQ(read("target"), "another's");
	EXPECT_FALSE(fs::is_symlink(path("token")));
}

TEST_F(Sink, WithoutItsDirectoryIsRefused)
{
	expectRefused(sink("none/token"), "its directory: No such file or directory");
}

TEST_F(Sink, WhereAllUsersMayReplaceItIsRefused)
{
	fs::create_directory(path("open"));
	fs::permissions(path("open"), fs::perms(0777));
	expectRefused(sink("open/token"), "chmod o-w it");
}

TEST_F(Sink, InThePlaceOfADirectoryIsRefused)
{
	fs::create_directory(path("token"));
	expectRefused(sink(), "a directory is in its place");
}

TEST_F(Sink, OfAnUnknownUserOrGroupIsRefusedByTheKeyOfIt)
{
	auto wanted = sink();
	wanted.owner = "nobody of that name";
	expectRefused(wanted, "auth.sink.owner names no user");
	wanted.owner = std::to_string(::getuid());
	wanted.group = "no group of that name";
	expectRefused(wanted, "auth.sink.group names no group");
	wanted.group = std::to_string(::getgid());
	EXPECT_TRUE(writeSink(wanted, "token"));
}

TEST_F(Sink, ThatWasOnlyCheckedIsNotWritten)
{
	EXPECT_TRUE(checkSink(sink()));
	EXPECT_EQ(files(), 0);
}

} // namespace
} // namespace issuer::vault::credential
