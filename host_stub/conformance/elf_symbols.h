#pragma once

#include "common/result.h"

#include <filesystem>
#include <string>
#include <vector>

namespace issuer::conformance {

/// A symbol that a shared object exports.
struct ElfSymbol
{
	std::string name;
	bool isData = false;
	bool isUnique = false; ///< STB_GNU_UNIQUE: keeps the library from being unloaded
};

/// Returns the symbols that a shared object exports, without loading it. The file has been checked by
/// loader::checkElf().
[[nodiscard]] Result<std::vector<ElfSymbol>> exportedSymbols(const std::filesystem::path& file);

} // namespace issuer::conformance
