#include "renewal/keeper.h"

#include <algorithm>
#include <utility>

/// What an answer means: one function for each row of the rules.
namespace issuer::vault::renewal {
namespace {

/// A failed attempt of these is one of the renewal itself: without their answer it cannot go on.
constexpr bool isRenewing(Question question)
{
	switch (question) {
	case Question::first:
	case Question::renewal:
	case Question::wrapped:
		return true;
	case Question::diagnosis:
	case Question::remains:
	case Question::probe:
		return false;
	}
	return false;
}

/// A 5xx does not say whether the work was done before it went wrong ("leadership lost while committing log").
bool mayHaveBeenDone(const Trouble& trouble)
{
	const bool unknown = trouble.kind == Trouble::Kind::transport || trouble.kind == Trouble::Kind::malformed ||
						 (trouble.kind == Trouble::Kind::serverAway && trouble.reason != Reason::sealed);
	return unknown && !trouble.unsent;
}

} // namespace

Keeper::Verdict Keeper::conclude(const Span& span, const TokenFacts& facts)
{
	switch (_memory.question) {
	case Question::diagnosis: // alive: then it is only the renewal that is refused
		bring(span, facts);
		return denied(span, {});
	case Question::remains:
		bring(span, facts);
		meetWall();
		plan(span.now.boot);
		return {};
	case Question::wrapped: {
		const auto before = _memory.life;
		const Duration rounding = std::chrono::seconds(1);
		bring(span, facts);
		auto& life = _memory.life;
		const bool asBefore =
			life.earliest - rounding <= before.hopeUntil && before.hopeUntil <= life.latest + rounding;
		const Grant grant{asBefore ? before.lease : std::max<Duration>(facts.ttl, rounding), false};
		life.lease = grant.lease;
		watchWall(grant, before);
		return renewed(span);
	}
	case Question::first:
	case Question::renewal:
	case Question::probe:
		return learn(span, facts);
	}
	return {}; // no other question
}

/// What the first look-up says is used at once: it may be the only one of a life.
Keeper::Verdict Keeper::learn(const Span& span, const TokenFacts& facts)
{
	if (!facts.expires && facts.usesLeft == 0) {
		return lastsForEver(span);
	}
	auto verdict = succeed(span, Outcome::none);
	if (facts.expires) {
		bring(span, facts);
	}
	if (facts.usesLeft != 0) {
		// Each request burns one use, and the last one kills the token: so this was the last.
		enter(facts.usesLeft < 0 ? State::expired : State::notRenewable, Reason::limitedUses);
	}
	else if (facts.batch) {
		enter(State::notRenewable, Reason::batch);
	}
	else if (!facts.renewable) {
		enter(State::notRenewable, Reason::notRenewable);
	}
	else if (atWall()) {
		enter(State::capped, Reason::maxTtl);
	}
	else {
		enter(State::active, Reason::none);
	}
	plan(span.now.boot);
	sharpen(span.now.boot);
	return verdict;
}

Keeper::Verdict Keeper::lastsForEver(const Span& span)
{
	auto verdict = succeed(span, Outcome::none);
	_memory.life = {};
	_memory.life.end = Life::End::never;
	enter(State::noExpiry, Reason::none);
	plan(span.now.boot);
	return verdict;
}

Keeper::Verdict Keeper::conclude(const Span& span, const Grant& grant)
{
	const auto before = _memory.life;
	bring(span, grant.lease);
	watchWall(grant, before);
	repairRatchet(grant);
	if (!grant.renewable) {
		auto verdict = succeed(span, Outcome::notRenewable);
		verdict.reason = Reason::notRenewable;
		enter(State::notRenewable, Reason::notRenewable);
		plan(span.now.boot);
		return verdict;
	}
	return renewed(span);
}

/// It was renewed, by how much is not said: a look-up tells.
Keeper::Verdict Keeper::conclude(const Span& span, const WrappedGrant&)
{
	mayHaveBeenRenewed({span.sent, span.sent});
	ask(Question::wrapped, span.now.boot, span.now.boot);
	return {};
}

Keeper::Verdict Keeper::renewed(const Span& span)
{
	auto verdict = succeed(span, Outcome::success);
	_memory.lastSuccess = span.now.wall;
	const bool capped = atWall();
	enter(capped ? State::capped : State::active, capped ? Reason::maxTtl : Reason::none);
	plan(span.now.boot);
	sharpen(span.now.boot);
	return verdict;
}

Keeper::Verdict Keeper::conclude(const Span& span, const Trouble& trouble)
{
	switch (trouble.kind) {
	case Trouble::Kind::denied:
		return denied(span, trouble);
	case Trouble::Kind::refused:
	case Trouble::Kind::gone:
		return refused(span, trouble);
	case Trouble::Kind::unclearRefusal:
		return unclear(span, trouble);
	case Trouble::Kind::pastMaxTtl:
		return pastMaxTtl(span, trouble);
	case Trouble::Kind::notRenewable:
	case Trouble::Kind::batch:
		return notRenewable(span, trouble);
	case Trouble::Kind::noLease:
		return lastsForEver(span);
	case Trouble::Kind::throttled:
	case Trouble::Kind::serverAway:
	case Trouble::Kind::malformed:
	case Trouble::Kind::configuration:
	case Trouble::Kind::transport:
		return passing(span, trouble);
	case Trouble::Kind::cancelled: // by stop, which follows
		_memory.next = soonest(span.now.boot);
		return {};
	}
	return {}; // no other kind
}

/// Says nothing about the token: its life runs on, and so do the attempts until it is over.
Keeper::Verdict Keeper::passing(const Span& span, const Trouble& trouble)
{
	if (_memory.question == Question::renewal && mayHaveBeenDone(trouble)) {
		mayHaveBeenRenewed(span);
	}
	Verdict verdict;
	if (isRenewing(_memory.question)) {
		verdict = fail(span, _memory.state == State::denied ? Failing::denied : Failing::passing, trouble);
	}
	if (endKnown() && span.sent.boot >= _memory.life.latest) {
		if (_memory.state != State::expired) {
			enter(State::expired, Reason::expired);
		}
	}
	else if (_memory.state == State::starting) {
		enter(State::starting, trouble.reason);
	}
	else if (_memory.state == State::active || _memory.state == State::retrying) {
		enter(State::retrying, trouble.reason);
	}
	plan(span.now.boot, trouble.retryAfter);
	return verdict;
}

/// The server does not accept the token. Before its end that need not be death: a wrong source address, a disabled
/// entity, a balancer or a namespace fault say the same, and heal.
Keeper::Verdict Keeper::refused(const Span& span, const Trouble& trouble)
{
	if (_memory.question == Question::first) {
		// Policies may allow the renewal alone; its answer wins.
		ask(Question::renewal, span.now.boot, span.now.boot);
		return {};
	}
	Verdict verdict;
	if (isRenewing(_memory.question)) {
		verdict = fail(span, Failing::refused, trouble);
	}
	else if (_memory.state != State::expired) {
		_memory.streak = _memory.failing == Failing::refused ? _memory.streak + 1 : 1;
		_memory.failing = Failing::refused;
	}
	if (endKnown() && span.sent.boot >= _memory.life.latest) {
		_memory.life.hopeFrom = _memory.life.hopeUntil = _memory.life.latest; // nothing has prolonged it
	}
	const bool past = endKnown() && span.now.boot >= _memory.life.earliest;
	if (_memory.state != State::expired) {
		enter(past || !endKnown() ? State::expired : State::retrying, past ? Reason::expired : Reason::refused);
	}
	plan(span.now.boot);
	return verdict;
}

/// A 403 in words not known: one look-up tells whether the token or only its renewal is refused.
Keeper::Verdict Keeper::unclear(const Span& span, const Trouble& trouble)
{
	if (_memory.question == Question::renewal) {
		if (_memory.failing == Failing::denied) {
			return denied(span, trouble); // diagnosed before
		}
		const bool hopeful = _memory.state != State::expired || span.now.boot < _memory.life.hopeUntil;
		if (_memory.failing != Failing::refused && hopeful && endKnown()) {
			auto verdict = fail(span, Failing::passing, trouble);
			if (_memory.state == State::active) {
				enter(State::retrying, trouble.reason);
			}
			ask(Question::diagnosis, span.now.boot, span.now.boot);
			return verdict;
		}
	}
	return refused(span, trouble);
}

/// Alive, but the server will not renew it. What forbids it may be mended.
Keeper::Verdict Keeper::denied(const Span& span, const Trouble& trouble)
{
	Verdict verdict;
	switch (_memory.question) {
	case Question::first: // the look-up alone may be forbidden
		ask(Question::renewal, span.now.boot, span.now.boot);
		return {};
	case Question::wrapped: // renewed, and nobody may say by how much: as always, then
		if (endKnown()) {
			auto& life = _memory.life;
			life.earliest = std::max(life.earliest, life.hopeUntil);
			life.latest = life.hopeFrom = life.hopeUntil = life.earliest + _memory.latency;
			return renewed(span);
		}
		verdict = fail(span, Failing::denied, trouble);
		break;
	case Question::probe: // alive
		if (_memory.state == State::notRenewable || _memory.state == State::noExpiry) {
			plan(span.now.boot);
		}
		else {
			ask(Question::renewal, span.now.boot, span.now.boot);
		}
		return {};
	case Question::remains:
		plan(span.now.boot);
		return {};
	case Question::diagnosis:
		_memory.failing = Failing::denied;
		_memory.streak = 1;
		break;
	case Question::renewal:
		verdict = fail(span, Failing::denied, trouble);
		if (endKnown() && span.sent.boot >= _memory.life.latest) {
			// Only the living are denied: somebody else has prolonged it, or a renewal whose answer was lost.
			if (trouble.kind == Trouble::Kind::denied) {
				outlived(span.now.boot);
				enter(State::denied, Reason::refused);
			}
			_memory.streak = 1;
			ask(Question::diagnosis, span.now.boot, span.now.boot);
			return verdict;
		}
		break;
	}
	if (_memory.state != State::capped) {
		enter(State::denied, Reason::refused);
	}
	plan(span.now.boot);
	return verdict;
}

/// In the last second at the wall; or with life left, where a maximum was lowered: a look-up tells how much.
Keeper::Verdict Keeper::pastMaxTtl(const Span& span, const Trouble& trouble)
{
	if (_memory.question != Question::renewal) {
		return passing(span, trouble);
	}
	const bool known = _memory.state == State::capped && _memory.life.wallMet;
	Verdict verdict{Outcome::notRenewable, trouble.reason, trouble.detail, _memory.failures + 1, 0, {}};
	if (_memory.toldNotRenewable) {
		verdict = fail(span, Failing::passing, trouble);
	}
	meetWall();
	if (known) {
		plan(span.now.boot);
	}
	else {
		ask(Question::remains, span.now.boot, span.now.boot);
	}
	return verdict;
}

Keeper::Verdict Keeper::notRenewable(const Span& span, const Trouble& trouble)
{
	if (_memory.life.end == Life::End::never) {
		return {}; // no news of a token that needs no renewal
	}
	Verdict verdict{Outcome::notRenewable, trouble.reason, trouble.detail, _memory.failures + 1, 0, {}};
	if (_memory.toldNotRenewable) {
		verdict = fail(span, Failing::passing, trouble);
	}
	enter(State::notRenewable, trouble.reason);
	plan(span.now.boot);
	return verdict;
}

Keeper::Verdict Keeper::succeed(const Span&, Outcome outcome)
{
	Verdict verdict;
	verdict.outcome = outcome;
	verdict.attempt = outcome == Outcome::none ? 0 : _memory.failures + 1;
	verdict.failures = _memory.failures;
	verdict.failingSince = _memory.failingSince;
	_memory.failures = 0;
	_memory.streak = 0;
	_memory.failing = Failing::not_;
	return verdict;
}

Keeper::Verdict Keeper::fail(const Span& span, Failing kind, const Trouble& trouble)
{
	if (_memory.failures == 0) {
		_memory.failingSince = span.sent.boot;
	}
	++_memory.failures;
	_memory.streak = _memory.failing == kind ? _memory.streak + 1 : 1;
	_memory.failing = kind;
	return {Outcome::failure, trouble.reason, trouble.detail, _memory.failures, 0, {}};
}

} // namespace issuer::vault::renewal
