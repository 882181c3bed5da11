#include "judging.h"

#include "reserve.h"

#include <algorithm>
#include <bit>

/// Requests are few: a gap between any two, and bounds for each kind of trouble.
namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Operation;
using vault::renewal::State;

namespace {

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
	Duration vague{};
	for (std::size_t index = 1; index < chronicle.exchanges.size(); ++index) {
		const auto& now = chronicle.exchanges[index];
		const auto* last = before(chronicle, index);
		vague = last != nullptr && last->answered ? std::max(vague, last->ended - last->sent) : vague;
		if (last == nullptr || !last->retryAfter || last->interrupted || now.stateBefore == State::notRenewable) {
			continue;
		}
		// Besides the guard, the token's end is uncertain by the latency of answers and by rounding to seconds.
		const bool urgent = now.remaining < vague + 8s + 8 * reserveOf(world, now.toldLease).whole();
		const auto least = std::min<Duration>(*last->retryAfter, 60s);
		if (!urgent && now.sent - last->ended < least - 1ms && !last->interrupted) {
			return "asked again after " + inWords(now.sent - last->ended) + ", and not " + inWords(*last->retryAfter) +
				   " later" + at(chronicle, now.sent);
		}
	}
	return {};
}

/// Finds requests for a token that never ends, or of which each request burns a use. A token at its max TTL is renewed
/// each time half of its remaining life is over.
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

/// Finds a refused token that is asked about too often. The cause of a refusal seldom heals: in twice the time a few
/// more requests are allowed, with any failures between them, and one in some hours.
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

} // namespace

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

} // namespace issuer::simulation
