#include "credential/token_file.h"

#include "credential/secret_pages.h"
#include "temp_dir.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace issuer::vault::credential {
namespace {

using namespace std::chrono_literals;
using issuer::test::TempDir;
using testing::HasSubstr;
using testing::StartsWith;

std::string tokenAt(const std::filesystem::path& path)
{
	const auto found = lookAt(path.string(), {});
	return found.trouble.empty() ? std::string(found.token.view()) : "(" + found.trouble + ")";
}

/// A file that was written long ago.
std::filesystem::path old(const std::filesystem::path& path)
{
	const timespec times[] = {{1'700'000'000, 0}, {1'700'000'000, 0}};
	EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
	return path;
}

/// Runs as the user nobody: root may read every file.
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

TEST(TokenFile, GivesItsTokenWithoutTheBlanksAroundIt)
{
	const TempDir dir;
	EXPECT_EQ(tokenAt(dir.write("token", "  s.ONE\r\n")), "s.ONE");
}

TEST(TokenFile, OneThatWasReadBeforeIsUnchangedAlsoWithOtherBlanks)
{
	const TempDir dir;
	const auto path = dir.write("token", "s.ONE");
	const auto first = lookAt(path.string(), {});
	EXPECT_FALSE(first.unchanged);
	EXPECT_TRUE(lookAt(path.string(), first.content).unchanged);
	dir.write("token", "s.ONE\n");
	EXPECT_TRUE(lookAt(path.string(), first.content).unchanged);
	dir.write("token", "s.TWO");
	const auto second = lookAt(path.string(), first.content);
	EXPECT_FALSE(second.unchanged);
	EXPECT_EQ(second.token.view(), "s.TWO");
}

TEST(TokenFile, AStampIsTrustedOnlyOnceTheClockMustHaveMovedOn)
{
	const TempDir dir;
	const auto path = dir.write("token", "s.ONE");
	EXPECT_EQ(lookAt(path.string(), {}).content.stamp, 0U) << "another of this size may follow in the same tick";
	EXPECT_EQ(lookAt(old(path).string(), {}).content.stamp, 0U) << "the inode has just changed";
}

TEST(TokenFile, FollowsALinkAsContainersMountSecrets)
{
	const TempDir dir;
	dir.write("two", "s.TWO");
	std::filesystem::create_symlink("two", dir.path() / "token");
	EXPECT_EQ(tokenAt(dir.path() / "token"), "s.TWO");
}

TEST(TokenFile, TheTroubleNamesThePlaceInItAndNeverItsContent)
{
	const TempDir dir;
	EXPECT_EQ(
		tokenAt(dir.write("token", "CANARY CANARY")), "(is not one token: character 7 of 13 is a blank or line end)");
	EXPECT_EQ(tokenAt(dir.write("token", "")), "(is empty)");
	EXPECT_THAT(tokenAt(dir.write("token", R"({"token":"CANARY"})")), StartsWith("(holds JSON"));
}

TEST(TokenFile, OneThatCannotBeReadSaysWhy)
{
	const TempDir dir;
	EXPECT_EQ(tokenAt(dir.path() / "missing"), "(cannot be read: No such file or directory)");
	EXPECT_EQ(tokenAt(dir.write("file", "x") / "token"), "(cannot be read: Not a directory)");
	std::filesystem::create_symlink("loop", dir.path() / "loop");
	EXPECT_THAT(tokenAt(dir.path() / "loop"), HasSubstr("Too many levels"));
}

TEST(TokenFile, OneThatIsNotOursToReadSaysSo)
{
	const TempDir dir;
	const auto path = dir.write("token", "s.TOKEN");
	std::filesystem::permissions(path, std::filesystem::perms::none);
	const AsNobody nobody;
	if (!nobody.worked) {
		GTEST_SKIP() << "runs as root and cannot become another user";
	}
	EXPECT_EQ(tokenAt(path), "(cannot be read: Permission denied)");
}

TEST(TokenFile, OnlyARegularFileIsOneAndNoneIsWaitedFor)
{
	const TempDir dir;
	EXPECT_EQ(tokenAt(dir.path()), "(is not a regular file)");
	ASSERT_EQ(::mkfifo((dir.path() / "fifo").c_str(), 0600), 0);
	EXPECT_EQ(tokenAt(dir.path() / "fifo"), "(is not a regular file)");
	EXPECT_EQ(tokenAt("/dev/zero"), "(is not a regular file)");
}

TEST(TokenFile, OneThatAllUsersMayWriteIsRefused)
{
	using std::filesystem::perms;
	const TempDir dir;
	const auto path = dir.write("token", "s.TOKEN");
	std::filesystem::permissions(path, perms::owner_read | perms::owner_write | perms::others_write);
	EXPECT_EQ(tokenAt(path), "(may be written by all users of this machine: chmod o-w it)");
	std::filesystem::permissions(path, perms::owner_read | perms::group_write | perms::others_read);
	EXPECT_EQ(tokenAt(path), "s.TOKEN");
}

TEST(TokenFile, OneOfMoreThan64KiBIsNotRead)
{
	const TempDir dir;
	EXPECT_EQ(tokenAt(dir.write("token", std::string(longestSecret, 'x'))).size(), longestSecret);
	EXPECT_THAT(tokenAt(dir.write("token", std::string(longestSecret + 1, 'x'))), HasSubstr("is longer than 64 KiB"));
}

TEST(TokenFile, OneThatSaysItHasNoByteIsReadToTheEnd)
{
	const auto found = lookAt("/proc/sys/kernel/ostype", {}); // st_size is 0, as of many FUSE file systems
	EXPECT_EQ(found.token.view(), "Linux");
	EXPECT_EQ(found.content.stamp, 0U) << "its stamp says nothing of its content";
}

} // namespace
} // namespace issuer::vault::credential
