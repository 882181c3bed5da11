#pragma once

#include "common/result.h"
#include "registry/issuer.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

/// Has a process of its own load the plugin of `candidate`, whose path is known, create an instance, start, stop and
/// destroy it, each as long as it may take in a host of these surroundings. The error says which of these failed, hangs
/// or crashes, and why. Blocks for that long. The instance uses the issuer's own credential for a moment.
[[nodiscard]] Result<void> tryInChild(
	const registry::IssuerSpec& candidate, const registry::Surroundings& surroundings);

/// Has a process of its own do for every issuer of `config` what a reload does before it changes anything: find and
/// load its plugin, and create an instance. The error has a line for each issuer that cannot be used.
[[nodiscard]] Result<void> checkInChild(
	const std::filesystem::path& config, const std::optional<std::filesystem::path>& plugins);

} // namespace issuer::commands
