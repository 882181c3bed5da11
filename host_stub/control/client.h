#pragma once

#include "common/result.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace issuer::control {

/// Sends one line to the host that listens at `socket` and returns its answer, both without a line end; server.h lists
/// the requests. Without a limit it waits as long as the host takes. The error names the socket.
[[nodiscard]] Result<std::string> ask(const std::filesystem::path& socket, const std::string& line,
	std::optional<std::chrono::milliseconds> limit = std::nullopt);

/// Returns the first of `candidates` at which a host listens. The error names them all, and tells a socket that a dead
/// host has left from one that was never there.
[[nodiscard]] Result<std::filesystem::path> findHost(const std::vector<std::filesystem::path>& candidates);

} // namespace issuer::control
