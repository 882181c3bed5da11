#pragma once

#include "common/result.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace issuer::control {

/// Asks the host that listens at `socket` one line and returns its answer, neither with its end; see server.h for what
/// can be asked. Without a limit it waits as long as the host takes. The error names the socket.
[[nodiscard]] Result<std::string> ask(const std::filesystem::path& socket, const std::string& line,
	std::optional<std::chrono::milliseconds> limit = std::nullopt);

/// The first of `candidates` where a host listens. The error names them all, and tells a socket that a dead host has
/// left from one that was never there.
[[nodiscard]] Result<std::filesystem::path> findHost(const std::vector<std::filesystem::path>& candidates);

} // namespace issuer::control
