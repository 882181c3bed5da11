#pragma once

#include "common/result.h"

#include <filesystem>
#include <optional>
#include <string>

namespace issuer::commands {

/// Returns the answer of the host at `socket`, or of one that is found where one is likely to be. Waits as long as the
/// host takes. The error says why there is none.
[[nodiscard]] Result<std::string> answerOfHost(
	const std::optional<std::filesystem::path>& socket, const std::string& request);

/// Sends a request to the running host, at `socket` or where one is likely to be, and prints its answer in words, or
/// with `asJson` as it came. Waits as long as the host takes. Returns the exit code: 0, or one of exit_codes.h.
[[nodiscard]] int askHost(const std::optional<std::filesystem::path>& socket, const std::string& request, bool asJson);

} // namespace issuer::commands
