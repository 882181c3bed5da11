#pragma once

#include "observe/events/fleet_status.h"

#include <optional>
#include <string>

namespace issuer::observe::web {

/// Returns the answer of /api/v1/fleet: `{"fleet":…}`, null for a host without a fleet. See API.md.
[[nodiscard]] std::string fleetJson(const std::optional<FleetStatus>& status);

} // namespace issuer::observe::web
