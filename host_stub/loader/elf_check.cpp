#include "loader/elf_check.h"

#include <cstring>
#include <fstream>
#include <link.h>
#include <vector>

/// The linker's name for the ELF header of the program itself: only files of the same kind can be loaded into it.
extern "C" __attribute__((visibility("hidden"))) const ElfW(Ehdr) __ehdr_start; // NOLINT(bugprone-reserved-identifier)

namespace issuer::loader {

namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);

/// Returns whether [offset, offset + length) lies within a file of `size` bytes, without computing the sum, which may
/// overflow.
bool within(std::uint64_t offset, std::uint64_t length, std::uint64_t size)
{
	return offset <= size && length <= size - offset;
}

Result<void> checkHeader(const Header& header)
{
	if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
		return failure("it is not an ELF file");
	}
	const bool sameMachine = header.e_ident[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS] &&
							 header.e_ident[EI_DATA] == __ehdr_start.e_ident[EI_DATA] &&
							 header.e_machine == __ehdr_start.e_machine;
	if (!sameMachine) {
		return failure("it is built for another machine");
	}
	if (header.e_type != ET_DYN) {
		return failure("it is an ELF file, but not a shared object");
	}
	return {};
}

} // namespace

Result<void> checkElf(const std::filesystem::path& path)
{
	std::ifstream file(path, std::ios::binary | std::ios::ate);
	const auto size = static_cast<std::uint64_t>(file.tellg());
	if (!file) {
		return failure("it cannot be read");
	}
	const auto read = [&](std::uint64_t offset, void* to, std::size_t length) {
		return within(offset, length, size) && file.seekg(static_cast<std::streamoff>(offset)) &&
			   file.read(static_cast<char*>(to), static_cast<std::streamsize>(length));
	};

	Header header{};
	if (!read(0, &header, sizeof header)) {
		return failure("it is not an ELF file");
	}
	if (Result<void> ok = checkHeader(header); !ok) {
		return ok;
	}

	const auto truncated = [] { return failure("it is truncated: the file ends before what its header promises"); };
	std::vector<Segment> segments(header.e_phnum);
	if (segments.empty() || header.e_phentsize != sizeof(Segment)) {
		return failure("its program headers are damaged");
	}
	if (!read(header.e_phoff, segments.data(), segments.size() * sizeof(Segment))) {
		return truncated();
	}
	for (const Segment& segment : segments) {
		if (!within(segment.p_offset, segment.p_filesz, size)) {
			return truncated();
		}
	}
	// The section table is the last part of a file: loading does not need it, but its absence tells of an incomplete
	// copy.
	if (!within(header.e_shoff, std::uint64_t{header.e_shnum} * header.e_shentsize, size)) {
		return truncated();
	}
	return {};
}

} // namespace issuer::loader
