#pragma once

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

/// The versions of one plugin under a plugin directory, newest first: by version number, and of several builds of one
/// version the one that was installed last.
[[nodiscard]] std::vector<InstalledVersion> installedVersions(
	const std::filesystem::path& plugins, const std::string& plugin);

/// The plugins that have a folder there.
[[nodiscard]] std::vector<std::string> pluginsIn(const std::filesystem::path& plugins);

} // namespace issuer::loader
