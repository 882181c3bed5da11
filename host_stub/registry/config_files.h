#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::registry {

/// Returns the absolute paths among the strings of a plugin's configuration: token files, CA files and others. The host
/// does not know which key names a file, and need not.
[[nodiscard]] std::vector<std::filesystem::path> filesNamedIn(std::string_view json);

/// Returns a text that changes when one of `files` is created, replaced, written or removed. May block as long as their
/// file systems do.
[[nodiscard]] std::string stampOf(const std::vector<std::filesystem::path>& files);

} // namespace issuer::registry
