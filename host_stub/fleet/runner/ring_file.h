#pragma once

#include "common/result.h"

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

/// The file that keeps the ring last seen, for a start while the engine is away.
namespace issuer::fleet {

/// Returns the members that are stored there; none: there is no such file, or `file` is empty. The error says what is
/// wrong with its text.
[[nodiscard]] Result<std::optional<std::vector<std::string>>> readRing(const std::filesystem::path& file);

/// Replaces the file by a text of ringText(), whole or not at all. Does nothing for an empty `file`. Returns the
/// failure.
[[nodiscard]] std::error_code writeRing(const std::filesystem::path& file, const std::string& text);

} // namespace issuer::fleet
