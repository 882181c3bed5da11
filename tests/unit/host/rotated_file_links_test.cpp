#include "observe/journal/rotated_file.h"

#include "temp_dir.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace issuer::observe {
namespace {

namespace fs = std::filesystem;

TEST(AJournal, IsNotWrittenThroughASymbolicLink)
{
	const issuer::test::TempDir temp;
	const fs::path precious = temp.write("precious", "unfinished");
	fs::create_symlink(precious, temp.path() / "journal");
	const auto opened = RotatedFile::open({temp.path() / "journal"});
	ASSERT_FALSE(opened);
	EXPECT_NE(opened.error().text.find((temp.path() / "journal").string()), std::string::npos);
	EXPECT_EQ(fs::file_size(precious), 10U);
}

TEST(AJournal, IsForItsOwnerAndGroupAlone)
{
	const issuer::test::TempDir temp;
	const mode_t before = ::umask(0);
	const auto opened = RotatedFile::open({temp.path() / "journal"});
	::umask(before);
	ASSERT_TRUE(opened);
	struct stat status
	{
	};
	ASSERT_EQ(::stat((temp.path() / "journal").c_str(), &status), 0);
	EXPECT_EQ(status.st_mode & 07777, 0640U);
}

} // namespace
} // namespace issuer::observe
