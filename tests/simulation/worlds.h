#pragma once

#include "world.h"

#include <rapidcheck/Gen.h>
#include <rapidcheck/Shrinkable.h>

namespace issuer::simulation {

/// Every world there is, and how each may become simpler.
[[nodiscard]] const rc::Gen<World>& anyWorld();

/// The world of a seed, with its simpler ones.
[[nodiscard]] rc::Shrinkable<World> worldOf(std::uint64_t seed);

} // namespace issuer::simulation
