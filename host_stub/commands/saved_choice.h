#pragma once

#include "common/result.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace issuer::commands {

/// Returns the text of a configuration with another plugin for one issuer and nothing else changed: order, spaces and
/// all the rest stay as they were. The error says why that is impossible.
[[nodiscard]] Result<std::string> withPlugin(
	std::string_view json, const std::string& issuer, const std::string& plugin);

/// Writes that choice into a configuration file, atomically: whatever happens, the file is either complete or as
/// before. It keeps its owner and mode. The error names the file.
[[nodiscard]] Result<void> savePlugin(
	const std::filesystem::path& config, const std::string& issuer, const std::string& plugin);

} // namespace issuer::commands
