#pragma once

#include "observe/issuer_view.h"

namespace issuer::observe {

/// Whether work is due and none is done: an issuer is overdue, and no plugin has said anything for as long. One
/// sentence for people; empty: all is moving. That the host is alive but useless is what a watchdog is for.
[[nodiscard]] std::string stall(const std::vector<IssuerView>& issuers, SteadyTime lastEvent, SteadyTime now);

} // namespace issuer::observe
