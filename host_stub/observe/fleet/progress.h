#pragma once

#include "observe/fleet/issuer_view.h"

namespace issuer::observe {

/// Returns one sentence if work is due and none is done: an issuer is overdue, and no plugin has recorded an event for
/// as long. Empty: there is progress. A watchdog is for just this case: a host that runs but does nothing.
[[nodiscard]] std::string stall(const std::vector<IssuerView>& issuers, SteadyTime lastEvent, SteadyTime now);

} // namespace issuer::observe
