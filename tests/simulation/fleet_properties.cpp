#include "fleet_properties.h"

#include <algorithm>
#include <array>
#include <cmath>

/// The promises of docs/fleet.md, judged by what the server and the processes did, never by what a plan believes.
namespace issuer::fleets {

namespace {

using namespace std::chrono_literals;
using Broken = std::optional<std::string>;

std::string at(Instant instant)
{
	return " at " + std::to_string(static_cast<double>((instant - worldBegins).count()) / 1000) + " s";
}

std::string issuerAt(unsigned issuer, Instant instant)
{
	return "issuer-" + std::to_string(issuer) + at(instant);
}

/// Returns whether a host was without any fault throughout, for this issuer.
bool isSound(const World& world, unsigned machine, unsigned issuer, Instant from, Instant until)
{
	return world.runs(machine, issuer, from, until) &&
		   world.isFreeOf({Mishap::cutFromServer, Mishap::cutFromEngine, Mishap::linkCut, Mishap::watchSlow}, machine,
			   from, until);
}

bool engineIsSound(const World& world, Instant from, Instant until)
{
	return world.isFreeOf({Mishap::quorumLost, Mishap::full, Mishap::wiped}, 0, from, until);
}

/// The hosts of a stretch of time: those without any fault, and the others. One that does not have the issuer
/// configured is neither.
struct Census
{
	std::vector<unsigned> sound;
	unsigned faulty = 0;
};

Census censusOf(const World& world, unsigned issuer, Instant from, Instant until)
{
	Census census;
	for (unsigned machine = 0; machine < world.machines.size(); ++machine) {
		if (isSound(world, machine, issuer, from, until)) {
			census.sound.push_back(machine);
		}
		else if (world.machines[machine].starts < until && world.configuredFrom(machine, issuer) <= from) {
			++census.faulty;
		}
	}
	return census;
}

bool listsAreEqual(const World& world, unsigned issuer, Instant from)
{
	for (unsigned machine = 0; machine < world.machines.size(); ++machine) {
		if (world.configuredFrom(machine, issuer) > std::max(from, world.machines[machine].starts)) {
			return false;
		}
	}
	return true;
}

/// Returns whether the rules keep a token in spite of what they cannot know: clocks, and lists that differ.
bool isPromised(const World& world, unsigned issuer, const Server::Token& token, unsigned faulty)
{
	const auto ranks = static_cast<int>(world.machines.size());
	const auto noticed =
		listsAreEqual(world, issuer, token.made) ? token.made : token.made + ranks * world.takeover + 8s;
	return noticed < token.end && world.unseenDifference() <= world.reserve / (faulty > 1 ? 4 : 2);
}

/// Returns a host that had to begin an issuer without the engine: it started in an outage of the engine, 3 T and more
/// before the token's end, and ran without a fault. In a fleet of three and fewer, each is ranked third or better.
std::optional<unsigned> startedWithoutEngine(const World& world, unsigned issuer, const Server::Token& token)
{
	const auto most = world.issuersWithoutRing;
	if (world.machines.size() > 3 || world.newIssuers > 0 || most < world.issuers ||
		!world.isFreeOf({Mishap::serverAway}, 0, token.made, token.end)) {
		return {};
	}
	for (unsigned machine = 0; machine < world.machines.size(); ++machine) {
		auto starts = world.machines[machine].starts;
		for (const auto& one : world.misfortunes) {
			const bool stops = one.mishap == Mishap::dies || one.mishap == Mishap::leaves;
			starts = stops && one.who == machine && one.until < token.end ? std::max(starts, one.until) : starts;
		}
		if (world.isDuring(Mishap::quorumLost, 0, starts) && starts + 3 * world.takeover + 15s < token.end &&
			world.runs(machine, issuer, starts + 1ms, token.end) &&
			world.isFreeOf({Mishap::cutFromServer}, machine, starts, token.end)) {
			return machine;
		}
	}
	return {};
}

// From when its renewal was due, a host without any fault was there, and no more than two others had any. (While the
// engine is away: one other.)
Broken noTokenDies(const World& world, const Chronicle& chronicle)
{
	for (unsigned issuer = 0; issuer < chronicle.tokens.size(); ++issuer) {
		const auto& token = chronicle.tokens[issuer];
		if (token.end >= world.ends || (token.wall && token.end >= *token.wall)) {
			continue;
		}
		const auto from = std::max(token.made, token.end - world.reserve - world.takeover - 5s);
		const bool engineSound = engineIsSound(world, from, token.end);
		// While the engine is away, a host acts by what it has seen before.
		const auto census = censusOf(world, issuer, engineSound ? from : from - 2 * world.lease, token.end);
		if (world.isFreeOf({Mishap::serverAway}, 0, from, token.end) && !census.sound.empty() &&
			census.faulty <= (engineSound ? 2U : 1U) && isPromised(world, issuer, token, census.faulty)) {
			return issuerAt(issuer, token.end) + " died, and host-" + std::to_string(census.sound.front()) +
				   " could have renewed it";
		}
		if (const auto host = startedWithoutEngine(world, issuer, token)) {
			return issuerAt(issuer, token.end) + " died, and host-" + std::to_string(*host) + " did not begin it";
		}
	}
	return {};
}

Broken allAreKept(const World& world, const Chronicle& chronicle)
{
	for (unsigned issuer = 0; issuer < chronicle.tokens.size(); ++issuer) {
		std::vector<std::pair<Instant, Instant>> kept;
		for (const auto& run : chronicle.runs) {
			if (run.issuer == issuer) {
				kept.emplace_back(run.from, run.until);
			}
		}
		kept.emplace_back(world.ends, world.ends);
		std::ranges::sort(kept);
		auto until = world.made(issuer);
		for (const auto& [from, to] : kept) {
			const auto gap = from - until;
			const auto census = censusOf(world, issuer, until, from);
			const bool equal = listsAreEqual(world, issuer, until);
			const auto others = equal ? census.faulty : static_cast<unsigned>(world.machines.size());
			const auto bound = (2 + others) * world.takeover + 8s;
			const bool isPromised = equal || until == world.made(issuer); // later, the states tell how it is
			if (gap > bound && !census.sound.empty() && isPromised && engineIsSound(world, until - 5s, from) &&
				world.isFreeOf({Mishap::serverAway}, 0, until, from)) {
				return issuerAt(issuer, until) + " had no keeper for " + std::to_string(gap.count()) + " ms";
			}
			until = std::max(until, to);
		}
	}
	return {};
}

Broken oneKeeperInQuiet(const World& world, const Chronicle& chronicle)
{
	for (unsigned issuer = 0; issuer < chronicle.tokens.size(); ++issuer) {
		const auto keepers = std::ranges::count_if(
			chronicle.runs, [&](const auto& run) { return run.issuer == issuer && run.until == world.ends; });
		if (keepers != 1 && chronicle.tokens[issuer].end > world.ends) {
			return issuerAt(issuer, world.ends) + " is kept by " + std::to_string(keepers) + " hosts";
		}
	}
	return {};
}

Broken noMoreThanNeeded(const World& world, const Chronicle& chronicle)
{
	const auto mishaps = static_cast<double>(world.misfortunes.size());
	const double factor = world.unseenDifference() > 2s           ? 3.3
						  : mishaps == 0 && world.newIssuers == 0 ? 1.15
						  : mishaps == 1                          ? 2.2
																  : 3.3;
	const auto interval = world.lease - world.reserve - std::min(world.reserve, world.lease - world.reserve) / 10;
	for (unsigned issuer = 0; issuer < chronicle.tokens.size(); ++issuer) {
		const auto& token = chronicle.tokens[issuer];
		// Rule 7: a host that has never seen a fleet begins everything, and so may each other.
		const auto alone = std::ranges::count_if(chronicle.runs, [=](const Chronicle::Run& run) {
			return run.issuer == issuer && run.why == fleet::Why::withoutEngine && !run.rankInRing;
		});
		if (alone > 1) {
			continue;
		}
		const auto span = static_cast<double>((std::min(token.end, world.ends) - token.made).count());
		const auto most = factor * (span / static_cast<double>(interval.count()) + 1) + 1 + mishaps;
		if (static_cast<double>(token.renewals.size()) > most) {
			return issuerAt(issuer, world.ends) + " was renewed " + std::to_string(token.renewals.size()) +
				   " times, not " + std::to_string(most);
		}
	}
	return {};
}

/// Returns whether a host could read the states that stood when it began an issuer.
bool hadEngine(const World& world, const Chronicle::Run& run)
{
	const auto before = run.from - 15s;
	return run.why != fleet::Why::withoutEngine && engineIsSound(world, before, run.from) &&
		   world.isFreeOf({Mishap::cutFromEngine}, run.machine, before, run.from);
}

Broken noLookUpWithAState(const World& world, const Chronicle& chronicle)
{
	for (const auto& run : chronicle.runs) {
		const bool canBeUsed = world.unseenDifference() <= 2s && run.from < chronicle.tokens[run.issuer].end;
		if (!run.fromState && run.stateStood && canBeUsed && hadEngine(world, run)) {
			return issuerAt(run.issuer, run.from) + " was looked up although a state stood";
		}
	}
	return {};
}

Broken forecastStays(const World& world, const Chronicle& chronicle)
{
	for (const auto& run : chronicle.runs) {
		if (hadEngine(world, run) && run.fromState && run.foretoldStood && !run.foretold) {
			return issuerAt(run.issuer, run.from) + " begins without the forecast that its state tells";
		}
	}
	return {};
}

Broken nothingIsLeft(const World& world, const Chronicle& chronicle)
{
	for (unsigned issuer = 0; issuer < chronicle.tokens.size(); ++issuer) {
		const auto left = std::ranges::count_if(
			chronicle.statesLeft, [=](const auto& name) { return issuerOf(name.issuer) == issuer; });
		if (left > 1 && chronicle.tokens[issuer].end > world.ends) {
			return issuerAt(issuer, world.ends) + " has " + std::to_string(left) + " states in the engine";
		}
	}
	return {};
}

// The table of docs/fleet.md: a renewal leaves half of R in one mishap, and a quarter in two.
Broken renewedInTime(const World& world, const Chronicle& chronicle)
{
	for (unsigned issuer = 0; issuer < chronicle.tokens.size(); ++issuer) {
		const auto& token = chronicle.tokens[issuer];
		for (const auto& renewal : token.renewals) {
			const auto left = renewal.endBefore - renewal.at;
			const auto since = renewal.endBefore - world.reserve - world.lease;
			const auto mishaps = world.mishapsIn(since, renewal.at);
			const auto least = world.reserve / (mishaps > 1 ? 4 : 2) - 2s - world.unseenDifference();
			if (left >= least || mishaps > 2 || !listsAreEqual(world, issuer, token.made) || token.made > since ||
				!engineIsSound(world, since, renewal.at) ||
				!world.isFreeOf({Mishap::serverAway}, 0, since, renewal.at)) {
				continue;
			}
			if (std::ranges::all_of(world.machines, [=](const Machine& one) { return one.starts < since; }) &&
				!censusOf(world, issuer, since, renewal.at).sound.empty()) {
				return issuerAt(issuer, renewal.at) + " was renewed " + std::to_string(left.count()) +
					   " ms before its end";
			}
		}
	}
	return {};
}

/// Returns whether an issuer that a host began as late was late: clocks are equal, and no news was held up.
bool wasLate(const World& world, const Chronicle::Run& run)
{
	const auto since = run.from - world.lease;
	bool free = engineIsSound(world, since, run.until) && world.unseenDifference() <= 2s;
	for (unsigned machine = 0; machine < world.machines.size(); ++machine) {
		free = free && world.isFreeOf({Mishap::cutFromEngine, Mishap::linkCut}, machine, since, run.until);
	}
	return run.why == fleet::Why::late && free;
}

/// Returns whether another process runs an issuer when one lets go of it, or died so lately that this one cannot know;
/// where it let go of what was late: whether the other has renewed or begun it since, or found it alive.
bool isKeptElsewhere(const World& world, const Chronicle& chronicle, const Chronicle::Run& released)
{
	const auto& token = chronicle.tokens[released.issuer];
	const auto since = released.from - 5s;
	const auto isBy = [&](unsigned machine) {
		return [=, until = released.until](
				   const Server::Renewal& one) { return one.machine == machine && one.at >= since && one.at <= until; };
	};
	return std::ranges::any_of(chronicle.runs, [&](const Chronicle::Run& other) {
		const bool runs =
			other.issuer == released.issuer && other.machine != released.machine && other.from <= released.until &&
			(other.until >= released.until || (!other.isLetGo && other.until >= released.until - world.takeover - 10s));
		return runs && (!wasLate(world, released) || other.from >= since ||
						   std::ranges::any_of(token.renewals, isBy(other.machine)) ||
						   std::ranges::any_of(token.lookUps, isBy(other.machine)));
	});
}

Broken letsGoToAKeeper(const World& world, const Chronicle& chronicle)
{
	for (const auto& run : chronicle.runs) {
		const auto& token = chronicle.tokens[run.issuer];
		const auto before = std::max(worldBegins, run.until - 2 * world.takeover - 15s);
		const bool canBeRenewed = token.end > run.until && !(token.wall && token.end >= *token.wall);
		if (run.isLetGo && canBeRenewed && engineIsSound(world, before, run.until) &&
			!isKeptElsewhere(world, chronicle, run)) {
			return "host-" + std::to_string(run.machine) + " let go of " + issuerAt(run.issuer, run.until) +
				   ", which no other keeps";
		}
	}
	return {};
}

Broken outagesAreNotMultiplied(const World& world, const Chronicle& chronicle)
{
	for (const auto& run : chronicle.runs) {
		const bool watches = run.why == fleet::Why::late || run.why == fleet::Why::untold;
		if (watches && run.amidFailures && world.isDuring(Mishap::serverAway, 0, run.from)) {
			return issuerAt(run.issuer, run.from) + " is begun by a host whose own requests fail";
		}
	}
	return {};
}

Broken littleIsBegunWithoutEngine(const World& world, const Chronicle& chronicle)
{
	for (const auto& run : chronicle.runs) {
		const bool isMany = !run.rankInRing && world.issuers > world.issuersWithoutRing;
		const bool isOthers = run.rankInRing && *run.rankInRing > 3;
		const bool isAlone = run.why == fleet::Why::withoutEngine || !run.sawMembers;
		if (isAlone && (isMany || isOthers)) {
			return issuerAt(run.issuer, run.from) + " is begun by host-" + std::to_string(run.machine) +
				   (isMany ? ", which knows no members and has too many issuers"
						   : ", fourth or worse among the members");
		}
	}
	return {};
}

} // namespace

std::span<const Property, propertyCount> properties()
{
	static constexpr std::array<Property, propertyCount> all{{
		{"NoTokenDies", "no token dies that a host of the fleet could have renewed", noTokenDies},
		{"AllAreKept", "an issuer is without a keeper no longer than it takes to notice", allAreKept},
		{"OneKeeperInQuiet", "T + L after the last mishap each issuer runs on exactly one host", oneKeeperInQuiet},
		{"NoMoreThanNeeded", "renewals: at most 1.15 of one host's, 2.2 in a single fault, 3.3 in any",
			noMoreThanNeeded},
		{"NoLookUpWithAState", "no issuer is looked up whose state stands in the engine", noLookUpWithAState},
		{"ForecastStays", "a forecast once told comes along", forecastStays},
		{"NothingIsLeft", "T + L after the last mishap the engine holds one state an issuer", nothingIsLeft},
		{"RenewedInTime", "a renewal leaves half of R in one mishap, and a quarter of it in two", renewedInTime},
		{"LetsGoToAKeeper", "no host lets go of an issuer that no other one keeps", letsGoToAKeeper},
		{"OutagesAreNotMultiplied", "a host whose own requests fail begins nothing that is late or untold",
			outagesAreNotMultiplied},
		{"LittleIsBegunWithoutEngine", "without the engine: the first three of a shard, or all where that is little",
			littleIsBegunWithoutEngine},
	}};
	return all;
}

} // namespace issuer::fleets
