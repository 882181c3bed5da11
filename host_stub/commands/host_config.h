#pragma once

#include "common/result.h"
#include "registry/spec.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace issuer::commands {

/// What `issuer-host run` is to do.
struct HostConfig
{
	std::vector<registry::IssuerSpec> issuers;
	std::chrono::milliseconds stopTimeout{10'000};
	std::optional<std::filesystem::path> control; ///< its socket; "none": it wants none
};

/// Reads and decodes a configuration file. The error names the file, and the key by its path.
[[nodiscard]] Result<HostConfig> loadConfig(const std::filesystem::path& file);

/// Decodes
///
///     {"issuers": [{"name": "team-a", "plugin": "/…/vault_plugin.so", "sha256": "…", "config": {…}}],
///      "stop_timeout": "10s", "control": "/run/issuer-host/control.sock"}
///
/// where sha256, stop_timeout and control may be left out, and relative paths start at `folder`. Unknown keys are
/// errors, as are names used twice. `config` is for the plugin, which alone knows what is right there.
[[nodiscard]] Result<HostConfig> parseConfig(std::string_view json, const std::filesystem::path& folder);

} // namespace issuer::commands
