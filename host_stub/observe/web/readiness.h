#pragma once

#include "observe/events/fleet_status.h"
#include "observe/fleet/issuer_view.h"

namespace issuer::observe::web {

/// Returns the reasons why the host is not ready, one sentence each; empty: it is. Ready means that it has begun with
/// every issuer, and that every issuer which it keeps has a living credential. In a fleet it means as well that the
/// host has joined, or keeps what is its own without the engine: an engine that is away makes no host unready.
[[nodiscard]] std::vector<std::string> reasonsNotReady(
	const Fleet& fleet, const HostSnapshot& snapshot, const FleetSnapshot& part);

} // namespace issuer::observe::web
