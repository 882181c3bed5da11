#pragma once

#include "observe/issuer_view.h"

namespace issuer::observe {

/// How long past its time a renewal may be before silence means that nothing moves: longer than any attempt takes
/// (30 s), and than a queue of them behind one dead server.
constexpr std::chrono::minutes patience{3};

/// Whether work is due and none is done: an issuer is overdue, and no plugin has said anything for as long. One
/// sentence for people; empty: all is moving. That the host is alive but useless is what a watchdog is for.
[[nodiscard]] std::string stall(const std::vector<IssuerView>& issuers, SteadyTime lastEvent, SteadyTime now);

} // namespace issuer::observe
