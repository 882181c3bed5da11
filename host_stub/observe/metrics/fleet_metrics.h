#pragma once

#include "observe/events/fleet_status.h"
#include "observe/metrics/exposition.h"

namespace issuer::observe {

/// Writes the metrics of the host's part in its fleet.
void writeFleetMetrics(Exposition& out, const FleetStatus& fleet);

} // namespace issuer::observe
