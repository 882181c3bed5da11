#pragma once

#include "common/result.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace issuer::commands {

/// Returns the versions under `plugins` that may be removed: not the newest of each plugin, and none that `isUsed`.
[[nodiscard]] std::vector<std::filesystem::path> removableVersions(
	const std::filesystem::path& plugins, const std::function<bool(const std::filesystem::path& file)>& isUsed);

} // namespace issuer::commands
