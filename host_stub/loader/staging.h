#pragma once

#include "common/result.h"

#include <filesystem>
#include <functional>

namespace issuer::loader {

/// Copies a plugin to the path that is its version's own, <plugins>/<last word of its id>/<version>-<sha256[:12]>/
/// <last word>_plugin.so, and returns that path. It is there at once and whole or not at all, however the process or
/// the machine ends: written and fsynced under another name, found fit to be loaded by a host, then renamed. What is
/// there already is left alone, for it may be in use.
///
/// `plugins` is made if it is missing, and what a stage() that was killed has left there is cleared away. The error
/// names the file and says why it was refused.
[[nodiscard]] Result<std::filesystem::path> stage(
	const std::filesystem::path& file, const std::filesystem::path& plugins);

/// Has `visit` see each folder that a stage() which was killed has left in `plugins`. None, while another is at work
/// there: it is not told apart which of them are in use.
void forEachLeftover(
	const std::filesystem::path& plugins, const std::function<void(const std::filesystem::path& folder)>& visit);

} // namespace issuer::loader
