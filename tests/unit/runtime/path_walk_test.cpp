#include "runtime/path_walk.h"

#include "temp_dir.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <vector>

namespace issuer::vault::runtime {
namespace {

using issuer::test::TempDir;
using testing::ElementsAre;
namespace fs = std::filesystem;

class PathWalkTest : public testing::Test
{
protected:
	/// The entries that decide where `path` leads, relative to the test's directory.
	std::vector<std::string> walked(const fs::path& path) const
	{
		std::vector<std::string> entries;
		walkPath(path.string(), [&](const std::string& directory, const std::string& name) {
			entries.push_back((fs::path(directory) / name).lexically_relative(root).string());
		});
		return entries;
	}

	const TempDir temp;
	const fs::path root = fs::canonical(temp.path());
};

TEST_F(PathWalkTest, OfAPlainFileItsEntryDecides)
{
	fs::create_directories(root / "a/b");
	temp.write("a/b/token", "x");
	EXPECT_THAT(walked(root / "a/b/token"), ElementsAre("a/b/token"));
}

TEST_F(PathWalkTest, DotsAndDoubledSlashesLeadNowhereElse)
{
	fs::create_directories(root / "a/b");
	temp.write("a/token", "x");
	EXPECT_THAT(walked(root.string() + "//a/./b/..//token"), ElementsAre("a/b/../token"));
}

TEST_F(PathWalkTest, OfALinkItsEntryAndItsTargetsDecide)
{
	temp.write("real", "x");
	fs::create_symlink("middle", root / "token");
	fs::create_symlink(root / "real", root / "middle");
	EXPECT_THAT(walked(root / "token"), ElementsAre("token", "middle", "real"));
}

TEST_F(PathWalkTest, KubernetesSwapsADirectoryInTheMiddle)
{
	fs::create_directories(root / "..2026");
	temp.write("..2026/token", "x");
	fs::create_symlink("..2026", root / "..data");
	fs::create_symlink("..data/token", root / "token");
	EXPECT_THAT(walked(root / "token"), ElementsAre("token", "..data", "..2026/token"));
}

TEST_F(PathWalkTest, EndsWhereTheWayBreaksOff)
{
	fs::create_directories(root / "a");
	EXPECT_THAT(walked(root / "a/b/c/token"), ElementsAre("a/b"));
}

TEST_F(PathWalkTest, ADanglingLinkEndsAtWhatIsMissing)
{
	fs::create_symlink("gone", root / "token");
	EXPECT_THAT(walked(root / "token"), ElementsAre("token", "gone"));
}

TEST_F(PathWalkTest, EndsInALoopToo)
{
	fs::create_symlink("b", root / "a");
	fs::create_symlink("a", root / "b");
	EXPECT_LT(walked(root / "a").size(), 50U);
}

TEST_F(PathWalkTest, AFileThatAppearsWhileItsFolderIsVisitedIsSeen)
{
	std::vector<std::string> visited;
	walkPath((root / "a/token").string(), [&](const std::string&, const std::string& name) {
		visited.push_back(name);
		if (name == "a") {
			fs::create_directories(root / "a");
		}
	});
	EXPECT_THAT(visited, ElementsAre("a", "token"));
}

} // namespace
} // namespace issuer::vault::runtime
