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

/// Asks the running host, at `socket` or where one is likely to be, and tells its answer to people, or with `asJson`
/// hands it on as it came. Waits as long as the host takes. The exit code: 0, or as exit_codes.h has it.
[[nodiscard]] int askHost(const std::optional<std::filesystem::path>& socket, const std::string& request, bool asJson);

} // namespace issuer::commands
