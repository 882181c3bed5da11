#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace issuer::control {

/// Looks an environment variable up.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Where a host that is not told otherwise has its control socket: $RUNTIME_DIRECTORY/control.sock, as systemd makes
/// that directory for a service, or else $XDG_RUNTIME_DIR/issuer-host.sock. Without either, or with both set to
/// nothing: none, for every other place is open to others.
[[nodiscard]] std::optional<std::filesystem::path> defaultSocket(const Environment& environment);

/// Where to look for a running host, in this order: the default, and where systemd has that of issuer-host.service.
[[nodiscard]] std::vector<std::filesystem::path> likelySockets(const Environment& environment);

} // namespace issuer::control
