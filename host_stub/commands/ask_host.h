#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace issuer::commands {

/// Sends a request to the running host, at `socket` or where one is likely to be, and prints its answer in words, or
/// with `asJson` as it came. Waits as long as the host takes. Returns the exit code: 0, or one of exit_codes.h.
[[nodiscard]] int askHost(const std::optional<std::filesystem::path>& socket, const std::string& request, bool asJson);

} // namespace issuer::commands
