#pragma once

#include "properties.h"
#include "timeline.h"

#include <cstdint>
#include <iosfwd>

namespace issuer::simulation {

/// The keeper in one world.
[[nodiscard]] Chronicle play(const World& world, Timeline* timeline = nullptr);

/// Of a world in which `property` is broken, the simplest that RapidCheck finds in which it still is.
[[nodiscard]] World simplest(std::uint64_t seed, const Property& property);

/// Tells how a world breaks a property: the seed, the simplest such world, and the course of events in it.
void explain(std::ostream& out, std::uint64_t seed, const Property& property);

} // namespace issuer::simulation
