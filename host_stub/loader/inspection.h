#pragma once

#include "common/result.h"
#include "loader/plugin.h"

#include <string>
#include <vector>

namespace issuer::loader {

/// A plugin's description of itself.
struct Inspection
{
	Description description;
	std::vector<std::string> extensions; ///< those of `asked` that it has
};

/// Checks a plugin as open() of PluginLibraries does, and has it loaded and asked by a child of this process without
/// the caller's rights: none of its code runs in this process. The child loads the very bytes that were checked, from
/// memory, and so finds no library beside the file. The strings are UTF-8, but may hold control characters. For a
/// process of one thread. The error names the path.
[[nodiscard]] Result<Inspection> inspect(const PluginFile& file, const std::vector<std::string>& asked);

} // namespace issuer::loader
