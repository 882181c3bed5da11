#include "loader/file_rules.h"

#include "temp_dir.h"

#include <gmock/gmock.h>

namespace issuer::loader {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr auto mine = fs::perms::owner_all;

TEST(FileRulesOfLinks, TheFolderThatALinkLeadsToIsLookedAtToo)
{
	const issuer::test::TempDir temp;
	const fs::path root = fs::canonical(temp.path());
	fs::permissions(root, mine);
	fs::create_directory(root / "open");
	fs::create_directory(root / "closed");
	temp.write("open/plugin.so", "code");
	fs::permissions(root / "open/plugin.so", mine);
	fs::permissions(root / "closed", mine);
	fs::create_symlink(root / "open/plugin.so", root / "closed/plugin.so");
	fs::permissions(root / "open", mine);
	ASSERT_TRUE(checkPluginPath(root / "closed/plugin.so"));
	fs::permissions(root / "open", fs::perms::all);
	const auto refused = checkPluginPath(root / "closed/plugin.so");
	ASSERT_FALSE(refused) << "any user could put another file there";
	EXPECT_THAT(refused.error().text, HasSubstr((root / "open").string() + " is writable by its group or by others"));
}

} // namespace
} // namespace issuer::loader
