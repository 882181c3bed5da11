#pragma once

#include "renewal/policy.h"
#include "world.h"

#include <algorithm>

namespace issuer::simulation {

/// The time before a token's end for which a server must be well for the token to live: guard + gap + one round trip,
/// as the guarantee in docs/renewal.md has it. Written down here once more on purpose: the judge does not ask the
/// judged.
struct Reserve
{
	Duration gap;
	Duration guard;
	Duration roundTrip;

	[[nodiscard]] constexpr Duration whole() const { return guard + gap + roundTrip; }
};

[[nodiscard]] constexpr Duration gapOf(Duration lease)
{
	using namespace std::chrono_literals;
	return std::clamp<Duration>(lease / 16, 100ms, 500ms);
}

/// `lease`: the latest that the renewer was told; `slowest`: of the latest answers, which may have been slower than the
/// network.
/// Where a connection has to be made, a round trip makes it, and its name is resolved before.
[[nodiscard]] constexpr Reserve reserveOf(const World& world, Duration lease, Duration slowest = {})
{
	const auto& network = world.network;
	const auto& way = world.topology;
	auto once = slowestRoundTrip(network);
	if (way.endpoints > 0) {
		once = 2 * once + (way.named ? Duration(way.resolving) : Duration{});
	}
	const auto roundTrip = std::max(once, slowest) + network.lateness;
	const auto gap = gapOf(lease);
	return {gap, std::max(gap, 4 * roundTrip), roundTrip};
}

} // namespace issuer::simulation
