#include "properties.h"

#include "lost_in_vain.h"
#include "reserve.h"

#include <algorithm>
#include <array>
#include <bit>

namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Operation;
using vault::renewal::State;

namespace {

using Broken = std::optional<std::string>;

std::string at(const Chronicle& chronicle, Instant instant)
{
	return " at " + inWords(instant - chronicle.began);
}

bool happens(const World& world, Deed deed)
{
	return std::ranges::any_of(world.happenings, [=](const Happening& happening) { return happening.deed == deed; });
}

Broken brokenOnTheSpot(const Chronicle& chronicle, std::string_view property)
{
	const auto found = std::ranges::find_if(
		chronicle.broken, [&](const std::string& promise) { return promise.starts_with(property); });
	return found == chronicle.broken.end() ? Broken{} : Broken{*found};
}

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

Broken gapsKept(const Chronicle& chronicle)
{
	for (std::size_t index = 1; index < chronicle.exchanges.size(); ++index) {
		const auto& before = chronicle.exchanges[index - 1];
		const auto& now = chronicle.exchanges[index];
		const auto least = std::min(gapOf(before.toldLease), gapOf(now.toldLease));
		if (now.sent - before.sent < least) {
			return "two requests within " + inWords(now.sent - before.sent) + at(chronicle, now.sent);
		}
	}
	return {};
}

/// Returns how often a renewal was asked for at once, while these were sent.
std::int64_t askedFor(const Chronicle& chronicle, const Exchange& first, const Exchange& last)
{
	return std::ranges::count_if(chronicle.asked, [&](Instant at) { return at >= first.sent && at <= last.sent; });
}

/// The exchange before this one about the same token; null: there is none.
const Exchange* before(const Chronicle& chronicle, std::size_t index)
{
	const auto life = chronicle.exchanges[index].life;
	while (index-- > 0) {
		if (chronicle.exchanges[index].life == life) {
			return &chronicle.exchanges[index];
		}
	}
	return nullptr;
}

/// While renewals succeed, the configured share of the lease lies between two of them. Of a long lease there is a look
/// within hours: docs/renewal.md says 6 h, spread by a tenth.
Broken cadenceKept(const World& world, const Chronicle& chronicle)
{
	if (happens(world, Deed::renewNow)) {
		return {};
	}
	for (std::size_t index = 1; index < chronicle.exchanges.size(); ++index) {
		const auto& now = chronicle.exchanges[index];
		if (now.stateBefore != State::active || now.ofCandidate) {
			continue;
		}
		const auto* last = before(chronicle, index);
		if (last == nullptr || !last->extended) {
			continue;
		}
		const auto lease = now.toldLease;
		const auto share = [](Duration of, double part) { return std::chrono::duration_cast<Duration>(of * part); };
		const auto wanted = std::max(share(lease, world.policy.fraction), world.policy.minInterval);
		auto least = std::min(
			share(std::min(wanted, lease * 2 / 3), 1 - world.policy.jitter), lease - reserveOf(world, lease).guard);
		if (now.operation == Operation::lookUp) {
			least = std::min<Duration>(least, std::chrono::minutes(6 * 54));
		}
		if (now.sent - last->sent < least - 1ms) {
			return "asked again after " + inWords(now.sent - last->sent) + at(chronicle, now.sent);
		}
	}
	return {};
}

/// A server that asks to be left alone is, but not beyond the last chance of a token: a guard before its end.
Broken patienceKept(const World& world, const Chronicle& chronicle)
{
	for (std::size_t index = 1; index < chronicle.exchanges.size(); ++index) {
		const auto& now = chronicle.exchanges[index];
		const auto* last = before(chronicle, index);
		if (last == nullptr || !last->retryAfter || last->interrupted || now.stateBefore == State::notRenewable) {
			continue;
		}
		// Beyond its guard the token's end may be vague by what answers took, and by seconds that were rounded.
		const bool urgent = now.remaining < 8s + 8 * reserveOf(world, now.toldLease).whole();
		const auto least = std::min<Duration>(*last->retryAfter, 60s);
		if (!urgent && now.sent - last->ended < least - 1ms && !last->interrupted) {
			return "asked again after " + inWords(now.sent - last->ended) + ", and not " + inWords(*last->retryAfter) +
				   " later" + at(chronicle, now.sent);
		}
	}
	return {};
}

/// Nothing is asked of a token that never ends, or whose uses each request burns; and a token at its max TTL is renewed
/// each time half of what remains is over.
Broken askedSparingly(const World& world, const Chronicle& chronicle)
{
	int life = -1;
	int confirmations = 0;
	bool lookedUp = false;
	for (std::size_t index = 0; index < chronicle.exchanges.size(); ++index) {
		const auto& exchange = chronicle.exchanges[index];
		if (exchange.life != life) {
			life = exchange.life;
			confirmations = 0;
			lookedUp = false;
		}
		if (exchange.stateBefore == State::noExpiry && !exchange.ofCandidate && !happens(world, Deed::renewNow)) {
			return "a token that never ends is asked about" + at(chronicle, exchange.sent);
		}
		if (world.token.kind == Kind::limitedUses && lookedUp && exchange.tokenAlive) {
			return "a use was burnt" + at(chronicle, exchange.sent);
		}
		if (exchange.answered && !exchange.failed && !exchange.interrupted && !exchange.extended) {
			lookedUp = exchange.operation == Operation::lookUp; // after a wrapped grant a look-up must tell
		}
		const bool confirms = exchange.stateBefore == State::capped && exchange.extended;
		const bool ofSilence = index > 0 && exchange.sent - chronicle.exchanges[index - 1].sent > 5h;
		confirmations = confirms && !ofSilence ? confirmations + 1 : 0;
		const auto halves = std::bit_width(static_cast<std::uint64_t>(world.token.lease / 1s));
		if (confirmations > 8 + static_cast<int>(halves) + askedFor(chronicle, chronicle.exchanges[0], exchange)) {
			return std::to_string(confirmations) + " confirmations of a max TTL" + at(chronicle, exchange.sent);
		}
	}
	return {};
}

/// A server that has granted a last lease is not asked for another.
Broken lastWordHeeded(const Chronicle& chronicle)
{
	for (const auto& exchange : chronicle.exchanges) {
		if (exchange.afterLast && exchange.operation == Operation::renew) {
			return "renewed although the server had said that it grants no other lease" + at(chronicle, exchange.sent);
		}
	}
	return {};
}

/// A candidate that is refused is asked about after 1, 2 and 4 s, and then as seldom as any token that is refused.
Broken candidatesLeftInPeace(const Chronicle& chronicle)
{
	const Exchange* first = nullptr;
	int failures = 0;
	int refusals = 0;
	for (const auto& exchange : chronicle.exchanges) {
		if (!exchange.ofCandidate) {
			continue;
		}
		if (first == nullptr || exchange.life != first->life) {
			first = &exchange;
			failures = 0;
			refusals = 0;
		}
		failures += exchange.failed ? 1 : 0;
		refusals += exchange.refused ? 1 : 0;
		const auto lasting = exchange.sent - first->sent;
		const auto doublings = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(lasting / 60s)));
		const auto asked = askedFor(chronicle, *first, exchange);
		if (failures > 16 + lasting / 30s + asked || refusals > 8 + 8 * doublings + asked) {
			return "a candidate failed " + std::to_string(failures) + " times within " + inWords(lasting) +
				   at(chronicle, exchange.sent);
		}
	}
	return {};
}

