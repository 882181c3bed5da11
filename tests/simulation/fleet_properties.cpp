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
		   world.isFreeOf({Mishap::cutFromServer, Mishap::cutFromEngine, Mishap::watchSlow}, machine, from, until);
}

bool engineIsSound(const World& world, Instant from, Instant until)
{
	return world.isFreeOf({Mishap::quorumLost, Mishap::full, Mishap::wiped}, 0, from, until);
}

/// The hosts of a stretch of time: those without any fault, and the others.
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
		else if (world.machines[machine].starts < until) {
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
			census.faulty <= (engineSound ? 2U : 1U)) {
			return issuerAt(issuer, token.end) + " died, and host-" + std::to_string(census.sound.front()) +
				   " could have renewed it";
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
			const auto bound = (2 + census.faulty) * world.takeover + 8s;
			if (gap > bound && !census.sound.empty() && listsAreEqual(world, issuer, until) &&
				engineIsSound(world, until - 5s, from) && world.isFreeOf({Mishap::serverAway}, 0, until, from)) {
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
	const double factor = mishaps == 0 && world.newIssuers == 0 ? 1.15 : mishaps == 1 ? 2.2 : 3.3;
	const auto interval = world.lease - world.reserve - std::min(world.reserve, world.lease - world.reserve) / 10;
	for (unsigned issuer = 0; issuer < chronicle.tokens.size(); ++issuer) {
		const auto& token = chronicle.tokens[issuer];
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
		if (!run.fromState && run.stateStood && hadEngine(world, run)) {
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
		const auto left =
			std::ranges::count(chronicle.statesLeft, "issuer-" + std::to_string(issuer), &fleet::StateName::issuer);
		if (left > 1 && chronicle.tokens[issuer].end > world.ends) {
			return issuerAt(issuer, world.ends) + " has " + std::to_string(left) + " states in the engine";
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
	}};
	return all;
}

} // namespace issuer::fleets
