#pragma once

#include "common/result.h"

#include <filesystem>
#include <string>

namespace issuer::loader {

/// Returns the SHA-256 of the file's content, 64 lower-case hexadecimal digits. The error is a reason without the path.
[[nodiscard]] Result<std::string> sha256Of(const std::filesystem::path& path);

} // namespace issuer::loader
