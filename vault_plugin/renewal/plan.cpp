#include "renewal/plan.h"

#include "renewal/schedule.h"
#include "renewal/standing.h"

#include <algorithm>

/// The time and kind of the next request, by the state of the token.
namespace issuer::vault::renewal {
namespace {

/// Returns the kind of request for a token whose end is unknown. Once look-ups have turned out useless, all but one of
/// `renewalsPerLookUp` requests are renewals. So many in a row meet each way to the server that a renewal could take: a
/// look-up that is answered badly makes the next request, a renewal, go another way, and that way may be the bad one.
/// So while a refusal is doubted all are renewals: each of the few pauses is for one more word on it.
Operation operationOf(const Policy& policy, const Retry& retry)
{
	const bool renewsMostly = retry.useless >= policy.uselessLookUps;
	const bool renews = retry.streak % policy.renewalsPerLookUp != 0;
	return retry.renewNext || (renewsMostly && renews) ? Operation::renew : Operation::lookUp;
}

/// Returns the time within which a login's token must be proven: until the token in use may end, or the new one itself.
/// Nothing: a file's token need not be, as it takes the place of one that ends; or both are past.
std::optional<Duration> untilProofIsDue(const Memory& memory, const Candidate& candidate)
{
	const auto now = candidate.retry.asOf;
	std::optional<Duration> nearest;
	const auto consider = [&](Instant end) {
		if (end > now) {
			nearest = std::min(nearest.value_or(Duration::max()), end - now);
		}
	};
	if (candidate.provenFirst && memory.lease.known()) {
		consider(memory.lease.nextEnd(now));
	}
	if (candidate.grant) {
		consider(candidate.grant->span.sent.boot + candidate.grant->grant.lease);
	}
	return nearest;
}

class Planner
{
public:
	Planner(const Policy& policy, const Memory& memory, double chance, bool replaceable)
		: _policy(policy), _memory(memory), _lease(memory.lease), _retry(memory.retry), _chance(chance),
		  _replaceable(replaceable), _now(memory.retry.asOf),
		  _pace(paceOf(policy, memory.lease.granted, memory.latency.recent))
	{
	}

	/// Returns the state's own cadence, limited by the rules that hold in each state.
	[[nodiscard]] Plan plan() const
	{
		const auto standing = standingOf(_policy, _memory);
		auto plan = cadence(standing);
		if (_retry.atOnce && standing.reason != Reason::limitedUses) {
			plan.at = _now;
		}
		if (!plan.at) {
			return plan;
		}
		if (const auto silence = endOfSilence(); *plan.at > silence) {
			plan.at = silence;
			plan.operation = standing.state == State::active ? Operation::lookUp : plan.operation;
		}
		plan.at = std::max({*plan.at, _now, patience(), _memory.started + _pace.gap});
		if ((_memory.owed != Owed::nothing && !isOwedTooLate()) || _memory.unrenewable != Reason::none) {
			plan.operation = Operation::lookUp;
		}
		return plan;
	}

private:
	[[nodiscard]] Plan cadence(const Standing& standing) const
	{
		switch (standing.state) {
		case State::stopped:
			return {};
		case State::noExpiry:
			return {std::nullopt, Operation::lookUp};
		case State::starting:
			return {_now + firstPause(_policy, _retry, _chance), firstOperation()};
		case State::active:
			return {renewal(_policy, _now, _lease, _chance), Operation::renew};
		case State::retrying:
			return {retry(), Operation::renew};
		case State::capped:
			return confirmation();
		case State::notRenewable:
			return {lookAfterEnd(standing.reason), Operation::lookUp};
		case State::denied:
			return {halfway(), Operation::renew};
		case State::expired:
			return probe();
		}
		return {}; // unreachable: the switch names every state
	}

	/// Returns whether the look-up that a wrapped grant is owed has failed and the token may end at any moment: then a
	/// renewal is worth more than to know how much was granted.
	[[nodiscard]] bool isOwedTooLate() const
	{
		return _memory.owed == Owed::lease && !_retry.atOnce && _lease.known() && _now >= _lease.earliest - _pace.guard;
	}

	[[nodiscard]] Operation firstOperation() const { return operationOf(_policy, _retry); }

	/// Plans sparse confirmations at the max TTL, in case it was raised; one at least, where no renewal has met it yet.
	[[nodiscard]] Plan confirmation() const
	{
		const bool confirm = !_lease.maxTtlReached || _lease.earliest - _now > _policy.confirmAbove;
		if (!_lease.known() || confirm || _retry.atOnce) {
			return {halfway(), Operation::renew};
		}
		return {_lease.latest, Operation::lookUp};
	}

	/// Plans a look-up of a token that cannot be renewed for when it must be dead.
	[[nodiscard]] std::optional<Instant> lookAfterEnd(Reason why) const
	{
		if (_lease.known()) {
			return _lease.latest;
		}
		if (why == Reason::limitedUses) {
			return std::nullopt;
		}
		return _now + probePause(_policy, _policy.firstProbe, _retry.streak);
	}

	/// Plans probes of a dead token; but a renewal without an answer may have saved it.
	[[nodiscard]] Plan probe() const
	{
		if (_lease.mayLastBeyond(_now)) {
			return {retry(), Operation::renew};
		}
		const auto first = _lease.known() ? _policy.firstProbe : _policy.firstRefusedPause;
		return {_now + probePause(_policy, first, _retry.streak), firstOperation()};
	}

