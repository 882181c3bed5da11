#include "loader/elf_check.h"

#include "fixture_plugins.h"
#include "temp_dir.h"

#include <fstream>
#include <gtest/gtest.h>
#include <link.h>

namespace issuer::loader {
namespace {

namespace fs = std::filesystem;
namespace fixture = issuer::test::fixture;

std::string verdictOn(const fs::path& path)
{
	const auto checked = checkElf(path);
	return checked ? "accepted" : checked.error().text;
}

class ElfCheck : public testing::Test
{
protected:
	/// A copy of the good plugin whose header was changed.
	template <class Change>
	fs::path changed(const Change& change) const
	{
		fs::copy_file(fixture::good, file, fs::copy_options::overwrite_existing);
		std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
		ElfW(Ehdr) header{};
		stream.read(reinterpret_cast<char*>(&header), sizeof header);
		change(header);
		stream.seekp(0).write(reinterpret_cast<const char*>(&header), sizeof header);
		return file;
	}

	issuer::test::TempDir temp;
	const fs::path file = temp.path() / "plugin.so";
};

TEST_F(ElfCheck, ASharedObjectForThisMachineIsAccepted)
{
	EXPECT_EQ(verdictOn(fixture::good), "accepted");
}

TEST_F(ElfCheck, AFileThatIsNotElfIsRefused)
{
	EXPECT_EQ(verdictOn(fixture::not_elf), "it is not an ELF file");
	EXPECT_EQ(verdictOn(fixture::empty), "it is not an ELF file");
	EXPECT_EQ(verdictOn(temp.path() / "none.so"), "it cannot be read");
}

TEST_F(ElfCheck, AnotherMachinesSharedObjectIsRefused)
{
	EXPECT_EQ(verdictOn(fixture::other_architecture), "it is built for another machine");
	EXPECT_EQ(verdictOn(changed([](auto& header) { header.e_ident[EI_CLASS] ^= ELFCLASS32 ^ ELFCLASS64; })),
		"it is built for another machine");
	EXPECT_EQ(verdictOn(changed([](auto& header) { header.e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB; })),
		"it is built for another machine");
}

TEST_F(ElfCheck, AnObjectFileIsRefused)
{
	EXPECT_EQ(
		verdictOn(changed([](auto& header) { header.e_type = ET_REL; })), "it is an ELF file, but not a shared object");
}

TEST_F(ElfCheck, EveryTruncationOfAPluginIsRefused)
{
	const auto size = fs::file_size(fixture::good);
	for (std::uintmax_t length = 0; length < size; length += 97) {
		fs::copy_file(fixture::good, file, fs::copy_options::overwrite_existing);
		fs::resize_file(file, length);
		ASSERT_NE(verdictOn(file), "accepted") << "of the first " << length << " of " << size << " bytes";
	}
	fs::copy_file(fixture::good, file, fs::copy_options::overwrite_existing);
	fs::resize_file(file, size - 1);
	EXPECT_EQ(verdictOn(file), "it is truncated: the file ends before what its header promises");
}

TEST_F(ElfCheck, AHeaderThatPointsFarBeyondTheFileIsRefused)
{
	EXPECT_EQ(verdictOn(changed([](auto& header) { header.e_phoff = ~decltype(header.e_phoff){0}; })),
		"it is truncated: the file ends before what its header promises");
	EXPECT_EQ(verdictOn(changed([](auto& header) { header.e_shoff = ~decltype(header.e_shoff){0} - 8; })),
		"it is truncated: the file ends before what its header promises");
	EXPECT_EQ(verdictOn(changed([](auto& header) { header.e_phnum = 0; })), "its program headers are damaged");
}

} // namespace
} // namespace issuer::loader
