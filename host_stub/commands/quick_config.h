#pragma once

#include "commands/host_config.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace issuer::commands {

/// Returns an environment variable; an empty one counts as not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads the process's own environment.
[[nodiscard]] std::optional<std::string> environmentVariable(const std::string& name);

/// Returns one issuer as the tools of Vault and OpenBao are configured, each variable as BAO_… first and then as
/// VAULT_…: AGENT_ADDR or else ADDR; TOKEN, or the file at TOKEN_PATH or else ~/.vault-token; NAMESPACE; CACERT,
/// CAPATH, CLIENT_CERT, CLIENT_KEY, TLS_SERVER_NAME, SKIP_VERIFY; DISABLE_REDIRECTS. Proxies are left to the plugin,
/// which reads their variables itself, and the token stays where it is: neither is copied. Fails where ~/.bao,
/// ~/.vault, or the file at CONFIG_PATH in their place, names a token helper and no variable says where else the token
/// is: no helper is run here, and ~/.vault-token may be outdated.
[[nodiscard]] Result<HostConfig> quickConfig(const Environment& environment, const std::filesystem::path& plugin);

/// Returns one line for each variable that is set, that the tools would follow, and that quickConfig() does not.
[[nodiscard]] std::vector<std::string> notFollowed(const Environment& environment);

/// Returns the configuration of `run` and `doctor`: the file if there is one, else the quick configuration with
/// `plugin`, else that with the newest installed Vault plugin. Prints to stderr which variables a quick configuration
/// does not follow.
[[nodiscard]] Result<HostConfig> configurationOf(const std::optional<std::filesystem::path>& file,
	const std::optional<std::filesystem::path>& plugin, Reading reading = Reading::strict);

/// Returns the newest installed Vault plugin, <plugins>/vault/<version>/vault_plugin.so.
[[nodiscard]] Result<std::filesystem::path> newestVaultPlugin(const std::filesystem::path& plugins);

/// Returns the directory of this installation's plugins: found from the program's own path, so that any prefix works.
[[nodiscard]] std::filesystem::path installedPlugins();

} // namespace issuer::commands
