#pragma once

#include <cstdint>
#include <iosfwd>

namespace issuer::simulation {

/// Plays the same worlds with the keeper, the original's rules and the LifetimeWatcher's, and prints a table in
/// Markdown. `workers` processes share the work.
void compare(std::ostream& out, std::uint64_t run, std::uint64_t worlds, unsigned workers);

} // namespace issuer::simulation
