#include "loader/file_rules.h"

#include "temp_dir.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace issuer::loader {
namespace {

namespace fs = std::filesystem;

class FileRules : public testing::Test
{
protected:
	FileRules()
	{
		fs::create_directory(folder);
		std::ofstream(file) << "code";
	}

	std::string refusal() const { return refusalOf(file); }
	static std::string refusalOf(const fs::path& path)
	{
		const auto checked = checkPluginPath(path);
		return checked ? "accepted" : checked.error().text;
	}

	static void mode(const fs::path& path, mode_t bits) { ASSERT_EQ(::chmod(path.c_str(), bits), 0); }

	issuer::test::TempDir temp;
	const fs::path folder = fs::canonical(temp.path()) / "v1";
	const fs::path file = folder / "plugin.so";
};

TEST_F(FileRules, AFileThatOnlyItsOwnerCanChangeIsAccepted)
{
	EXPECT_EQ(checkPluginPath(file).value(), file);
}

TEST_F(FileRules, TheRealPathOfASymbolicLinkIsTaken)
{
	fs::create_symlink(file, folder / "current.so");
	EXPECT_EQ(checkPluginPath(folder / "current.so").value(), file);
}

TEST_F(FileRules, APathThatIsNotAbsoluteIsRefused)
{
	EXPECT_EQ(refusalOf("plugin.so"), "the path is not absolute");
}

TEST_F(FileRules, AMissingFileOrAnythingButAFileIsRefused)
{
	EXPECT_EQ(refusalOf(folder / "none.so"), "there is no such file");
	EXPECT_EQ(refusalOf(folder), "it is not a regular file");
	EXPECT_EQ(refusalOf("/dev/null"), "it is not a regular file");
}

TEST_F(FileRules, AFileOthersCanWriteIsRefused)
{
	mode(file, 0664);
	EXPECT_EQ(refusal(),
		file.string() + " is writable by its group or by others, and they could replace the code; chmod go-w it");
	mode(file, 0602);
	EXPECT_NE(refusal(), "accepted");
}

TEST_F(FileRules, ADirectoryAboveThatOthersCanWriteIsRefused)
{
	mode(folder.parent_path(), 0770);
	EXPECT_EQ(refusal(), folder.parent_path().string() +
							 " is writable by its group or by others, and they could replace the code; chmod go-w it");
}

TEST_F(FileRules, AStickyDirectoryMayBeWritableForOthersCannotRenameItsFiles)
{
	mode(folder, 01777);
	EXPECT_EQ(refusal(), "accepted");
}

TEST_F(FileRules, ADirectoryInWhichALinkOnTheWayCouldBeExchangedIsRefused)
{
	const fs::path open = folder.parent_path() / "open";
	fs::create_directory(open);
	fs::create_symlink(file, open / "plugin.so");
	mode(open, 0777);
	EXPECT_EQ(refusalOf(open / "plugin.so"),
		open.string() + " is writable by its group or by others, and they could replace the code; chmod go-w it");
}

TEST_F(FileRules, AFileOfAnotherUserIsRefused)
{
	if (::geteuid() != 0) {
		GTEST_SKIP() << "only root can give a file to another user";
	}
	constexpr uid_t stranger = 54321;
	ASSERT_EQ(::chown(file.c_str(), stranger, 0), 0);
	EXPECT_EQ(refusal(), file.string() +
							 " belongs to user 54321, and that user could replace the code; it must belong to root "
							 "or to the user the host runs as");
	ASSERT_EQ(::chown(file.c_str(), 0, 0), 0);
	ASSERT_EQ(::chown(folder.c_str(), stranger, 0), 0);
	EXPECT_NE(refusal(), "accepted");
}

} // namespace
} // namespace issuer::loader
