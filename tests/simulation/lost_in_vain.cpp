#include "lost_in_vain.h"

#include "reserve.h"

#include <algorithm>
#include <ranges>

namespace issuer::simulation {

namespace {

/// The slowest of the ten latest answers before the death.
Duration slowestAnswer(const Chronicle& chronicle, const Death& death)
{
	Duration slowest{};
	int left = 10;
	for (const auto& exchange : std::views::reverse(chronicle.exchanges)) {
		if (exchange.answered && exchange.ended <= death.hoped && left-- > 0) {
			slowest = std::max(slowest, exchange.ended - exchange.sent);
		}
	}
	return slowest;
}

/// What is asked again soon. After a refusal nobody who knows no end may hurry.
bool passesSoon(Fault fault)
{
	switch (fault) {
	case Fault::asleep:
	case Fault::runsFail:
	case Fault::refused:
	case Fault::hanging:
	case Fault::frozen:
	case Fault::replyLost:
	case Fault::sealed:
	case Fault::internalError:
	case Fault::noLeader:
	case Fault::frozenLeader:
	case Fault::throttled:
	case Fault::throttledToEnd:
	case Fault::throttledTooFar:
	case Fault::proxyPage:
	case Fault::wrapped:
	case Fault::lastRenewal:
	case Fault::lookUpFails:
	case Fault::lookUpMissing:
	case Fault::lookUpGarbage:
	case Fault::namespaceGone:
	case Fault::sourceUnreadable:
	case Fault::sourceHangs:
		return true;
	case Fault::policyDenies:
	case Fault::unclearRefusal:
	case Fault::roleGone:
	case Fault::userGone:
	case Fault::entityDisabled:
		return false;
	}
	return false;
}

/// By a Retry-After, which is kept for a minute.
bool asksForPatience(const Incident& incident)
{
	return incident.fault == Fault::throttledToEnd || incident.fault == Fault::throttledTooFar;
}

/// Look-ups tell nothing: two of them are made, each after its own pause, before a renewal is tried.
bool spoiltLookUps(const Incident& incident)
{
	return spoilsLookUps(incident.fault);
}

/// How long after the server began to accept a token it is asked about again. A refusal of a new token is believed
/// after 7 s, and then asked about again after a minute, doubling.
Duration patienceAfterRefusals(Duration refusedFor)
{
	using namespace std::chrono_literals;
	return refusedFor <= 0s ? Duration{} : refusedFor < 6500ms ? Duration(5s) : 75s + 2 * refusedFor;
}

/// No answer had told how long it lives. Then an attempt and the pause after it may last as long as the trouble did;
/// and what is found at last is asked about once, and renewed with the rest of a fleet.
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
	const auto refused = patienceAfterRefusals(death.acceptedFrom - death.askedSince);
	const auto reserve = reserveOf(world.network, world.token.lease);
	// The token before has its own requests, a gap apart from those about a candidate.
	const auto other = death.ofCandidate ? attempt + 500ms : Duration{};
	const auto asked = well + attempt + std::max(pauses, refused) + reserve.roundTrip + other;
	return asked + (death.at - asked) / 10 + reserve.whole() + 500ms < death.at;
}

} // namespace

bool lostInVain(const World& world, const Chronicle& chronicle, const Death& death)
{
	if (!death.renewable || death.killed || death.shortened || death.last || death.acceptedFrom >= death.at) {
		return false;
	}
	// Servers cut both ends of a max TTL to whole seconds: the last one is not worth a loss. Where somebody moved the
	// wall, what the renewer could know of it is another question.
	if (death.wallMoved || (death.wall && death.at > *death.wall - std::chrono::seconds(1))) {
		return false;
	}
	if (death.watchedSince == Instant::max() && death.askedSince < death.at) {
		return lostUnknown(world, chronicle, death);
	}
	// Where more than one renewal got no answer, nobody can tell which of them it was: the renewer looks at every
	// sixty-fourth of the time that their ends span, which is less than a lease.
	const bool hoped = death.hoped > death.told;
	const auto step = hoped ? death.lease / 64 : Duration{};
	if (hoped && slowestRoundTrip(world.network) > gapOf(death.lease)) {
		return false; // each look may take a gap, and not more
	}
	const auto from =
		death.hoped - reserveOf(world.network, death.lease, slowestAnswer(chronicle, death)).whole() - step;
	if (death.watchedSince >= from || death.acceptedFrom >= from) {
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
