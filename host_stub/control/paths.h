#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace issuer::control {

/// Returns the value of an environment variable.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Returns the default path of the control socket: $RUNTIME_DIRECTORY/control.sock, which systemd creates for a
/// service, or else $XDG_RUNTIME_DIR/issuer-host.sock. None if neither is set, because every other directory is open to
/// other users.
[[nodiscard]] std::optional<std::filesystem::path> defaultSocket(const Environment& environment);

/// Returns the paths at which to look for a running host, in this order: the default, and systemd's for
/// issuer-host.service.
[[nodiscard]] std::vector<std::filesystem::path> likelySockets(const Environment& environment);

} // namespace issuer::control
