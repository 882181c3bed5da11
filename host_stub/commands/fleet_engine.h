#pragma once

#include "commands/diagnosis.h"
#include "commands/fleet_config.h"
#include "fleet/etcd/settings.h"

#include <chrono>

namespace issuer::commands {

/// Returns the fleet's engine as the configuration names it.
[[nodiscard]] fleet::etcd::Settings engineOf(const FleetConfig& config);

/// Tries the engine of a fleet, each endpoint for `timeout` at most, and changes nothing there.
[[nodiscard]] Diagnosis diagnoseFleet(const FleetConfig& config, std::chrono::milliseconds timeout);

} // namespace issuer::commands
