#include "judging.h"

#include <algorithm>

namespace issuer::simulation {

std::string at(const Chronicle& chronicle, Instant instant)
{
	return " at " + inWords(instant - chronicle.began);
}

bool happens(const World& world, Deed deed)
{
	return std::ranges::any_of(world.happenings, [=](const Happening& happening) { return happening.deed == deed; });
}

Broken brokenOnTheSpot(const Chronicle& chronicle, std::string_view promise)
{
	const auto found =
		std::ranges::find_if(chronicle.broken, [&](const std::string& broken) { return broken.starts_with(promise); });
	return found == chronicle.broken.end() ? Broken{} : Broken{*found};
}

} // namespace issuer::simulation
