#pragma once

#include "common/result.h"

#include <filesystem>
#include <issuer/lifecycle.h>
#include <memory>

namespace issuer::loader {

/// Maps the library and returns its table; the pointer keeps it loaded. The caller's signal mask is left as it was (the
/// initialisers of libPoco block SIGPIPE in the thread that loads them). The error is a reason without the path.
[[nodiscard]] Result<std::shared_ptr<const issuer_lifecycle>> loadLibrary(const std::filesystem::path& path);

/// Returns whether the dynamic loader has a library of this name. Loads nothing and keeps no reference.
[[nodiscard]] bool isMapped(const std::filesystem::path& path);

} // namespace issuer::loader
