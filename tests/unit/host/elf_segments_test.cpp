#include "loader/elf_check.h"

#include "fixture_plugins.h"
#include "temp_dir.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <link.h>

namespace issuer::loader {
namespace {

namespace fs = std::filesystem;

/// A plugin without the table of sections, which no loader needs and some strip.
class AStrippedPlugin : public testing::Test
{
protected:
	AStrippedPlugin()
	{
		fs::copy_file(issuer::test::fixture::good, plugin);
		std::fstream file(plugin, std::ios::in | std::ios::out | std::ios::binary);
		ElfW(Ehdr) header{};
		file.read(reinterpret_cast<char*>(&header), sizeof header);
		header.e_shoff = header.e_shnum = header.e_shstrndx = 0;
		file.seekp(0);
		file.write(reinterpret_cast<const char*>(&header), sizeof header);
		file.seekg(static_cast<std::streamoff>(header.e_phoff));
		for (int i = 0; i < header.e_phnum; ++i) {
			ElfW(Phdr) segment{};
			file.read(reinterpret_cast<char*>(&segment), sizeof segment);
			end = std::max<std::uintmax_t>(end, segment.p_offset + segment.p_filesz);
		}
	}

	issuer::test::TempDir temp;
	const fs::path plugin = temp.path() / "plugin.so";
	std::uintmax_t end = 0; ///< of its last segment
};

TEST_F(AStrippedPlugin, IsTakenWhenAllOfItsSegmentsAreThere)
{
	fs::resize_file(plugin, end);
	EXPECT_TRUE(checkElf(plugin));
}

TEST_F(AStrippedPlugin, IsRefusedWhenAByteOfASegmentIsMissing)
{
	fs::resize_file(plugin, end - 1);
	const auto checked = checkElf(plugin);
	ASSERT_FALSE(checked) << "the loader would map what is not there";
	EXPECT_THAT(checked.error().text, testing::HasSubstr("truncated"));
}

} // namespace
} // namespace issuer::loader
