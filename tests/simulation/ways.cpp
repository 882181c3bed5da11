#include "ways.h"

#include <algorithm>

namespace issuer::simulation {

namespace {

constexpr int firstMoved = 4;

Endpoints bit(int endpoint)
{
	return static_cast<Endpoints>(1U << static_cast<unsigned>(endpoint));
}

/// The name gives the other endpoints all the while.
bool movedThroughout(const std::vector<NetTrouble>& troubles, Instant since, Instant until)
{
	return std::ranges::any_of(troubles, [=](const NetTrouble& trouble) {
		return trouble.incident.fault == NetFault::nameMoves && trouble.from <= since && until < trouble.to;
	});
}

} // namespace

std::optional<WayFault> faultOf(const std::vector<NetTrouble>& troubles, int endpoint, Instant since, Instant until)
{
	if (endpoint >= firstMoved) {
		return movedThroughout(troubles, since, until) ? std::nullopt : std::optional(WayFault::refuses);
	}
	for (const auto& trouble : troubles) {
		if (!trouble.overlaps(since, until)) {
			continue;
		}
		const auto& incident = trouble.incident;
		const bool ofEndpoint = incident.fault == NetFault::endpoints && (incident.which & bit(endpoint)) != 0;
		if (ofEndpoint || incident.fault == NetFault::nameMoves) {
			return incident.how;
		}
	}
	return {};
}

Endpoints namedBetween(const Topology& topology, const std::vector<NetTrouble>& troubles, Instant since, Instant until)
{
	const auto all = static_cast<Endpoints>((1U << static_cast<unsigned>(topology.endpoints)) - 1);
	if (!topology.named || !holds(troubles, NetFault::nameMoves, since, until)) {
		return all;
	}
	return movedThroughout(troubles, since, until) ? static_cast<Endpoints>(all << firstMoved) : Endpoints{};
}

bool holds(const std::vector<NetTrouble>& troubles, NetFault fault, Instant since, Instant until)
{
	return std::ranges::any_of(troubles,
		[=](const NetTrouble& trouble) { return trouble.incident.fault == fault && trouble.overlaps(since, until); });
}

bool wayOpen(const Topology& topology, const std::vector<NetTrouble>& troubles,
	const std::vector<Resolution>& resolutions, Instant since, Instant until)
{
	unsigned broken = 0; // of each four new connections
	for (const auto& trouble : troubles) {
		const bool counts = trouble.incident.fault == NetFault::connections && trouble.overlaps(since, until);
		broken |= counts ? trouble.incident.which : 0U;
	}
	if (broken == 15) {
		return false;
	}
	auto known = namedBetween(topology, troubles, since, until);
	const bool resolvable = !holds(troubles, NetFault::resolverFails, since, until) &&
							!holds(troubles, NetFault::resolverHangs, since - resolverTimeout, until);
	if (topology.named && !resolvable) {
		Endpoints told{};
		for (const auto& resolution : resolutions) {
			told = resolution.at <= since ? resolution.endpoints : told;
		}
		known &= told;
	}
	for (int endpoint = 0; endpoint < mostEndpoints; ++endpoint) {
		if ((known & bit(endpoint)) != 0 && !faultOf(troubles, endpoint, since, until)) {
			return true;
		}
	}
	return false;
}

} // namespace issuer::simulation
