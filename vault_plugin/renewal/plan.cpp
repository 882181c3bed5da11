#include "renewal/plan.h"

#include "renewal/schedule.h"
#include "renewal/standing.h"

#include <algorithm>

/// When to ask next, and what: by the state of the token.
namespace issuer::vault::renewal {
namespace {

/// The question about a token whose end is not known. Once look-ups have turned out useless, renewals are asked more
/// often than look-ups, by the dice: taking turns could fall in step with ways that take turns, a bad one each time a
/// renewal is asked.
Operation operationOf(const Policy& policy, const Retry& retry, double dice)
{
	constexpr double mostly = 2.0 / 3;
	const bool renews = retry.renewNext || (retry.useless >= policy.uselessLookUps && dice < mostly);
	return renews ? Operation::renew : Operation::lookUp;
}

class Planner
{
public:
	Planner(const Policy& policy, const Memory& memory, double dice)
		: _policy(policy), _memory(memory), _lease(memory.lease), _retry(memory.retry), _dice(dice),
		  _now(memory.retry.asOf), _pace(paceOf(policy, memory.lease.granted, memory.latency.recent))
	{
	}

	/// The state's own cadence; then the rules that hold in each state.
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
		if (_memory.owed != Owed::nothing) {
			plan.operation = leavesTimeToRenew(*plan.at) ? Operation::lookUp : Operation::renew;
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
			return {_now + firstPause(_policy, _retry, _dice), firstOperation()};
		case State::active:
			return {
				beforeEnd(renewal(_policy, _now, _lease, _dice), _now, _lease.earliest, _pace.guard), Operation::renew};
		case State::retrying:
			if (_memory.unrenewable != Reason::none) {
				return {std::min(retry(), _lease.latest), Operation::lookUp};
			}
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
		return {}; // no other state
	}

	[[nodiscard]] Operation firstOperation() const { return operationOf(_policy, _retry, _dice); }

	/// At the max TTL: sparse confirmations, in case it was raised; one at least, where no renewal has met it yet.
	[[nodiscard]] Plan confirmation() const
	{
		const bool alive = !_lease.overAt(_now);
		const bool confirm = !_lease.maxTtlReached || _lease.earliest - _now > _policy.confirmAbove;
		if (!_lease.known() || (confirm && alive) || _retry.renewNext || _retry.atOnce) {
			return {halfway(), Operation::renew};
		}
		return {_lease.latest, Operation::lookUp};
	}

	/// A token that cannot be renewed is looked at when it must be dead.
	[[nodiscard]] std::optional<Instant> lookAfterEnd(Reason why) const
	{
		if (_lease.known() && !_lease.overAt(_now)) {
			return _lease.latest;
		}
		if (why == Reason::limitedUses) {
			return std::nullopt;
		}
		return _now + probePause(_policy, _policy.firstProbe, _retry.streak);
	}

	/// A dead token; but a renewal whose answer was lost may have saved it.
	[[nodiscard]] Plan probe() const
	{
		if (_lease.mayLastBeyond(_now)) {
			return {retry(), Operation::renew};
		}
		const auto first = _lease.known() ? _policy.firstProbe : _policy.firstRefusedPause;
		return {_now + probePause(_policy, first, _retry.streak), firstOperation()};
	}

	/// After a failure that leaves hope. A pause that the server asked for replaces ours.
	[[nodiscard]] Instant retry() const
	{
		if (const auto soon = retryNearExpiry()) {
			return *soon;
		}
		const auto end = _lease.nextEnd(_now);
		const auto remains = std::max(end - _now, Duration::zero());
		auto pause = _retry.kind == Failing::refused
						 ? refusedPause(_policy, remains, _retry.streak, _retry.failingFor(_now))
						 : passingPause(_policy, _pace.gap, remains, _retry.streak, _dice);
		pause = _retry.notBefore > _now ? Duration::zero() : pause;
		return beforeEnd(_now + pause, _now, end, _pace.guard);
	}

