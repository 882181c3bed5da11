#include "credential/source.h"

#include "credential/secret_pages.h"
#include "temp_dir.h"

#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

namespace issuer::vault::credential {
namespace {

using Change = Source::Change;
using test::TempDir;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Source fileSource(const std::filesystem::path& path)
{
	return Source(Origin{Origin::Kind::file, path.string(), {}});
}

std::string errorOf(Source& source)
{
	const auto change = source.refresh();
	return change ? "(none)" : change.error().text;
}

/// Root may read everything; nobody may not.
class AsNobody
{
public:
	AsNobody() : _root(::geteuid() == 0) { worked = !_root || ::seteuid(65534) == 0; }
	~AsNobody()
	{
		if (_root && ::seteuid(0) != 0) {
			std::abort();
		}
	}
	AsNobody(const AsNobody&) = delete;
	AsNobody& operator=(const AsNobody&) = delete;

	bool worked = false;

private:
	bool _root;
};

TEST(SourceFile, GivesItsTokenAndTellsWhenItIsAnotherOne)
{
	const TempDir dir;
	auto source = fileSource(dir.write("token", "  s.ONE\r\n"));
	EXPECT_TRUE(source.token().empty());
	EXPECT_EQ(source.refresh().value(), Change::replaced);
	EXPECT_EQ(source.token().view(), "s.ONE");
	EXPECT_EQ(source.refresh().value(), Change::none);
	dir.write("token", "s.ONE"); // the same without the blanks
	EXPECT_EQ(source.refresh().value(), Change::none);
	dir.write("token", "s.TWO\n");
	EXPECT_EQ(source.refresh().value(), Change::replaced);
	EXPECT_EQ(source.token().view(), "s.TWO");
}

TEST(SourceFile, FollowsARenameOverIt)
{
	const TempDir dir;
	auto source = fileSource(dir.write("token", "s.ONE"));
	ASSERT_TRUE(source.refresh());
	std::filesystem::rename(dir.write("new", "s.TWO"), dir.path() / "token");
	EXPECT_EQ(source.refresh().value(), Change::replaced);
	EXPECT_EQ(source.token().view(), "s.TWO");
}

TEST(SourceFile, FollowsALinkAsContainersMountSecrets)
{
	const TempDir dir;
	dir.write("one", "s.ONE");
	dir.write("two", "s.TWO");
	std::filesystem::create_symlink("one", dir.path() / "token");
	auto source = fileSource(dir.path() / "token");
	ASSERT_EQ(source.refresh().value(), Change::replaced);
	std::filesystem::create_symlink("two", dir.path() / "link");
	std::filesystem::rename(dir.path() / "link", dir.path() / "token");
	EXPECT_EQ(source.refresh().value(), Change::replaced);
	EXPECT_EQ(source.token().view(), "s.TWO");
}

TEST(SourceFile, OnErrorTheTokenStaysWhatItWas)
{
	const TempDir dir;
	const auto path = dir.write("token", "s.ONE");
	auto source = fileSource(path);
	ASSERT_TRUE(source.refresh());
	for (const std::string_view bad : {"", " \n", "s.T WO", "s.\x01"}) {
		dir.write("token", bad);
		EXPECT_FALSE(source.refresh().has_value());
		EXPECT_EQ(source.token().view(), "s.ONE");
	}
	std::filesystem::remove(path);
	EXPECT_FALSE(source.refresh().has_value());
	EXPECT_EQ(source.token().view(), "s.ONE");
}

TEST(SourceFile, TheErrorNamesTheFileAndNeverItsContent)
{
	const TempDir dir;
	const auto path = dir.write("token", "CANARY CANARY");
	auto source = fileSource(path);
	EXPECT_EQ(
		errorOf(source), "token file " + path.string() + " is not one token: character 7 of 13 is a blank or line end");
}

TEST(SourceFile, OneThatCannotBeReadSaysWhy)
{
	const TempDir dir;
	auto missing = fileSource(dir.path() / "missing");
	EXPECT_THAT(errorOf(missing), EndsWith("/missing cannot be read: No such file or directory"));
	auto below = fileSource(dir.write("file", "x") / "token");
	EXPECT_THAT(errorOf(below), EndsWith("cannot be read: Not a directory"));
	std::filesystem::create_symlink("loop", dir.path() / "loop");
	auto loop = fileSource(dir.path() / "loop");
	EXPECT_THAT(errorOf(loop), HasSubstr("/loop cannot be read: Too many levels"));
}

TEST(SourceFile, OneThatIsNotOursToReadSaysSo)
{
	const TempDir dir;
	auto source = fileSource(dir.write("token", "s.TOKEN"));
	std::filesystem::permissions(dir.path() / "token", std::filesystem::perms::none);
	const AsNobody nobody;
	if (!nobody.worked) {
		GTEST_SKIP() << "runs as root and cannot become anybody else";
	}
	EXPECT_THAT(errorOf(source), EndsWith("/token cannot be read: Permission denied"));
}

TEST(SourceFile, OnlyARegularFileIsOneAndNoneIsWaitedFor)
{
	const TempDir dir;
	auto directory = fileSource(dir.path());
	EXPECT_THAT(errorOf(directory), EndsWith(" is not a regular file"));
	ASSERT_EQ(::mkfifo((dir.path() / "fifo").c_str(), 0600), 0);
	auto fifo = fileSource(dir.path() / "fifo");
	EXPECT_THAT(errorOf(fifo), EndsWith("/fifo is not a regular file"));
	auto device = fileSource("/dev/zero");
	EXPECT_THAT(errorOf(device), EndsWith("/dev/zero is not a regular file"));
}

TEST(SourceFile, OneThatEverybodyMayWriteIsRefused)
{
	using std::filesystem::perms;
	const TempDir dir;
	const auto path = dir.write("token", "s.TOKEN");
	auto source = fileSource(path);
	std::filesystem::permissions(path, perms::owner_read | perms::owner_write | perms::others_write);
	EXPECT_THAT(errorOf(source), EndsWith("may be written by everybody on this machine: chmod o-w it"));
	std::filesystem::permissions(path, perms::owner_read | perms::group_write | perms::others_read);
	EXPECT_EQ(errorOf(source), "(none)");
}

TEST(SourceFile, OneOfMoreThan64KiBIsNotRead)
{
	const TempDir dir;
	auto source = fileSource(dir.write("token", std::string(longestSecret, 'x')));
	EXPECT_EQ(source.refresh().value(), Change::replaced);
	EXPECT_EQ(source.token().view().size(), longestSecret);
	dir.write("token", std::string(longestSecret + 1, 'x'));
	EXPECT_THAT(errorOf(source), HasSubstr("is longer than 64 KiB"));
}

TEST(SourceFile, OneThatGivesMoreThanItsSizeIsBeingWritten)
{
	auto source = fileSource("/proc/self/comm"); // says that it has no byte, and has some
	EXPECT_EQ(errorOf(source),
		"token file /proc/self/comm changed while it was read; write it elsewhere and rename it into place");
}

TEST(SourceEnvironment, IsReadAgainEachTime)
{
	const char* const name = "ISSUER_TEST_TOKEN";
	Source source(Origin{Origin::Kind::environment, name, {}});
	EXPECT_EQ(errorOf(source), "environment variable ISSUER_TEST_TOKEN is not set");
	::setenv(name, "s.ONE", 1);
	EXPECT_EQ(source.refresh().value(), Change::replaced);
	EXPECT_EQ(source.refresh().value(), Change::none);
	::setenv(name, "s.TWO", 1);
	EXPECT_EQ(source.refresh().value(), Change::replaced);
	EXPECT_EQ(source.token().view(), "s.TWO");
	::setenv(name, "", 1);
	EXPECT_EQ(errorOf(source), "environment variable ISSUER_TEST_TOKEN is empty");
	::unsetenv(name);
	EXPECT_THAT(errorOf(source), EndsWith("is not set"));
	EXPECT_EQ(source.token().view(), "s.TWO");
}

TEST(SourceValue, IsTheTokenOnceAndForAllAndHeldOnce)
{
	Origin origin{Origin::Kind::value, "", Secret(" s.TOKEN\n")};
	const char* const first = origin.value.view().data();
	Source source(std::move(origin));
	EXPECT_EQ(source.refresh().value(), Change::replaced);
	EXPECT_EQ(source.token().view(), "s.TOKEN");
	EXPECT_EQ(std::string(first, 9), std::string(9, '\0')); // the pages stay: the token lives in them
	EXPECT_EQ(source.refresh().value(), Change::none);
	EXPECT_EQ(source.token().view(), "s.TOKEN");
}

TEST(SourceValue, ABadOneIsRefusedInTheSameWordsEachTime)
{
	Source source(Origin{Origin::Kind::value, "", Secret("CANARY CANARY")});
	for (int i = 0; i < 2; ++i) {
		EXPECT_EQ(errorOf(source),
			"token.value of the configuration is not one token: character 7 of 13 is a blank or line end");
	}
	Source none(Origin{Origin::Kind::value, "", {}});
	EXPECT_EQ(errorOf(none), "token.value of the configuration is empty");
}

} // namespace
} // namespace issuer::vault::credential
