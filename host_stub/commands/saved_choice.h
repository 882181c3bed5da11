#pragma once

#include "common/result.h"

#include <filesystem>
#include <string>

namespace issuer::commands {

/// Writes into a configuration, or into the file of the issuer that it includes, that the plugin of one issuer is
/// another, and leaves the rest of the file as it was. The file is there whole or as before however this
/// ends, and keeps its owner and mode. The error names the file.
[[nodiscard]] Result<void> savePlugin(
	const std::filesystem::path& config, const std::string& issuer, const std::string& plugin);

} // namespace issuer::commands