/// In a row of failures of one kind: twelve, one for each 45 s of it, and one for each renewal that was asked for; and
/// 37 more if it meets the last four minutes of a life, when each may be the one that saves it. A slow answer leaves
/// its end vague: then these last longer. The look-up that asks about an unclear answer is not counted. Beyond the end
/// that is known there may be others, of renewals that had no answer: they are looked at 64 times.
Broken outagesEndured(const Chronicle& chronicle)
{
	const Exchange* first = nullptr;
	int failures = 0;
	bool urgent = false;
	bool beyond = false;
	bool answeredBefore = false;
	Duration vague{};
	for (const auto& exchange : chronicle.exchanges) {
		if (exchange.ofCandidate || exchange.interrupted) {
			continue;
		}
		const bool matters = exchange.stateBefore != State::expired && exchange.stateBefore != State::notRenewable;
		vague = exchange.answered ? std::max(vague, exchange.ended - exchange.sent) : vague;
		if (!exchange.failed || !matters) {
			first = nullptr;
			continue;
		}
		if (first == nullptr || exchange.life != first->life || exchange.refused != first->refused) {
			first = &exchange;
			failures = 0;
			urgent = false;
			beyond = false;
		}
		failures += answeredBefore && exchange.operation == Operation::lookUp ? 0 : 1;
		answeredBefore = exchange.answered && exchange.operation == Operation::renew;
		urgent = urgent || exchange.remaining <= 240s;
		beyond = beyond || exchange.remaining <= 0s;
		const auto lasting = exchange.sent - first->sent;
		const auto most = 12 + (urgent ? 37 + vague / 500ms : 0) + (beyond ? 64 : 0) + lasting / 45s;
		if (failures > most + askedFor(chronicle, *first, exchange)) {
			return std::to_string(failures) + " failures within " + inWords(lasting) + at(chronicle, exchange.sent);
		}
	}
	return {};
}