	/// Half of what remains: for what a person must mend. It may be mended in the last moment, too.
	[[nodiscard]] Instant halfway() const
	{
		if (!_lease.known() || _lease.overAt(_memory.started)) {
			return _now + probePause(_policy, _policy.firstRefusedPause, _retry.streak);
		}
		const auto half = _now + (_lease.earliest - _now) / 2;
		return retryNearExpiry().value_or(beforeEnd(half, _now, _lease.earliest, _pace.guard));
	}

	/// Near expiry only an interval is known: from `guard` before its start to its end, retry every gap; but where lost
	/// renewals or a slow answer left it long, no more than `looksAtEnd` times. What lies between two looks can be
	/// lost.
	[[nodiscard]] std::optional<Instant> retryNearExpiry() const
	{
		const auto first = _lease.nextEnd(_now);
		const auto last = _lease.overAt(_now) ? _lease.ifRenewedLatest : _lease.latest;
		if (!_lease.known() || _now < first - _pace.guard || _now >= last) {
			return std::nullopt;
		}
		const auto step = std::max<Duration>(_pace.gap, (last - first) / _policy.looksAtEnd);
		return beforeEnd(_memory.started + step, _now, last, _pace.guard);
	}

	/// A look-up at this time leaves time for the renewal after it, if it tells of an end that is near. Without, the
	/// renewal alone would save the token as well.
	[[nodiscard]] bool leavesTimeToRenew(Instant at) const
	{
		return _retry.atOnce || _memory.owed != Owed::lease || !_lease.known() ||
			   at + 2 * _pace.gap + _pace.guard < _lease.nextEnd(at);
	}

	/// A living token is asked about once in some hours, however long its lease: so soon a revocation is known.
	[[nodiscard]] Instant endOfSilence() const
	{
		const bool limitedUses = _memory.unrenewable == Reason::limitedUses; // each request would burn one
		if (!_lease.known() || _memory.deadForSure(_now) || limitedUses) {
			return Instant::max();
		}
		return _memory.started + scaled(_policy.longestSilence, 1 - _policy.silenceSpread * _dice);
	}

	/// Until then the server wants to be left alone. Kept in every state, but not beyond the last chance of a token
	/// that lives; nor for long where nobody knows how long it lives, or that is dead.
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
	double _dice;
	Instant
		_now; ///< when the facts changed last: not the present, so that the plan does not depend on when it is asked
	Pace _pace;
};

} // namespace

Plan planOf(const Policy& policy, const Memory& memory, double dice)
{
	return Planner(policy, memory, dice).plan();
}

Plan planOfCandidate(const Policy& policy, const Memory& memory, const Retry& retry, double dice)
{
	const auto now = retry.asOf;
	const auto gap = paceOf(policy, memory.lease.granted, memory.latency.recent).gap;
	const auto pause = retry.kind == Failing::refused && !retry.isDoubting(policy)
						   ? refusedPause(policy, 2 * Duration(policy.longestSilence),
								 retry.refusals - policy.refusalsDoubted, retry.failingFor(now))
						   : firstPause(policy, retry, dice);
	const auto patience = std::min<Instant>(retry.notBefore, now + policy.longestPause);
	return {std::max({now + (retry.atOnce ? Duration::zero() : pause), patience, memory.started + gap}),
		operationOf(policy, retry, dice)};
}

Duration budgetOf(const Policy& policy, const Memory& memory, Instant now)
{
	const auto& lease = memory.lease;
	if (lease.known() && lease.granted > Duration::zero()) {
		const auto pace = paceOf(policy, lease.granted, memory.latency.recent);
		const auto remains = std::max(lease.nextEnd(now) - now, Duration::zero());
		return budget(policy, pace, remains, lease.granted, memory.latency.recent);
	}
	const bool starting = standingOf(policy, memory).state == State::starting;
	return starting ? firstBudget(policy, memory.retry.failingFor(now), memory.latency.recent) : policy.requestTimeout;
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
