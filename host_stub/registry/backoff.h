#pragma once

#include <chrono>

namespace issuer::registry {

/// Returns the pause before a start is tried again after `failures` in a row (1 and up): 1 s doubling to 15 s, spread
/// by up to a fifth to either side so that a fleet does not return to its server in step. `random` is in [0, 1).
///
/// 15 s: a server that comes back is noticed soon, and one that is down for an hour is asked some 250 times.
[[nodiscard]] std::chrono::milliseconds startBackoff(unsigned failures, double random);

/// Returns the pause where the server was reached and does not know the credential: a minute, doubled each time up to
/// an hour. Only an operator can change that, and a fleet of dead credentials must not keep its server busy.
[[nodiscard]] std::chrono::milliseconds deadCredentialBackoff(unsigned failures, double random);

} // namespace issuer::registry
