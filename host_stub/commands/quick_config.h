#pragma once

#include "commands/host_config.h"

#include <functional>
#include <optional>
#include <string>

namespace issuer::commands {

/// Looks an environment variable up; what is set to nothing counts as not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The process's own environment.
[[nodiscard]] std::optional<std::string> environmentVariable(const std::string& name);

/// One issuer as the tools of Vault and OpenBao are configured: VAULT_ADDR, VAULT_TOKEN or ~/.vault-token,
/// VAULT_NAMESPACE, VAULT_CACERT, VAULT_CAPATH, VAULT_CLIENT_CERT, VAULT_CLIENT_KEY, VAULT_TLS_SERVER_NAME,
/// VAULT_SKIP_VERIFY, each with BAO_… first. The token itself stays where it is: the plugin is told where to read it.
[[nodiscard]] Result<HostConfig> quickConfig(const Environment& environment, const std::filesystem::path& plugin);

/// What `run` and `doctor` work on: the file if there is one, else the quick configuration with `plugin`, else that
/// with the newest installed Vault plugin.
[[nodiscard]] Result<HostConfig> configurationOf(const std::optional<std::filesystem::path>& file,
	const std::optional<std::filesystem::path>& plugin, Reading reading = Reading::strict);

/// The newest installed Vault plugin, <plugins>/vault/<version>/vault_plugin.so.
[[nodiscard]] Result<std::filesystem::path> newestVaultPlugin(const std::filesystem::path& plugins);

/// Where the plugins of this installation are: beside the program, which may stand under any prefix.
[[nodiscard]] std::filesystem::path installedPlugins();

} // namespace issuer::commands
