#pragma once

#include "common/result.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace issuer::commands {

/// The text of a configuration in which the plugin of one issuer is another, and nothing else: order, spaces and all
/// the rest stay as somebody wrote them. The error says why it cannot be.
[[nodiscard]] Result<std::string> withPlugin(
	std::string_view json, const std::string& issuer, const std::string& plugin);

/// Writes that choice into a configuration file, which is there whole or as before however this ends, and keeps its
/// owner and mode. The error names the file.
[[nodiscard]] Result<void> savePlugin(
	const std::filesystem::path& config, const std::string& issuer, const std::string& plugin);

} // namespace issuer::commands
