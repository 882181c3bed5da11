#pragma once

#include "chronicle.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace issuer::simulation {

/// One promise of the renewal core, judged by the events of a world.
struct Property
{
	std::string_view name;
	std::string_view promise;
	/// The way in which the promise was broken; none: it was kept.
	std::optional<std::string> (*broken)(const World& world, const Chronicle& chronicle);
};

inline constexpr std::size_t propertyCount = 7;

/// Returns the promises in the order of docs/internals.md.
[[nodiscard]] std::span<const Property, propertyCount> properties();

} // namespace issuer::simulation
