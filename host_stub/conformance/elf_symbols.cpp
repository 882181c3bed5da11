#include "conformance/elf_symbols.h"

#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <link.h>

namespace issuer::conformance {

namespace {

using Header = ElfW(Ehdr);
using Section = ElfW(Shdr);
using Symbol = ElfW(Sym);

/// A file's bytes, with checked access.
class Bytes
{
public:
	explicit Bytes(const std::filesystem::path& file)
	{
		std::ifstream stream(file, std::ios::binary);
		_bytes.assign(std::istreambuf_iterator<char>(stream), {});
	}

	template <class T>
	[[nodiscard]] bool read(std::uint64_t offset, T& to) const
	{
		if (offset > _bytes.size() || sizeof to > _bytes.size() - offset) {
			return false;
		}
		std::memcpy(&to, _bytes.data() + offset, sizeof to);
		return true;
	}

	[[nodiscard]] std::string string(std::uint64_t offset) const
	{
		return offset < _bytes.size() ? std::string(_bytes.c_str() + offset) : std::string();
	}

private:
	std::string _bytes;
};

} // namespace

Result<std::vector<ElfSymbol>> exportedSymbols(const std::filesystem::path& file)
{
	const auto damaged = [] { return failure("its table of dynamic symbols cannot be read"); };
	const Bytes bytes(file);
	Header header{};
	if (!bytes.read(0, header) || header.e_shentsize != sizeof(Section)) {
		return damaged();
	}
	std::vector<Section> sections(header.e_shnum);
	for (std::size_t i = 0; i < sections.size(); ++i) {
		if (!bytes.read(header.e_shoff + i * sizeof(Section), sections[i])) {
			return damaged();
		}
	}
	std::vector<ElfSymbol> exported;
	for (const Section& section : sections) {
		if (section.sh_type != SHT_DYNSYM || section.sh_link >= sections.size()) {
			continue;
		}
		for (std::uint64_t i = 0; i < section.sh_size / sizeof(Symbol); ++i) {
			Symbol symbol{};
			if (!bytes.read(section.sh_offset + i * sizeof(Symbol), symbol)) {
				return damaged();
			}
			const unsigned binding = ELF64_ST_BIND(symbol.st_info); // the same macro fits 32 bits
			if (symbol.st_shndx != SHN_UNDEF && binding != STB_LOCAL) {
				exported.push_back({bytes.string(sections[section.sh_link].sh_offset + symbol.st_name),
					ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT, binding == STB_GNU_UNIQUE});
			}
		}
	}
	return exported;
}

} // namespace issuer::conformance