/// The cause of a refusal seldom heals: in twice the time the token is asked about a few times more, whatever fails in
/// between; and once in some hours, as each token is.
Broken refusalsBelieved(const Chronicle& chronicle)
{
	const Exchange* first = nullptr;
	int refusals = 0;
	bool urgent = false;
	Duration vague{};
	for (const auto& exchange : chronicle.exchanges) {
		if (exchange.ofCandidate || exchange.interrupted) {
			continue;
		}
		vague = exchange.answered ? std::max(vague, exchange.ended - exchange.sent) : vague;
		if (!exchange.failed || exchange.stateBefore != State::retrying) {
			first = nullptr;
			continue;
		}
		if (first == nullptr || exchange.life != first->life) {
			first = &exchange;
			refusals = 0;
			urgent = false;
		}
		refusals += exchange.refused ? 1 : 0;
		urgent = urgent || exchange.remaining <= 240s;
		const auto minutes = static_cast<std::uint64_t>((exchange.sent - first->sent) / 60s);
		const auto doublings = static_cast<int>(std::bit_width(minutes));
		if (refusals > 8 + (urgent ? 37 + vague / 500ms : 0) + 8 * doublings + (exchange.sent - first->sent) / 5h) {
			return std::to_string(refusals) + " refusals within " + inWords(exchange.sent - first->sent) +
				   at(chronicle, exchange.sent);
		}
	}
	return {};
}

/// A token known to be dead is asked after forty times a day at most.
Broken deadLeftInPeace(const Chronicle& chronicle)
{
	constexpr std::size_t most = 40;
	std::vector<Instant> probes;
	for (std::size_t index = 0; index < chronicle.exchanges.size(); ++index) {
		const auto& exchange = chronicle.exchanges[index];
		const auto* last = before(chronicle, index);
		const bool settles = last != nullptr && last->operation == Operation::renew; // an unclear answer
		if (settles) {
			continue;
		}
		if (exchange.stateBefore == State::expired && !exchange.ofCandidate && !exchange.interrupted &&
			!exchange.tokenAlive && exchange.operation == Operation::lookUp) {
			probes.push_back(exchange.sent);
			if (probes.size() > most && probes.back() - probes[probes.size() - 1 - most] < 24h) {
				return "a dead token was asked after more than 40 times a day" + at(chronicle, exchange.sent);
			}
		}
	}
	return {};
}

Broken neverHammered(const World& world, const Chronicle& chronicle)
{
	if (auto breach = brokenOnTheSpot(chronicle, "endless")) {
		return breach;
	}
	if (auto breach = gapsKept(chronicle)) {
		return breach;
	}
	if (auto breach = cadenceKept(world, chronicle)) {
		return breach;
	}
	if (auto breach = outagesEndured(chronicle)) {
		return breach;
	}
	if (auto breach = refusalsBelieved(chronicle)) {
		return breach;
	}
	if (auto breach = lastWordHeeded(chronicle)) {
		return breach;
	}
	if (auto breach = patienceKept(world, chronicle)) {
		return breach;
	}
	if (auto breach = askedSparingly(world, chronicle)) {
		return breach;
	}
	if (auto breach = candidatesLeftInPeace(chronicle)) {
		return breach;
	}
	return deadLeftInPeace(chronicle);
}

/// Converts a time of a saying into an instant.
Instant told(const Saying& saying, WallTime time)
{
	return saying.at + (time - saying.wallClock);
}