	/// Plans the next try after a failure. A pause that the server asked for replaces ours.
	[[nodiscard]] Instant retry() const
	{
		if (const auto soon = retryNearExpiry()) {
			return *soon;
		}
		const auto end = _lease.nextEnd(_now);
		const auto remains = std::max(end - _now, Duration::zero());
		if (_replaceable && _retry.kind == Failing::refused && _retry.streak == 1) {
			return _now; // within a gap: the second refusal sends for a login
		}
		auto pause = _retry.kind == Failing::refused
						 ? std::min(refusedPause(_policy, remains, _retry.streak, _retry.failingFor(_now)), remains / 2)
						 : passingPause(_policy, _pace.gap, remains, _retry.streak, _chance);
		pause = _retry.notBefore > _now ? Duration::zero() : pause;
		return beforeEnd(_now + pause, _now, end, _pace.guard);
	}

	/// Plans for half of the remaining life: for failures that an operator can mend, until the last moment.
	[[nodiscard]] Instant halfway() const
	{
		if (!_lease.known()) {
			return _now + probePause(_policy, _policy.firstRefusedPause, _retry.streak);
		}
		const auto half = _now + (_lease.earliest - _now) / 2;
		return retryNearExpiry().value_or(beforeEnd(half, _now, _lease.earliest, _pace.guard));
	}

	/// Plans near expiry, where only an interval is known: from `guard` before its start to its end, every gap; but at
	/// most `looksAtEnd` times where lost renewals or a slow answer left it long. A life that ends between two of them
	/// can be lost.
	[[nodiscard]] std::optional<Instant> retryNearExpiry() const
	{
		const auto first = _lease.nextEnd(_now);
		const auto last = _lease.overAt(_now) ? _lease.ifRenewedLatest : _lease.latest;
		if (!_lease.known() || _now < first - _pace.guard || _now >= last) {
			return std::nullopt;
		}
		const auto step = std::max<Duration>(_pace.gap, (last - first) / _policy.looksAtEnd);
		return _memory.started + step;
	}

	/// Returns the end of the longest silence: a living token is asked about every few hours, however long its lease,
	/// so that a revocation is noticed.
	[[nodiscard]] Instant endOfSilence() const
	{
		const bool limitedUses = _memory.unrenewable == Reason::limitedUses; // each request would cost one
		if (!_lease.known() || limitedUses) {
			return Instant::max();
		}
		return _memory.started + scaled(_policy.longestSilence, 1 - _policy.silenceSpread * _chance);
	}

	/// Returns the end of the pause that the server has asked for. Kept in every state, but not beyond the last chance
	/// of a living token; nor for long for a token whose end is unknown, or that is dead.
	[[nodiscard]] Instant patience() const
	{
		if (_retry.notBefore <= _now) {
			return _now;
		}
		if (_lease.known() && !_memory.deadForSure(_now)) {
			return beforeEnd(std::min(_retry.notBefore, endOfSilence()), _now, _lease.nextEnd(_now), _pace.guard);
		}
		return std::min<Instant>(
			_retry.notBefore, _now + (_memory.dead() ? _policy.longestProbe : _policy.longestPause));
	}

	const Policy& _policy;
	const Memory& _memory;
	const Lease& _lease;
	const Retry& _retry;
	double _chance;
	bool _replaceable;
	Instant _now; ///< time of the last change of facts: when the plan is computed makes no difference to it
	Pace _pace;
};

} // namespace

Plan planOf(const Policy& policy, const Memory& memory, double chance, bool replaceable)
{
	return Planner(policy, memory, chance, replaceable).plan();
}

Plan planOfCandidate(const Policy& policy, const Memory& memory, const Candidate& candidate, double chance,
	std::optional<Instant> nextOfCurrent)
{
	const auto& retry = candidate.retry;
	const auto now = retry.asOf;
	const auto [gap, guard] = paceOf(policy, memory.lease.granted, memory.latency.recent);
	const auto pause = retry.kind == Failing::refused && !retry.isDoubting(policy)
						   ? refusedPause(policy, 2 * Duration(policy.longestSilence),
								 retry.refusals - policy.refusalsDoubted, retry.failingFor(now))
						   : firstPause(policy, retry, chance, untilProofIsDue(memory, candidate));
	const auto patience = std::min<Instant>(retry.notBefore, now + policy.longestPause);
	auto at = std::max({now + (retry.atOnce ? Duration::zero() : pause), patience, memory.started + gap});
	const bool delays = nextOfCurrent && at < *nextOfCurrent && *nextOfCurrent < at + gap;
	if (delays && memory.lease.known() && at + gap > memory.lease.nextEnd(now) - guard) {
		at = *nextOfCurrent; // the gap after a request about the candidate would take the other token's last chance
	}
	return {at, operationOf(policy, retry)};
}

Duration budgetOf(const Policy& policy, const Memory& memory, Instant now)
{
	const auto& lease = memory.lease;
	if (lease.known() && lease.granted > Duration::zero()) {
		const auto pace = paceOf(policy, lease.granted, memory.latency.recent);
		const auto remains = std::max(lease.nextEnd(now) - now, Duration::zero());
		return budget(policy, pace, remains, memory.latency.recent);
	}
	return firstBudget(policy, memory.retry.failingFor(now), memory.latency.recent);
}

Duration budgetOfCandidate(
	const Policy& policy, const Memory& memory, const Retry& retry, Instant now, std::optional<Instant> nextOfCurrent)
{
	const auto longest = firstBudget(policy, retry.failingFor(now), memory.latency.recent);
	if (!nextOfCurrent) {
		return longest;
	}
	const auto gap = paceOf(policy, memory.lease.granted, memory.latency.recent).gap;
	return std::min(longest, std::max({*nextOfCurrent - now, gap, 2 * memory.latency.recent}));
}

} // namespace issuer::vault::renewal
