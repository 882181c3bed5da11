#pragma once

#include "renewal/facts.h"

#include <string>

namespace issuer::vault::wire {

/// Returns an answer in a few words, for tables: "grant 7s capped", "denied (refused)", "throttled (throttled), retry
/// after 18s", "ttl 59s, lease 60s, created 1795478553, expires 1795478613.731601". Defaults are left out, and so is
/// the sentence for the operator.
[[nodiscard]] std::string told(const renewal::Answer& answer);

/// Returns the sentence for the operator; empty for good answers.
[[nodiscard]] std::string detailOf(const renewal::Answer& answer);

} // namespace issuer::vault::wire
