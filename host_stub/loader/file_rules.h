#pragma once

#include "common/result.h"

#include <filesystem>

namespace issuer::loader {

/// Returns `path` without symbolic links, if code may be loaded from it.
///
/// A plugin runs with all the rights of the host and sees its secrets, so only root and the host's own user may be able
/// to replace it: the file and every directory above it belong to one of these two and are not writable by group or
/// others. A sticky directory such as /tmp may be: there only the owner of an entry can rename or remove it, and the
/// owner of each entry on the way is checked. The same holds for each symbolic link on the way, which its owner could
/// lead elsewhere.
///
/// The error is a reason without the path.
[[nodiscard]] Result<std::filesystem::path> checkPluginPath(const std::filesystem::path& path);

/// The same for a folder that plugins are put into and removed from.
[[nodiscard]] Result<std::filesystem::path> checkPluginFolder(const std::filesystem::path& path);

} // namespace issuer::loader