Broken deathForetold(const Chronicle& chronicle)
{
	int known = -1; // number of the life whose max TTL the renewer has been shown
	for (const auto& saying : chronicle.sayings) {
		if (saying.snapshot.state == State::starting) {
			known = -1; // begun anew, and nothing is remembered
		}
		if (saying.wallShown && saying.undisturbed) {
			known = saying.life;
		}
		const bool owed = known == saying.life && saying.undisturbed && saying.snapshot.state != State::stopped &&
						  saying.snapshot.state != State::starting && saying.wall;
		if (!owed) {
			continue;
		}
		if (!saying.snapshot.cappedAt) {
			return "the max TTL was shown, and the hour of death is not told" + at(chronicle, saying.at);
		}
		const auto off = told(saying, *saying.snapshot.cappedAt) - *saying.wall;
		if (std::chrono::abs(off) > 2s + saying.uncertainty) {
			return "the hour of death is told wrong by " + inWords(off) + at(chronicle, saying.at);
		}
	}
	return {};
}

/// A token's end is never told later than it is, by more than rounding and a round trip.
Broken noLifePromised(const Chronicle& chronicle)
{
	for (const auto& saying : chronicle.sayings) {
		const bool owed =
			saying.answer && saying.undisturbed && !saying.untold && saying.snapshot.expires && saying.end > saying.at;
		if (owed && told(saying, *saying.snapshot.expires) > saying.end + 1500ms + saying.uncertainty) {
			return "life is promised beyond the token's end, for " +
				   inWords(told(saying, *saying.snapshot.expires) - saying.end) + at(chronicle, saying.at);
		}
	}
	return {};
}

/// Nor earlier: before its end a token is not called dead, whatever a server says that refuses it. Of a new token it is
/// believed after 7 s.
Broken noDeathInvented(const World& world, const Chronicle& chronicle)
{
	if (world.token.kind == Kind::limitedUses) {
		return {}; // each look would cost a use
	}
	const auto tellsNoEnd = [](const Incident& incident) {
		return incident.fault == Fault::lookUpRefused || incident.fault == Fault::policyDenies;
	};
	if (std::ranges::any_of(world.incidents, tellsNoEnd)) {
		return {}; // it was accepted, and its end was not told
	}
	for (const auto& saying : chronicle.sayings) {
		if (saying.snapshot.state == State::expired && saying.end > saying.at && saying.held < 6500ms &&
			!saying.snapshot.expires) {
			return "a new token is called dead after " + inWords(saying.held) + at(chronicle, saying.at);
		}
		const bool calledDead = saying.snapshot.state == State::expired && saying.snapshot.expires;
		if (calledDead && saying.undisturbed && saying.end > saying.at &&
			told(saying, *saying.snapshot.expires) > saying.at + 2s + saying.uncertainty) {
			return "a living token is called dead" + at(chronicle, saying.at);
		}
	}
	return {};
}

/// The operator hears it once in a life.
Broken deathToldOnce(const Chronicle& chronicle)
{
	int life = -1;
	int times = 0;
	int others = 0;
	for (const auto& saying : chronicle.sayings) {
		times = (saying.life == life ? times : 0) + saying.notRenewableForMaxTtl;
		others = (saying.life == life ? others : 0) + saying.notRenewables - saying.notRenewableForMaxTtl;
		life = saying.life;
		if (saying.last && (others > 1 || others + times < 1)) {
			return "a last lease was reported " + std::to_string(others) + " times" + at(chronicle, saying.at);
		}
		if (times > 1 && saying.undisturbed) {
			return "the max TTL was reported again" + at(chronicle, saying.at);
		}
	}
	return {};
}

Broken deathIsForecast(const World& world, const Chronicle& chronicle)
{
	if (auto breach = deathForetold(chronicle)) {
		return breach;
	}
	if (auto breach = noLifePromised(chronicle)) {
		return breach;
	}
	if (auto breach = noDeathInvented(world, chronicle)) {
		return breach;
	}
	return deathToldOnce(chronicle);
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
			return "nobody noticed that the max TTL was raised" + at(chronicle, death.at);
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
			return "the token was revoked, and for hours nobody noticed" + at(chronicle, death.at);
		}
	}
	return {};
}

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
