#include "properties.h"

#include "judging.h"
#include "lost_in_vain.h"

#include <algorithm>
#include <array>

namespace issuer::simulation {

using namespace std::chrono_literals;

namespace {

Broken neverLostInVain(const World& world, const Chronicle& chronicle)
{
	if (auto breach = brokenOnTheSpot(chronicle, "dropped")) {
		return breach;
	}
	for (const auto& death : chronicle.deaths) {
		if (lostInVain(world, chronicle, death)) {
			return "the token was lost in vain" + at(chronicle, death.at);
		}
	}
	return {};
}

/// A rival renewed the token for less, and the server remembers that: the second renewal asks for the full lease.
Broken fullLeaseAgain(const World& world, const Chronicle& chronicle)
{
	if (world.token.kind != Kind::service || world.token.maxTtl > 0s || world.token.lease >= 24h ||
		happens(world, Deed::lowerMaxTtl)) {
		return {};
	}
	int life = -1;
	int shortened = 0;
	bool fullKnown = false;
	for (const auto& exchange : chronicle.exchanges) {
		shortened = exchange.life == life ? shortened : 0;
		fullKnown = (exchange.life == life && fullKnown) || exchange.toldLease >= Duration(world.token.lease);
		life = exchange.life;
		if (exchange.extended) {
			shortened = exchange.granted < Duration(world.token.lease) * 85 / 100 ? shortened + 1 : 0;
		}
		const auto rivals = std::ranges::count(world.happenings, Deed::renewShort, &Happening::deed);
		if (fullKnown && shortened > 1 + rivals) {
			return "the lease stays shortened" + at(chronicle, exchange.sent);
		}
	}
	return {};
}

Broken alwaysRecovers(const World& world, const Chronicle& chronicle)
{
	if (auto breach = brokenOnTheSpot(chronicle, "liveness")) {
		return breach;
	}
	return fullLeaseAgain(world, chronicle);
}

/// An event without an outcome tells of a change since the one before.
Broken noNewsWithoutChange(const Chronicle& chronicle)
{
	const Saying* before = nullptr;
	for (const auto& saying : chronicle.sayings) {
		if (saying.events == saying.outcomes) {
			continue;
		}
		if (before != nullptr && saying.life == before->life) {
			const auto& was = before->snapshot;
			const auto& is = saying.snapshot;
			if (is.state == was.state && is.lease == was.lease && is.cappedAt == was.cappedAt) {
				return "an event tells of no change" + at(chronicle, saying.at);
			}
		}
		before = &saying;
	}
	return {};
}

/// Lines of the log: so many at once, then one in ten minutes. Events: one for each attempt, and one for each change.
Broken staysQuiet(const World& world, const Chronicle& chronicle)
{
	if (auto breach = noNewsWithoutChange(chronicle)) {
		return breach;
	}
	constexpr int notesAtOnce = 12;
	int notes = 0;
	int events = 0;
	for (const auto& saying : chronicle.sayings) {
		notes += saying.notes;
		events += saying.events;
	}
	const auto watched = chronicle.ended - chronicle.began;
	const auto turns = static_cast<int>(world.happenings.size()) + chronicle.lives;
	if (notes > notesAtOnce + watched / 600s + 2 * turns) {
		return std::to_string(notes) + " lines in the log within " + inWords(watched);
	}
	if (events > 2 * (static_cast<int>(chronicle.exchanges.size()) + turns) + 2) {
		return std::to_string(events) + " events for " + std::to_string(chronicle.exchanges.size()) + " requests";
	}
	return {};
}

Broken stopsForGood(const World&, const Chronicle& chronicle)
{
	return brokenOnTheSpot(chronicle, "stop");
}

constexpr std::array<Property, propertyCount> all{{
	{"NeverLostInVain", "a token whose server returns just in time lives", neverLostInVain},
	{"NeverHammered", "no two requests closer than a gap, and few of them in every outage and after death",
		neverHammered},
	{"DeathIsForecast", "the hour of death is told by the first answer that shows it, once, right to 2 s",
		deathIsForecast},
	{"AlwaysRecovers", "from every state, a good credential and a good server lead back to life", alwaysRecovers},
	{"StaysQuiet", "events and lines of the log are bounded", staysQuiet},
	{"NeverSilent", "a renewer that runs has a next step or awaits an answer, and asks at least every six hours",
		neverSilent},
	{"StopsForGood", "from every state, stop leads to STOPPED and no later output", stopsForGood},
}};

} // namespace

std::span<const Property, propertyCount> properties()
{
	return all;
}

} // namespace issuer::simulation
