#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::registry {

/// The absolute paths that stand as strings in a plugin's configuration: token files, CA files, whatever it reads. The
/// host does not know which key means a file, and need not.
[[nodiscard]] std::vector<std::filesystem::path> filesNamedIn(std::string_view json);

/// A text that differs when one of `files` was made, replaced, written or removed since. May block as long as their
/// file systems do.
[[nodiscard]] std::string stampOf(const std::vector<std::filesystem::path>& files);

} // namespace issuer::registry
