#pragma once

#include "fleet_chronicle.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace issuer::fleets {

/// A promise about fleets, and whether a world breaks it.
struct Property
{
	std::string_view name;
	std::string_view promise;
	std::optional<std::string> (*broken)(const World& world, const Chronicle& chronicle);
};

inline constexpr std::size_t propertyCount = 11;

/// Returns the promises of docs/fleet.md.
[[nodiscard]] std::span<const Property, propertyCount> properties();

} // namespace issuer::fleets
