#pragma once

#include "common/result.h"
#include "loader/plugin.h"

#include <filesystem>
#include <string>
#include <vector>

namespace issuer::loader {

/// One version of a plugin at its own path: <plugins>/vault/1.0.0-0123456789ab/vault_plugin.so.
struct InstalledVersion
{
	std::string plugin;  ///< the last word of its id, «vault»
	std::string version; ///< «1.0.0»
	std::string sum;     ///< the first 12 digits of its SHA-256; empty: installed by a package, not by stage()
	std::filesystem::path file;
};

/// Returns the versions of one plugin under a plugin directory, newest first: by the precedence of SemVer, and of
/// several builds of one version the one that was installed last.
[[nodiscard]] std::vector<InstalledVersion> installedVersions(
	const std::filesystem::path& plugins, const std::string& plugin);

/// Parses the plugin of a configuration: a path, absolute or relative to `folder`; or «vault», the newest that is
/// installed, or «vault@0.1», the newest of the versions that begin so. A name has no / and does not end in .so.
[[nodiscard]] PluginFile pluginNamed(const std::string& text, const std::filesystem::path& folder);

/// Returns `file` with the path that its name stands for at this moment; one that is named by its path is returned as
/// it is. The error names the plugin and the directory that was searched.
[[nodiscard]] Result<PluginFile> resolved(PluginFile file, const std::filesystem::path& plugins);

/// Returns the plugins that have a folder there.
[[nodiscard]] std::vector<std::string> pluginsIn(const std::filesystem::path& plugins);

} // namespace issuer::loader
