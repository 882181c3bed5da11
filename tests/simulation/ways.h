#pragma once

#include "world.h"

#include <cstdint>
#include <optional>
#include <vector>

/// The ways to the server that are open, by the faults of the network. Plain data: the network is played by it, and the
/// judge asks it again.
namespace issuer::simulation {

/// Endpoints 0 to 3 are those that the name gives; 4 to 7 stand in their place while it has moved.
inline constexpr int mostEndpoints = 8;

using Endpoints = std::uint8_t; ///< one bit each

/// Time after which a resolver without an answer from its name servers gives up. Until then it is not asked again.
inline constexpr Duration resolverTimeout = std::chrono::seconds(10);

/// A fault of the network with its time.
struct NetTrouble
{
	NetIncident incident;
	Instant from;
	Instant to;

	[[nodiscard]] bool overlaps(Instant since, Instant until) const { return from <= until && to > since; }
};

/// The resolver's answer to the renewer.
struct Resolution
{
	Instant at;
	Endpoints endpoints;
};

/// Returns the fault of an endpoint at some time between the two; nothing: it is well all the while.
[[nodiscard]] std::optional<WayFault> faultOf(
	const std::vector<NetTrouble>& troubles, int endpoint, Instant since, Instant until);

/// The endpoints that the name gives all the while, or that are written down.
[[nodiscard]] Endpoints namedBetween(
	const Topology& topology, const std::vector<NetTrouble>& troubles, Instant since, Instant until);

/// Some trouble of this kind holds at some time between the two.
[[nodiscard]] bool holds(const std::vector<NetTrouble>& troubles, NetFault fault, Instant since, Instant until);

/// From `since` until `until` one and the same endpoint was well, and the renewer could know of it: the resolver named
/// it all the while, or had named it before; and not each connection to it was broken.
[[nodiscard]] bool wayOpen(const Topology& topology, const std::vector<NetTrouble>& troubles,
	const std::vector<Resolution>& resolutions, Instant since, Instant until);

} // namespace issuer::simulation
