#pragma once

#include "common/result.h"

#include <filesystem>

namespace issuer::loader {

/// Checks that the file is a complete shared object for this machine, without mapping it: the dynamic loader trusts the
/// header of a truncated file, and the process dies of SIGBUS. The error is a reason without the path.
[[nodiscard]] Result<void> checkElf(const std::filesystem::path& path);

} // namespace issuer::loader
