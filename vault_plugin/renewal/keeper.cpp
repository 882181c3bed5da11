#include "renewal/keeper.h"

#include "renewal/schedule.h"

#include <algorithm>
#include <iterator>

namespace issuer::vault::renewal {
Keeper::Keeper(std::shared_ptr<const Policy> policy, std::uint64_t seed) : _policy(std::move(policy)), _chance(seed) {}

Reports Keeper::begin(Moment now, bool haveToken)
{
	if (_running) {
		return {};
	}
	_absent = !haveToken;
	Memory fresh;
	fresh.started = _memory.started; // the gap to the previous life's last request is kept too
	fresh.latency = _memory.latency;
	fresh.told.notesUnspent = _memory.told.notesUnspent;
	fresh.told.notesCounted = _memory.told.notesCounted;
	fresh.told.successes = _memory.told.successes;
	fresh.told.failures = _memory.told.failures;
	fresh.told.notRenewables = _memory.told.notRenewables;
	fresh.told.lastSuccess = _memory.told.lastSuccess;
	fresh.retry.asOf = now.boot;
	fresh.retry.atOnce = true;
	_memory = fresh;
	_running = true;
	planAnew();
	return told(now, [](Announcements& announcements) { announcements.tell({}); });
}

Reports Keeper::resume(Moment now, const Memory& memory, bool sameToken)
{
	if (_running) {
		return {};
	}
	_memory = memory;
	_memory.started = std::min(_memory.started, now.boot);
	_memory.retry.asOf = std::min(_memory.retry.asOf, now.boot);
	if (memory.retry.asOf == Instant::min() || !sameToken) {
		return begin(now);
	}
	_running = true;
	_absent = false;
	_memory.told.state = State::stopped;
	planAnew();
	return told(now, [](Announcements& announcements) { announcements.tell({}); });
}

void Keeper::planAnew() noexcept
{
	const auto chance = _chance.value();
	_plan = _running && !_absent ? planOf(*_policy, _memory, chance, _successor.isHoped()) : Plan{};
	if (_candidate) {
		_candidate->plan = planOfCandidate(*_policy, _memory, *_candidate, chance, _plan.at);
	}
}

std::optional<Instant> Keeper::next() const
{
	if (!_running || _out) {
		return std::nullopt;
	}
	if (!_candidate) {
		return _plan.at;
	}
	return _plan.at ? std::min(_plan.at, _candidate->plan.at) : _candidate->plan.at;
}

/// Tells whether the next request is about the candidate. Where both tokens are due, the one in use goes first; but not
/// after its end, unless the candidate is due later; and where the end is vague for longer than a look-up's rounding
/// leaves it they take turns, since the one in use is due every gap then, for as long as a lease. Where an answer takes
/// longer than a renewal may wait, renewals leave no room: then the candidate goes first too.
bool Keeper::isCandidatesTurn(Instant now) const
{
	if (!_candidate || !_plan.at || now < *_plan.at) {
		return _candidate != nullptr;
	}
	const auto due = *_candidate->plan.at;
	const auto& lease = _memory.lease;
	if (_memory.dead() && lease.overAt(now)) {
		return due <= *_plan.at;
	}
	const bool noRoom = interval(*_policy, lease.granted) <= _memory.latency.recent;
	constexpr Duration rounding = 2500ms;
	const bool isTurn = now > lease.earliest + rounding && _memory.retry.asOf > _candidate->retry.asOf;
	return lease.known() && due <= now && (noRoom || isTurn);
}

/// Returns the request to send.
Attempt Keeper::attempt(Moment now)
{
	Attempt attempt;
	if (isCandidatesTurn(now.boot)) {
		attempt.token = Token::candidate;
		attempt.operation = _candidate->plan.operation;
		attempt.budget = budgetOfCandidate(*_policy, _memory, _candidate->retry, now.boot, _plan.at);
		_candidate->retry.atOnce = false;
	}
	else {
		attempt.operation = _plan.operation;
		attempt.budget = budgetOf(*_policy, _memory, now.boot);
		if (attempt.operation == Operation::renew && increment() > Duration::zero()) {
			attempt.increment = increment();
		}
		_memory.retry.atOnce = false;
	}
	_out = Out{attempt.operation, attempt.token};
	_memory.started = now.boot;
	_seen = now;
	return attempt;
}

Duration Keeper::increment() const
{
	const auto wanted = _policy->increment > Duration::zero() ? _policy->increment : _memory.lease.toAskFor(*_policy);
	return std::chrono::floor<std::chrono::seconds>(wanted);
}

Reports Keeper::answered(Moment sent, Moment now, const Answer& answer)
{
	if (!_running || !_out) {
		return {};
	}
	const auto out = *std::exchange(_out, std::nullopt);
	_chance.next();
	const Span span{sent.boot < now.boot ? sent : now, now};
	const auto* trouble = std::get_if<Trouble>(&answer);
	const bool unanswered = trouble != nullptr && trouble->kind == Trouble::Kind::transport;
	_memory.latency.measure(span.now.boot - span.sent.boot, !unanswered);
	if (out.token == Token::candidate) {
		return answeredOfCandidate(span, out.operation, answer);
	}
	const auto verdict = conclude(span, out.operation, answer);
	planAnew();
	auto reports = told(now, [&](Announcements& announcements) { announcements.tell(verdict); });
	if (_candidate && !_candidate->provenFirst && !_memory.mayLive(now.boot)) {
		adopt();
		planAnew();
		auto more = told(now, [](Announcements& announcements) { announcements.tellReplaced(); });
		std::move(more.begin(), more.end(), std::back_inserter(reports));
	}
	return reports;
}

Reports Keeper::answeredOfCandidate(const Span& span, Operation operation, const Answer& answer)
{
	if (accepts(span, operation, answer)) {
		adopt();
		const auto verdict = conclude(span, operation, answer);
		planAnew();
		return told(span.now, [&](Announcements& announcements) {
			announcements.tellReplaced();
			announcements.tell(verdict);
		});
	}
	planAnew();
	const auto& retry = _candidate->retry;
	return told(span.now, [&](Announcements& announcements) {
		const auto* trouble = std::get_if<Trouble>(&answer);
		const bool believed = retry.kind == Failing::refused && retry.refusals == _policy->refusalsDoubted + 1;
		announcements.tellCandidateFailed(trouble != nullptr ? trouble->detail : "the server names an impossible lease",
			retry.failures == 1, believed);
	});
}

Reports Keeper::candidateFound(Moment now)
{
	return found(now, false, std::nullopt);
}

Reports Keeper::candidateFound(Moment now, const std::optional<FirstGrant>& grant)
{
	return found(now, true, grant);
}

Reports Keeper::found(Moment now, bool provenFirst, const std::optional<FirstGrant>& grant)
{
	if (!_running) {
		return {};
	}
	if (_out && _out->token == Token::candidate) {
		_out.reset();
	}
	_memory.told.unreadable = false;
	_candidate = std::make_unique<Candidate>();
	_candidate->provenFirst = provenFirst;
	_candidate->grant = grant;
	auto& retry = _candidate->retry;
	retry.asOf = now.boot;
	retry.atOnce = true;
	if (provenFirst || _memory.mayLive(now.boot)) {
		planAnew();
		return told(now, [provenFirst](Announcements& announcements) {
			if (!provenFirst) {
				announcements.tellCandidateFound();
			}
		});
	}
	_out.reset();
	adopt();
	planAnew();
	return told(now, [](Announcements& announcements) { announcements.tellReplaced(); });
}

Reports Keeper::candidateGone(Moment now)
{
	_memory.told.unreadable = false;
	if (_running && _candidate) {
		if (_out && _out->token == Token::candidate) {
			_out.reset();
		}
		_candidate.reset();
		_seen = now;
		planAnew();
	}
	return {};
}

/// Begins a new life with the candidate: nothing is known of it but the history of its attempts.
void Keeper::adopt()
{
	_memory.lease = {};
	_memory.retry = _candidate->retry;
	_memory.owed = Owed::nothing;
	_memory.accepted = false;
	_memory.death = Reason::none;
	_memory.unrenewable = Reason::none;
	_absent = false;
	if (const auto& first = _candidate->grant) {
		_memory.lease.grantedBy(first->span, first->grant, *_policy);
		_memory.unrenewable = first->grant.renewable ? Reason::none : Reason::notRenewable;
		_memory.retry.succeed(); // a token with a grant is adopted by the answer that accepts it
	}
	_candidate.reset();
	if (_memory.retry.failures == 0) {
		_memory.retry.reason = Reason::credentialChanged;
	}
}

void Keeper::replan(Moment now) noexcept
{
	if (!_running) {
		return;
	}
	_seen = now;
	interrupted(now);
	planAnew();
}

/// Counts the attempt under way as one that the server did not answer.
void Keeper::interrupted(Moment now)
{
	if (!_out) {
		return;
	}
	const auto out = *std::exchange(_out, std::nullopt);
	const Span span{{_memory.started, now.wall}, now};
	const Answer none = Trouble{};
	if (out.token == Token::current) {
		static_cast<void>(conclude(span, out.operation, none));
	}
	else if (_candidate) {
		static_cast<void>(accepts(span, out.operation, none));
	}
}

Reports Keeper::credentialUnreadable(Moment now, bool haveToken, std::string_view why)
{
	if (!_running) {
		return {};
	}
	if (haveToken) {
		return told(now, [&](Announcements& announcements) { announcements.tellUnreadable(why); });
	}
	_out.reset();
	_memory.retry.atOnce = false;
	_memory.retry.answeredAt(now.boot, std::nullopt);
	_memory.retry.fail(Failing::passing, Reason::credentialUnreadable, now.boot);
	planAnew();
	const Conclusion verdict{
		Outcome::failure, Reason::credentialUnreadable, why, _memory.retry.failures, 0, _memory.retry.failingSince};
	return told(now, [&](Announcements& announcements) { announcements.tell(verdict); });
}

void Keeper::renewNow(Moment now)
{
	if (!_running || _out || _memory.retry.isDoubting(*_policy)) {
		return;
	}
	_seen = now;
	_memory.retry.asOf = now.boot;
	_memory.retry.atOnce = true;
	planAnew();
}

Reports Keeper::stopped(Moment now)
{
	if (!_running) {
		return {};
	}
	if (_out && _out->token == Token::current) {
		if (_out->operation == Operation::renew) {
			_memory.lease.mayHaveBeenRenewed(_memory.started, now.boot, increment());
		}
		_memory.retry.asOf = now.boot;
		_memory.retry.atOnce = true; // the keeper that resumes from this memory asks again
	}
	_out.reset();
	_candidate.reset();
	_running = false;
	planAnew();
	return told(now, [](Announcements& announcements) { announcements.tell({}); });
}

template <class Tell>
Reports Keeper::told(const Moment& now, const Tell& tell)
{
	_seen = now;
	const Situation situation{*_policy, _memory, standing(), now, next(), _successor};
	Announcements announcements(situation, _memory.told);
	tell(announcements);
	return announcements.take();
}

Standing Keeper::standing() const
{
	return _running ? standingOf(*_policy, _memory, _successor) : Standing{};
}

Reports Keeper::followedBy(Moment now, const Successor& successor)
{
	if (!_running || successor == _successor) {
		return {};
	}
	_successor = successor;
	planAnew();
	return told(now, [](Announcements& announcements) { announcements.tell({}); });
}

TokenLife Keeper::life() const
{
	using enum TokenLife::Standing;
	const auto& lease = _memory.lease;
	const auto& retry = _memory.retry;
	const auto told = standing();
	TokenLife life;
	life.state = told.state;
	life.reason = told.reason;
	life.accepted = _memory.accepted;
	life.forEver = lease.end == Lease::End::never;
	life.renewable = _memory.unrenewable == Reason::none;
	if (lease.known()) {
		life.expiry = _memory.dead() ? lease.ifRenewedLatest : lease.earliest;
	}
	life.maxTtlEnd = lease.maxTtlEnd;
	life.lease = lease.granted;
	life.capped = lease.maxTtlReached;
	life.candidatePending = _candidate != nullptr;
	life.candidateRefused = _candidate && _candidate->retry.kind == Failing::refused &&
							_candidate->retry.refusals > _policy->refusalsDoubted;
	if (!_running || _absent) {
		life.standing = none;
	}
	else if (_memory.dead()) {
		life.standing = ended;
	}
	else if (retry.kind == Failing::refused && lease.known()) {
		life.standing = retry.streak > 1 ? refused : living;
	}
	else if (retry.kind == Failing::denied && life.renewable) {
		life.standing = denied;
	}
	else {
		life.standing = living;
	}
	return life;
}

Snapshot Keeper::snapshot(Moment now) const
{
	const auto& lease = _memory.lease;
	const auto& told = _memory.told;
	const auto wallAt = [&](std::optional<Instant> instant) {
		return instant ? std::optional(now.wallAt(*instant)) : std::nullopt;
	};
	const auto [state, reason] = standing();

	Snapshot snapshot;
	snapshot.state = state;
	snapshot.reason = reason;
	snapshot.consecutiveFailures = _memory.retry.failures;
	snapshot.expires = hourOfDeath({*_policy, _memory, {state, reason}, now, std::nullopt});
	snapshot.next = wallAt(next());
	snapshot.lastSuccess = wallAt(told.lastSuccess);
	if (_memory.started != Instant::min()) {
		snapshot.lastAttempt = now.wallAt(_memory.started);
	}
	snapshot.cappedAt = wallAt(lease.maxTtlEnd);
	snapshot.successes = told.successes;
	snapshot.failures = told.failures;
	snapshot.notRenewables = told.notRenewables;
	snapshot.lastLatency = _memory.latency.last;
	snapshot.lease = lease.granted;
	return snapshot;
}

std::optional<Instant> Keeper::expiry() const
{
	if (!_memory.lease.known() || _memory.dead()) {
		return std::nullopt; // a dead token can wait: it has nothing to lose
	}
	return _memory.lease.earliest;
}

bool Keeper::settled() const
{
	const auto& retry = _memory.retry;
	if (standing().state != State::starting) {
		return true;
	}
	const bool cutShort = retry.reason == Reason::timeout && retry.failingFor(_seen.boot) < _policy->requestTimeout;
	const bool asksOtherwise = retry.renewNext || retry.useless == 1 || retry.isDoubting(*_policy);
	return retry.failures > 0 && !cutShort && !asksOtherwise;
}

} // namespace issuer::vault::renewal
