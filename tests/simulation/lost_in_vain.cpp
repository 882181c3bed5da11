#include "lost_in_vain.h"

#include <algorithm>
#include <bit>

namespace issuer::simulation {

namespace {

/// Returns the slowest of the latest answers before the death. Each quicker answer after it takes a quarter of the
/// difference away: attempts are given two such times, and a server that hung for long is given long.
Duration slowestAnswer(const Chronicle& chronicle, const Death& death)
{
	Duration slowest{};
	for (const auto& exchange : chronicle.exchanges) {
		if (exchange.answered && exchange.ended <= death.hoped) {
			const auto taken = exchange.ended - exchange.sent;
			slowest = taken + std::max(slowest - taken, Duration::zero()) * 3 / 4;
		}
	}
	return slowest;
}

/// By a Retry-After, which is kept for a minute.
bool asksForPatience(const Incident& incident)
{
	return incident.fault == Fault::throttledToEnd || incident.fault == Fault::throttledTooFar;
}

/// Attempts that the world's networks can cost: those that are answered badly, and those that are not answered.
struct Detours
{
	int answered = 0;
	int hanging = 0;

	[[nodiscard]] int all() const { return answered + hanging; }
};

Detours detoursOf(const Topology& topology)
{
	Detours detours;
	if (topology.endpoints == 0) {
		return detours;
	}
	const auto add = [&](WayFault how, int count) {
		const bool hangs = how == WayFault::dropsSyns || how == WayFault::silent;
		(hangs ? detours.hanging : detours.answered) += count;
	};
	const auto all = (1U << static_cast<unsigned>(topology.endpoints)) - 1;
	for (const auto& incident : topology.incidents) {
		switch (incident.fault) {
		case NetFault::endpoints:
			add(incident.how, std::popcount(incident.which & all));
			break;
		case NetFault::connections:
			add(incident.how, topology.endpoints * (1 + std::popcount(static_cast<unsigned>(incident.which))));
			break;
		case NetFault::nameMoves:
			add(incident.how, topology.endpoints);
			break;
		case NetFault::resolverFails:
			add(WayFault::sealed, 1);
			break;
		case NetFault::resolverHangs:
			add(WayFault::silent, 1);
			break;
		case NetFault::slotsTaken:
			add(WayFault::sealed, 1);
			break;
		}
	}
	return detours;
}

/// Look-ups tell nothing: two of them are made, each after its own pause, before a renewal is tried.
bool spoiltLookUps(const Incident& incident)
{
	return spoilsLookUps(incident.fault);
}

/// Returns the time after which a token is asked about again, once the server accepts it. A refusal of a new token is
/// believed after 7 s, and then asked about again after a minute, doubling.
Duration patienceAfterRefusals(Duration refusedFor, Duration lasted)
{
	using namespace std::chrono_literals;
	return refusedFor <= 0s ? Duration{} : refusedFor < 6500ms ? Duration(5s) : 75s + 2 * lasted;
}

/// Returns whether connects use up the attempts: endpoints that do not connect are waited for, for half of the time
/// that an attempt may take. Where that is less than a server takes to connect and answer, no attempt gets an answer.
bool halfTooShort(const World& world, const Reserve& reserve)
{
	const auto drops = [](const NetIncident& incident) {
		return incident.how == WayFault::dropsSyns &&
			   (incident.fault == NetFault::endpoints || incident.fault == NetFault::nameMoves);
	};
	return std::ranges::any_of(world.topology.incidents, drops) && world.policy.requestTimeout / 2 < reserve.roundTrip;
}

/// Returns whether the token died before an answer had told how long it lives. Then an attempt and the pause after it
/// may last as long as the trouble did; and the token is asked about once, and renewed with the rest of a fleet.
bool lostUnknown(const World& world, const Chronicle& chronicle, const Death& death)
{
	using namespace std::chrono_literals;
	if (std::ranges::any_of(world.incidents, [](const Incident& incident) { return !passesSoon(incident.fault); })) {
		return false;
	}
	auto well = std::max(death.askedSince, death.acceptedFrom);
	for (const auto& trouble : chronicle.troubles) {
		well = trouble.from < death.at ? std::max(well, std::min(trouble.to, death.at)) : well;
	}
	for (const auto& exchange : chronicle.exchanges) {
		const bool before = exchange.mischance && exchange.sent < death.at;
		well = before ? std::max(well, std::min(exchange.ended, death.at)) : well;
	}
	const auto lasted = well - death.askedSince;
	const auto attempt = std::clamp<Duration>(lasted, 5s, 30s);
	const bool patient = std::ranges::any_of(world.incidents, asksForPatience);
	const auto once = patient ? 75s : std::min<Duration>(1250ms + lasted * 5 / 3, 75s);
	const auto pauses = std::ranges::any_of(world.incidents, spoiltLookUps) ? 3 * once : once;
	if (death.acceptedFrom - death.askedSince >= 6500ms && (patient || detoursOf(world.topology).all() > 0)) {
		return false; // believed dead: each probe that meets something else doubles the pause, or waits as asked
	}
	const auto refused = patienceAfterRefusals(death.acceptedFrom - death.askedSince, lasted);
	const auto reserve = reserveOf(world, world.token.lease);
	// The token before has its own requests, a gap apart from those about a candidate.
	const auto other = death.ofCandidate ? attempt + 500ms : Duration{};
	const auto& topology = world.topology;
	if (topology.endpoints > 0 && !wayOpen(topology, chronicle.netTroubles, chronicle.resolutions, well, death.at)) {
		return false;
	}
	// A look-up that tells nothing does not show that a way is good: only a renewal does.
	const bool spoilt = std::ranges::any_of(world.incidents, spoiltLookUps);
	if (halfTooShort(world, reserve)) {
		return false;
	}
	Duration detours{};
	auto step = attempt + once; // each may last as long as all that failed before it
	for (int left = (spoilt ? 4 : 1) * detoursOf(topology).all(); left > 0; --left) {
		detours += step;
		step = std::min<Duration>(2 * step, 105s);
	}
	const auto asked = well + attempt + std::max(pauses, refused) + reserve.roundTrip + other + detours;
	return asked + (death.at - asked) / 10 + neededBefore(world, reserve) + 500ms < death.at;
}

} // namespace

Duration neededBefore(const World& world, const Reserve& reserve)
{
	using namespace std::chrono_literals;
	const auto detours = detoursOf(world.topology);
	const auto attempt = reserve.gap + reserve.roundTrip;
	auto needed = reserve.whole();
	// A look-up of a candidate that tells nothing marks a way that is well: one detour more.
	const bool marks = detours.all() > 0 && std::ranges::any_of(world.incidents, spoiltLookUps);
	for (int detour = 0; detour < detours.all() + (marks ? 1 : 0); ++detour) {
		if (detour < detours.hanging) {
			// An attempt may take a quarter of the remaining life, or half of it up to 1 s.
			needed = std::max({needed * 4 / 3, std::min<Duration>(needed + 1s, 2 * needed), needed + 2 * attempt});
		}
		needed = std::min<Duration>(needed * 3 / 2 + attempt,
			std::chrono::years(1)); // a pause is a quarter of the remaining life, and a quarter of that more
	}
	const bool waits = std::ranges::any_of(
		world.topology.incidents, [](const NetIncident& incident) { return incident.fault == NetFault::slotsTaken; });
	return waits ? needed + std::min<Duration>(needed / 4, 2s) : needed;
}

bool lostInVain(const World& world, const Chronicle& chronicle, const Death& death)
{
	if (!death.renewable || death.killed || death.shortened || death.last || death.acceptedFrom >= death.at) {
		return false;
	}
	// Servers cut both ends of a max TTL to whole seconds: the last one does not count as a loss. Where the max TTL was
	// changed, the renewer's knowledge of it is another question.
	if (death.wallMoved || (death.maxTtlEnd && death.at > *death.maxTtlEnd - std::chrono::seconds(1))) {
		return false;
	}
	if (death.watchedSince == Instant::max() && death.askedSince < death.at) {
		return lostUnknown(world, chronicle, death);
	}
	// Where more than one renewal got no answer, it is unknown which of them was carried out: the renewer asks at every
	// sixty-fourth of the time that their ends span, which is less than a lease.
	const bool hoped = death.hoped > death.told;
	const auto step = hoped ? death.lease / 64 : Duration{};
	const auto reserve = reserveOf(world, death.lease, slowestAnswer(chronicle, death));
	if (hoped && reserveOf(world, death.lease).roundTrip - world.network.lateness > reserve.gap) {
		return false; // each look may take a gap, and not more
	}
	const auto from = death.hoped - neededBefore(world, reserve) - step;
	if (death.watchedSince >= from || death.acceptedFrom >= from) {
		return false;
	}
	const auto& topology = world.topology;
	if (topology.endpoints > 0 && !wayOpen(topology, chronicle.netTroubles, chronicle.resolutions, from, death.hoped)) {
		return false;
	}
	if (halfTooShort(world, reserve)) {
		return false;
	}
	// After a refusal, or when the server asks for patience, the next attempt may be a guard before the end: too late
	// to find another way.
	const auto isAskedLate = [](const Incident& incident) {
		return asksForPatience(incident) || !passesSoon(incident.fault);
	};
	if (detoursOf(topology).all() > 0 && std::ranges::any_of(world.incidents, isAskedLate)) {
		return false;
	}
	const auto troubled = [&](const Trouble& trouble) { return trouble.from < death.hoped && trouble.to > from; };
	const auto mischance = [&](const Exchange& exchange) {
		return exchange.mischance && exchange.sent < death.hoped && exchange.ended > from;
	};
	const auto believedDead = [&](const Exchange& exchange) {
		return exchange.life == death.life && exchange.disowned && exchange.sent >= death.told &&
			   exchange.sent < death.hoped;
	};
	return std::ranges::none_of(chronicle.exchanges, believedDead) &&
		   std::ranges::none_of(chronicle.troubles, troubled) && std::ranges::none_of(chronicle.exchanges, mischance);
}

} // namespace issuer::simulation
