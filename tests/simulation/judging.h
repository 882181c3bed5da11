#pragma once

#include "chronicle.h"

#include <optional>
#include <string>
#include <string_view>

/// Helpers that all judges of a world use, and the judges that have a file each.
namespace issuer::simulation {

/// The way in which a world breaks a promise; none: it keeps it.
using Broken = std::optional<std::string>;

/// Returns " at 1.5 s", counted from the world's begin.
[[nodiscard]] std::string at(const Chronicle& chronicle, Instant instant);
[[nodiscard]] bool happens(const World& world, Deed deed);
/// Returns a breach whose text begins with `promise` and that was seen while the world was played.
[[nodiscard]] Broken brokenOnTheSpot(const Chronicle& chronicle, std::string_view promise);

[[nodiscard]] Broken neverHammered(const World& world, const Chronicle& chronicle);
[[nodiscard]] Broken deathIsForecast(const World& world, const Chronicle& chronicle);
[[nodiscard]] Broken neverSilent(const World& world, const Chronicle& chronicle);

} // namespace issuer::simulation
