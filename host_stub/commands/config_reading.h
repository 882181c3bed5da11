#pragma once

#include "common/result.h"

#include <filesystem>
#include <string>
#include <vector>

/// Reading of configurations from file systems that may hang, and from pipes whose writers may never come. Each
/// function waits for ten seconds, for one file or folder, as a folder may have thousands. An error is a passing one
/// where the file may be read another time.
namespace issuer::commands {

[[nodiscard]] Result<std::string> contentInTime(const std::filesystem::path& file);

/// Returns the files of a folder that are issuers, *.json, by name.
[[nodiscard]] Result<std::vector<std::filesystem::path>> issuersInTime(const std::filesystem::path& folder);

} // namespace issuer::commands
