#pragma once

#include "common/result.h"
#include "loader/plugin.h"

#include <filesystem>
#include <string>
#include <vector>

namespace issuer::loader {

/// One version of a plugin at the path that is its own: <plugins>/vault/1.0.0-0123456789ab/vault_plugin.so.
struct InstalledVersion
{
	std::string plugin;  ///< the last word of its id, «vault»
	std::string version; ///< «1.0.0»
	std::string sum;     ///< the first 12 digits of its SHA-256; empty: a package's, which stage() has not made
	std::filesystem::path file;
};

/// The versions of one plugin under a plugin directory, newest first: by the precedence of SemVer, and of several
/// builds of one version the one that was installed last.
[[nodiscard]] std::vector<InstalledVersion> installedVersions(
	const std::filesystem::path& plugins, const std::string& plugin);

/// A plugin as somebody names it: a path, absolute or from `folder` on; or «vault», the newest that is installed, or
/// «vault@0.1», the newest of the versions that begin so. A name has no / and does not end in .so.
[[nodiscard]] PluginFile pluginNamed(const std::string& text, const std::filesystem::path& folder);

/// `file` with the path that its name comes to among what is installed at this moment; one that is named by its path as
/// it is. The error says what was looked for and where.
[[nodiscard]] Result<PluginFile> resolved(PluginFile file, const std::filesystem::path& plugins);

/// The plugins that have a folder there.
[[nodiscard]] std::vector<std::string> pluginsIn(const std::filesystem::path& plugins);

} // namespace issuer::loader
