#include "judging.h"

#include "reserve.h"

#include <algorithm>

/// A next step, and news of the token within hours.
namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Operation;

namespace {

/// A raised max TTL is noticed, if more than a few minutes remain: half of the remaining life later at most.
Broken raisedMaxTtlNoticed(const World& world, const Chronicle& chronicle)
{
	for (const auto& death : chronicle.deaths) {
		const bool owed = death.wallRaised && death.watchedSince < *death.wallRaised && death.renewable &&
						  !death.killed && !death.last && world.incidents.empty() && world.happenings.size() == 1 &&
						  world.topology.incidents.empty() && world.network.lossPercent == 0 &&
						  death.at - *death.wallRaised > 5min;
		const auto renewal = [&](const Exchange& exchange) {
			return exchange.life == death.life && exchange.operation == Operation::renew &&
				   exchange.sent > *death.wallRaised;
		};
		if (owed && std::ranges::none_of(chronicle.exchanges, renewal)) {
			return "the raised max TTL was not noticed" + at(chronicle, death.at);
		}
	}
	return {};
}

/// A revocation is known within hours, if the server and the way to it are well.
Broken revocationKnown(const World& world, const Chronicle& chronicle)
{
	constexpr Duration longest = std::chrono::minutes(6 * 66);
	for (const auto& death : chronicle.deaths) {
		const auto until = death.at + longest + reserveOf(world, death.lease).whole() + 1min;
		const bool troubled = std::ranges::any_of(
			chronicle.troubles, [&](const Trouble& trouble) { return trouble.from < until && trouble.to > death.at; });
		const bool owed = death.killed && death.watchedSince < death.at && chronicle.ended > until && !troubled &&
						  world.network.lossPercent == 0 && world.happenings.size() == 1 &&
						  world.topology.incidents.empty();
		const auto tells = [&](const Exchange& exchange) {
			return exchange.life == death.life && exchange.disowned && exchange.ended >= death.at &&
				   exchange.ended <= until;
		};
		const bool spoilt = std::ranges::any_of(
			world.incidents, [](const Incident& incident) { return !preventsRenewal(incident.fault); });
		if (owed && !spoilt && death.renewable && std::ranges::none_of(chronicle.exchanges, tells)) {
			return "the token was revoked, which was not noticed for hours" + at(chronicle, death.at);
		}
	}
	return {};
}

} // namespace

Broken neverSilent(const World& world, const Chronicle& chronicle)
{
	if (auto breach = brokenOnTheSpot(chronicle, "silent")) {
		return breach;
	}
	if (auto breach = raisedMaxTtlNoticed(world, chronicle)) {
		return breach;
	}
	return revocationKnown(world, chronicle);
}

} // namespace issuer::simulation
