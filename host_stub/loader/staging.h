#pragma once

#include "common/result.h"

#include <filesystem>
#include <functional>

namespace issuer::loader {

/// Copies a plugin to the path of its version, <plugins>/<last word of its id>/<version>-<sha256[:12]>/ <last
/// word>_plugin.so, and returns that path. The file appears at once and whole or not at all, however the process or the
/// machine ends: written and fsynced under another name, found fit to be loaded by a host, then renamed. An existing
/// file is left alone, for it may be in use.
///
/// `plugins` is created if it is missing, and files that a killed stage() has left there are removed. The error names
/// the file and the reason.
[[nodiscard]] Result<std::filesystem::path> stage(
	const std::filesystem::path& file, const std::filesystem::path& plugins);

/// Calls `visit` for each folder in `plugins` left by a killed stage(). Reports none while another stage() runs, since
/// those cannot be told from live ones.
void forEachLeftover(
	const std::filesystem::path& plugins, const std::function<void(const std::filesystem::path& folder)>& visit);

} // namespace issuer::loader
