#include "renewal/keeper.h"
#include "renewal/schedule.h"

#include <algorithm>

/// When to ask next, and what: by the state of the token.
namespace issuer::vault::renewal {

void Keeper::plan(Instant now, std::optional<Duration> retryAfter)
{
	const auto& life = _memory.life;
	switch (_memory.state) {
	case State::stopped:
	case State::noExpiry:
		_memory.next.reset();
		break;
	case State::starting:
		ask(_memory.question == Question::renewal ? Question::renewal : Question::first, retry(now, retryAfter), now);
		break;
	case State::active:
		ask(Question::renewal, beforeEnd(renewal(*_policy, now, life, roll()), now, life.earliest, pace().guard), now);
		break;
	case State::retrying: {
		const auto at = retry(now, retryAfter);
		if (_memory.question == Question::probe) {
			ask(Question::probe, std::min(at, life.latest), now); // no renewal would be granted
			break;
		}
		ask(_memory.question == Question::wrapped && isTimeToLookUp(at) ? Question::wrapped : Question::renewal, at,
			now);
		break;
	}
	case State::capped: {
		// Sparse confirmations, in case the cap was raised. One at least, where no renewal has met it yet.
		const bool confirm = !life.wallMet || life.earliest - now > _policy->confirmAbove;
		if (!endKnown() || (confirm && now < life.latest)) {
			ask(Question::renewal, halfway(now), now);
		}
		else {
			ask(Question::probe, life.latest, now);
		}
		break;
	}
	case State::notRenewable:
		if (endKnown() && now < life.latest) {
			ask(Question::probe, life.latest, now);
		}
		else if (_memory.reason == Reason::limitedUses) {
			_memory.next.reset();
		}
		else {
			ask(Question::probe, now + probePause(*_policy, _policy->firstProbe, ++_memory.streak), now);
		}
		break;
	case State::denied:
		ask(Question::renewal, halfway(now), now);
		break;
	case State::expired:
		if (endKnown() && now < life.hopeUntil) {
			// Dead by all that was answered; but a renewal whose answer was lost may have saved it.
			ask(Question::renewal, retry(now, retryAfter), now);
		}
		else {
			if (_memory.question != Question::probe) {
				_memory.streak = 0; // counts probes from here
			}
			ask(Question::probe, probe(now), now);
		}
		break;
	}
	if (retryAfter && _memory.next) {
		_memory.notBefore = *_memory.next;
	}
}

/// A slow answer leaves the hour of death vague; a quicker one tells it better.
void Keeper::sharpen(Instant now)
{
	const auto& life = _memory.life;
	if (_memory.state == State::capped && life.latest - life.earliest > 4 * _policy->forecastSlack) {
		ask(Question::remains, now, now);
	}
}

void Keeper::ask(Question question, Instant at, Instant now)
{
	_memory.question = question;
	_memory.next = std::max(at, soonest(now));
}

/// After a failure that leaves hope.
Instant Keeper::retry(Instant now, std::optional<Duration> retryAfter)
{
	const auto [gap, guard] = pace();
	const auto streak = _memory.streak;
	if (!endKnown()) {
		// It may die meanwhile, for all that is known: the server's wish is kept no longer than any other pause.
		return now + (retryAfter ? std::min<Duration>(*retryAfter, _policy->longestPause)
								 : passingPause(*_policy, gap, std::nullopt, streak, roll()));
	}
	if (const auto soon = amidEnd(now)) {
		return *soon;
	}
	const auto end = nextEnd(now);
	const auto remains = std::max(end - now, Duration::zero());
	const auto pause = _memory.failing == Failing::refused ? refusedPause(*_policy, remains, streak, failingFor(now))
														   : passingPause(*_policy, gap, remains, streak, roll());
	return beforeEnd(now + retryAfter.value_or(pause), now, end, guard);
}

/// Half of what remains: for what a person must mend. It may be mended in the last moment, too.
Instant Keeper::halfway(Instant now) const
{
	const auto& life = _memory.life;
	if (!endKnown() || _memory.started >= life.latest) {
		return now + probePause(*_policy, _policy->firstRefusedPause, _memory.streak);
	}
	return amidEnd(now).value_or(beforeEnd(now + (life.earliest - now) / 2, now, life.earliest, pace().guard));
}

Instant Keeper::probe(Instant now)
{
	const auto first = endKnown() ? _policy->firstProbe : _policy->firstRefusedPause;
	return now + probePause(*_policy, first, ++_memory.streak);
}

/// The end that can still be forestalled.
Instant Keeper::nextEnd(Instant now) const
{
	const auto& life = _memory.life;
	return now < life.latest ? life.earliest : life.hopeFrom;
}

/// From a guard before the first moment at which it may end until the last one, each may be it. Mostly a gap is as much
/// as lies between the two; but where several renewals had no answer, or one was slow, every gap would be hundreds of
/// requests. What lies between two looks is what can be lost then.
std::optional<Instant> Keeper::amidEnd(Instant now) const
{
	const auto& life = _memory.life;
	const auto [gap, guard] = pace();
	const auto first = nextEnd(now);
	const auto last = now < life.latest ? life.latest : life.hopeUntil;
	if (!endKnown() || now < first - guard || now >= last) {
		return std::nullopt;
	}
	const auto step = std::max<Duration>(gap, (last - first) / _policy->looksAtEnd);
	return beforeEnd(_memory.started + step, now, last, guard);
}

/// And to renew after that, if it tells of an end that is near. A renewal alone would save the token as well.
bool Keeper::isTimeToLookUp(Instant at) const
{
	const auto [gap, guard] = pace();
	return !endKnown() || at + 2 * gap + guard < nextEnd(at);
}

Instant Keeper::soonest(Instant now) const
{
	return std::max(now, _memory.started + pace().gap);
}

Pace Keeper::pace() const
{
	return paceOf(*_policy, _memory.life.lease, _memory.latency);
}

std::optional<Duration> Keeper::increment() const
{
	const auto wanted = _policy->increment > Duration::zero() ? _policy->increment : _memory.life.fullLease;
	const auto whole = std::chrono::floor<std::chrono::seconds>(wanted);
	const bool asks = _policy->increment > Duration::zero() || _memory.repairing;
	return asks && whole > Duration::zero() ? std::optional<Duration>(whole) : std::nullopt;
}

/// Splitmix64: a number in [0, 1).
double Keeper::roll()
{
	_memory.dice += 0x9e3779b97f4a7c15U;
	auto bits = _memory.dice;
	bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
	bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
	bits ^= bits >> 31U;
	return static_cast<double>(bits >> 11U) * 0x1.0p-53;
}

} // namespace issuer::vault::renewal
