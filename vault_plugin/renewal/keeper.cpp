#include "renewal/keeper.h"

#include <algorithm>
#include <iterator>

namespace issuer::vault::renewal {

Keeper::Keeper(std::shared_ptr<const Policy> policy, std::uint64_t seed) : _policy(std::move(policy))
{
	_memory.dice = seed;
}

Reports Keeper::begin(Moment now)
{
	if (_memory.running) {
		return {};
	}
	Memory fresh;
	fresh.running = true;
	fresh.started = _memory.started; // the gap to the last request of the life before is kept too
	fresh.seen = now;
	fresh.latency = _memory.latency;
	fresh.leastLatency = _memory.leastLatency;
	fresh.lastLatency = _memory.lastLatency;
	fresh.lastSuccess = _memory.lastSuccess;
	fresh.lastAttempt = _memory.lastAttempt;
	fresh.successes = _memory.successes;
	fresh.failuresEver = _memory.failuresEver;
	fresh.notRenewables = _memory.notRenewables;
	fresh.notesUnspent = _memory.notesUnspent;
	fresh.notesCounted = _memory.notesCounted;
	fresh.dice = _memory.dice;
	_memory = fresh;
	enter(State::starting, Reason::none);
	ask(Question::first, now.boot, now.boot);
	return report(now, {});
}

Reports Keeper::resume(Moment now, const Memory& memory, bool sameToken)
{
	if (_memory.running) {
		return {};
	}
	const auto dice = _memory.dice; // one's own: a fleet that was handed over must not jitter as one
	_memory = memory;
	_memory.dice = dice;
	_memory.running = false;
	_memory.candidate.reset();
	if (memory.state == State::stopped || !sameToken) {
		return begin(now);
	}
	_memory.running = true;
	_memory.asking = false;
	_memory.seen = now;
	_memory.toldState = State::stopped;
	return report(now, {});
}

std::optional<Instant> Keeper::next() const
{
	if (!_memory.running || _memory.asking) {
		return std::nullopt;
	}
	if (!_memory.candidate) {
		return _memory.next;
	}
	const auto at = std::max(_memory.candidate->next, soonest(_memory.candidate->next));
	return std::min(_memory.next.value_or(at), at);
}

Attempt Keeper::attempt(Moment now)
{
	const bool ofCandidate = _memory.candidate && (!_memory.next || *_memory.next > now.boot);
	_memory.asking = true;
	_memory.asked = ofCandidate ? Token::candidate : Token::current;
	_memory.unreadable = false;
	_memory.started = now.boot;
	_memory.lastAttempt = now.wall;
	_memory.seen = now;

	Attempt attempt;
	if (ofCandidate) {
		attempt.token = Token::candidate;
		attempt.operation = _memory.candidate->renew ? Operation::renew : Operation::lookUp;
		attempt.budget = firstBudget(*_policy, Duration::zero(), _memory.latency);
		if (_memory.next) {
			// The token in use waits for this answer.
			attempt.budget =
				std::min(attempt.budget, std::max({*_memory.next - now.boot, pace().gap, 2 * _memory.latency}));
		}
		return attempt;
	}
	_memory.next.reset();
	attempt.operation = operationFor(_memory.question);
	attempt.budget = _policy->requestTimeout;
	if (endKnown() && _memory.life.lease > Duration::zero()) {
		const auto remains = std::max(nextEnd(now.boot) - now.boot, Duration::zero());
		attempt.budget = budget(*_policy, pace(), remains, _memory.life.lease, _memory.latency);
	}
	else if (_memory.state == State::starting) {
		attempt.budget = firstBudget(*_policy, failingFor(now.boot), _memory.latency);
	}
	if (attempt.operation == Operation::renew) {
		attempt.increment = increment();
	}
	return attempt;
}

Reports Keeper::answered(Moment sent, Moment now, const Answer& answer)
{
	if (!_memory.running || !_memory.asking) {
		return {};
	}
	_memory.asking = false;
	_memory.seen = now;
	_memory.toldUnreadable = _memory.toldUnreadable && _memory.unreadable;

	const Span span{sent.boot < now.boot ? sent : now, now};
	_memory.lastLatency = span.now.boot - span.sent.boot;
	measureLatency(
		std::holds_alternative<Trouble>(answer) && std::get<Trouble>(answer).kind == Trouble::Kind::transport);
	if (_memory.asked == Token::candidate) {
		return answeredOfCandidate(span, answer);
	}
	auto reports = report(now, std::visit([&](const auto& said) { return conclude(span, said); }, answer));
	if (_memory.candidate && !mayLive()) {
		adopt(now);
		auto more = report(now, {});
		std::move(more.begin(), more.end(), std::back_inserter(reports));
	}
	return reports;
}

/// Accepted is each answer that a server gives only of a token that it knows.
Reports Keeper::answeredOfCandidate(const Span& span, const Answer& answer)
{
	auto& candidate = *_memory.candidate;
	const auto* trouble = std::get_if<Trouble>(&answer);
	if (trouble != nullptr) {
		bool accepted = false;
		switch (trouble->kind) {
		case Trouble::Kind::denied:
		case Trouble::Kind::pastMaxTtl:
		case Trouble::Kind::notRenewable:
		case Trouble::Kind::batch:
		case Trouble::Kind::noLease:
			accepted = true;
			break;
		case Trouble::Kind::refused:
		case Trouble::Kind::unclearRefusal:
		case Trouble::Kind::gone:
			++candidate.refusals;
			break;
		case Trouble::Kind::serverAway:
		case Trouble::Kind::malformed:
		case Trouble::Kind::configuration:
			candidate.useless += trouble->unsent ? 0 : 1;
			break;
		case Trouble::Kind::throttled:
		case Trouble::Kind::transport:
		case Trouble::Kind::cancelled:
			break;
		}
		if (!accepted) {
			++candidate.failures;
			planCandidate(span.now.boot, trouble->retryAfter);
			Reports reports;
			if (candidate.failures == 1) {
				note(reports, span.now.boot, Level::warn,
					"the new token is not accepted yet: " + trouble->detail + "; going on with the token from before");
			}
			return reports;
		}
	}
	const bool renewed = candidate.renew;
	adopt(span.now);
	_memory.question = renewed ? Question::renewal : Question::first;
	_memory.next.reset();
	return report(span.now, std::visit([&](const auto& said) { return conclude(span, said); }, answer));
}

void Keeper::planCandidate(Instant now, std::optional<Duration> retryAfter)
{
	constexpr std::uint32_t asksBeforeBelief = 3;
	auto& candidate = *_memory.candidate;
	candidate.renew = candidate.useless >= 2 && !candidate.renew;
	auto pause = passingPause(*_policy, pace().gap, std::nullopt, candidate.failures, roll());
	if (candidate.renew) {
		pause = Duration::zero();
	}
	else if (candidate.refusals > asksBeforeBelief) {
		pause = probePause(*_policy, _policy->firstRefusedPause, candidate.refusals - asksBeforeBelief);
	}
	else if (candidate.refusals > 0) {
		pause = Duration(_policy->firstPause) * (std::int64_t{1} << (candidate.refusals - 1));
	}
	candidate.next = now + std::max(pause, std::min<Duration>(retryAfter.value_or(pause), _policy->longestPause));
}

/// The token in use may be alive.
bool Keeper::mayLive() const
{
	return _memory.state != State::starting &&
		   (_memory.state != State::expired || (endKnown() && _memory.seen.boot < _memory.life.hopeUntil));
}

/// Follows a slower answer at once, and quicker ones slowly: ten later, a twentieth of it is left. No answer time and
/// again, within the time known to be needed, says that the server hangs, not that it is slow.
void Keeper::measureLatency(bool unanswered)
{
	if (unanswered) {
		const bool hangs = _memory.failures >= 2 && _memory.lastLatency >= _memory.latency;
		if (hangs) {
			_memory.latency = std::max(_memory.latency / 2, std::min(_memory.latency, _memory.leastLatency));
		}
		return;
	}
	_memory.leastLatency = std::min(_memory.leastLatency, _memory.lastLatency);
	const auto quicker = std::max(_memory.latency - _memory.lastLatency, Duration::zero());
	_memory.latency = _memory.lastLatency + quicker - quicker / 4;
}

Reports Keeper::candidateFound(Moment now)
{
	if (!_memory.running) {
		return {};
	}
	_memory.seen = now;
	if (mayLive()) {
		if (_memory.asking && _memory.asked == Token::candidate) {
			_memory.asking = false;
		}
		_memory.candidate.emplace().next = now.boot;
		return {};
	}
	adopt(now);
	return report(now, {});
}

Reports Keeper::candidateGone(Moment now)
{
	if (_memory.running) {
		_memory.seen = now;
		_memory.asking = _memory.asking && _memory.asked == Token::current;
		_memory.candidate.reset();
	}
	return {};
}

/// A new life begins with the candidate.
void Keeper::adopt(Moment now)
{
	_memory.candidate.reset();
	_memory.asking = false;
	_memory.life = {};
	_memory.failures = 0;
	_memory.streak = 0;
	_memory.failing = Failing::not_;
	_memory.unmoved = 0;
	_memory.repairing = false;
	_memory.notBefore = Instant::min();
	_memory.toldWall.reset();
	_memory.toldLease = {};
	_memory.toldNotRenewable = false;
	_memory.toldFailing = false;
	enter(State::starting, Reason::credentialChanged);
	ask(Question::first, now.boot, now.boot);
}

void Keeper::replan(Moment now) noexcept
{
	if (!_memory.running) {
		return;
	}
	_memory.seen = now;
	const bool ofCurrent = _memory.asking && _memory.asked == Token::current;
	if (_memory.asking && !ofCurrent && _memory.candidate) {
		++_memory.candidate->failures;
		planCandidate(now.boot, std::nullopt);
	}
	_memory.asking = false;
	if (ofCurrent) {
		if (_memory.question == Question::renewal) {
			Moment sent = now;
			sent.boot = _memory.started;
			mayHaveBeenRenewed({sent, now});
		}
		_memory.next = soonest(now.boot + _policy->firstPause);
	}
}

Reports Keeper::credentialUnreadable(Moment now, bool haveToken, std::string_view why)
{
	if (!_memory.running) {
		return {};
	}
	_memory.seen = now;
	if (!haveToken && _memory.asking) {
		_memory.asking = false;
		const Trouble trouble{
			Trouble::Kind::configuration, Reason::credentialUnreadable, std::nullopt, std::string(why), true};
		const auto verdict = fail({now, now}, Failing::passing, trouble);
		enter(State::starting, trouble.reason);
		plan(now.boot);
		return report(now, verdict);
	}
	Reports reports;
	_memory.unreadable = true;
	if (haveToken && !_memory.toldUnreadable) {
		_memory.toldUnreadable = note(reports, now.boot, Level::warn,
			"the credential source gives no token: " + std::string(why) + "; going on with the token from before");
	}
	return reports;
}

void Keeper::renewNow(Moment now)
{
	if (!_memory.running || _memory.asking) {
		return;
	}
	_memory.seen = now;
	switch (_memory.state) {
	case State::notRenewable:
		if (_memory.reason == Reason::limitedUses) {
			return;
		}
		_memory.question = Question::probe;
		break;
	case State::noExpiry:
		_memory.question = Question::probe;
		break;
	case State::capped:
		_memory.question = _memory.question == Question::probe ? Question::renewal : _memory.question;
		break;
	case State::stopped:
	case State::starting:
	case State::active:
	case State::retrying:
	case State::denied:
	case State::expired:
		break; // what was to be asked is what is wanted, only sooner
	}
	const auto at = std::max(soonest(now.boot), _memory.notBefore);
	_memory.next = std::min(_memory.next.value_or(at), at);
}

Reports Keeper::stopped(Moment now)
{
	if (!_memory.running) {
		return {};
	}
	_memory.seen = now;
	const bool askingOfCandidate = _memory.asking && _memory.asked == Token::candidate;
	_memory.candidate.reset();
	_memory.asking = _memory.asking && !askingOfCandidate;
	if (_memory.asking) {
		_memory.asking = false;
		if (_memory.question == Question::renewal) {
			Moment sent = now;
			sent.boot = _memory.started;
			mayHaveBeenRenewed({sent, now});
		}
		_memory.next = soonest(now.boot); // whoever resumes asks again
	}
	_memory.running = false;
	return report(now, {});
}

Snapshot Keeper::snapshot() const
{
	const auto& life = _memory.life;
	const auto wallAt = [this](Instant instant) { return _memory.seen.wallAt(instant); };

	Snapshot snapshot;
	if (_memory.running) {
		snapshot.state = _memory.state;
		snapshot.reason = _memory.reason;
		if (const auto planned = next()) {
			snapshot.next = wallAt(*planned);
		}
	}
	snapshot.consecutiveFailures = _memory.failures;
	if (endKnown()) {
		snapshot.expires = wallAt(endToTell());
	}
	if (life.wall) {
		snapshot.cappedAt = wallAt(*life.wall);
	}
	snapshot.lastSuccess = _memory.lastSuccess;
	snapshot.lastAttempt = _memory.lastAttempt;
	snapshot.successes = _memory.successes;
	snapshot.failures = _memory.failuresEver;
	snapshot.notRenewables = _memory.notRenewables;
	snapshot.lastLatency = _memory.lastLatency;
	snapshot.lease = life.lease;
	return snapshot;
}

std::optional<Instant> Keeper::expiry() const
{
	if (!endKnown() || _memory.state == State::expired) {
		return std::nullopt; // the dead wait: nothing of theirs can be lost
	}
	return _memory.life.earliest;
}

bool Keeper::settled() const
{
	if (_memory.state != State::starting) {
		return true;
	}
	const bool cutShort = _memory.reason == Reason::timeout && failingFor(_memory.seen.boot) < _policy->requestTimeout;
	return _memory.failures > 0 && !cutShort;
}

/// How long the server has given no good answer. A source that gave no token tells nothing of that.
Duration Keeper::failingFor(Instant now) const
{
	const bool asked = _memory.failures > 0 && _memory.reason != Reason::credentialUnreadable;
	return asked ? now - _memory.failingSince : Duration::zero();
}

void Keeper::enter(State state, Reason reason)
{
	_memory.state = state;
	_memory.reason = reason;
}

} // namespace issuer::vault::renewal
