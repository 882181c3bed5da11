#pragma once

#include "observe/fleet/issuer_view.h"

namespace issuer::observe::web {

/// Returns the reasons why the host is not ready, one sentence each; empty: it is. Ready means that it has begun with
/// every issuer, and that every issuer has a living credential.
[[nodiscard]] std::vector<std::string> reasonsNotReady(const Fleet& fleet, const HostSnapshot& snapshot);

} // namespace issuer::observe::web
