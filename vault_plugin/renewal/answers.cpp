#include "renewal/keeper.h"

#include <algorithm>
#include <utility>

/// The meaning of each answer: one function for each row of the table in docs/renewal.md. They change facts, and
/// nothing else.
namespace issuer::vault::renewal {
namespace {

/// Returns whether the renewal may have been carried out. A 5xx does not say whether the work was done before the
/// failure ("leadership lost while committing log"); and no answer tells about the same request sent before it.
bool mayHaveBeenDone(const Trouble& trouble)
{
	const bool unknown = trouble.kind == Trouble::Kind::transport || trouble.kind == Trouble::Kind::malformed ||
						 (trouble.kind == Trouble::Kind::serverAway && trouble.reason != Reason::sealed);
	return (unknown && !trouble.unsent) || trouble.sentBefore;
}

/// Returns whether this is an answer, but neither a look-up's nor a refusal nor a request to wait: a look-up that is
/// answered so may fail for ever where a renewal works.
bool isUseless(const Trouble& trouble)
{
	const bool told = trouble.kind == Trouble::Kind::malformed || trouble.kind == Trouble::Kind::configuration ||
					  (trouble.kind == Trouble::Kind::serverAway && trouble.reason != Reason::sealed);
	return told && !trouble.unsent;
}

const Trouble& impossibleLease()
{
	static const Trouble trouble{Trouble::Kind::malformed, Reason::malformed, std::nullopt,
		"the server names a lease of more than ten years; check proxies and gateways before the server"};
	return trouble;
}

/// Returns the trouble with an answer that no server would give; null: the answer is to be believed.
const Trouble* troubleIn(const Answer& answer, const Policy& policy)
{
	const auto* facts = std::get_if<TokenFacts>(&answer);
	const auto* grant = std::get_if<Grant>(&answer);
	const bool impossible = (facts != nullptr && facts->expires && facts->ttl > policy.longestLease) ||
							(grant != nullptr && grant->lease > policy.longestLease);
	return impossible ? &impossibleLease() : std::get_if<Trouble>(&answer);
}

} // namespace

Conclusion Keeper::conclude(const Span& span, Operation operation, const Answer& answer)
{
	const auto* trouble = troubleIn(answer, *_policy);
	_memory.retry.answeredAt(span.now.boot, trouble != nullptr ? trouble->retryAfter : std::nullopt);
	if (trouble != nullptr) {
		return conclude(span, operation, *trouble);
	}
	_memory.accepted = true;
	if (const auto* facts = std::get_if<TokenFacts>(&answer)) {
		return conclude(span, *facts);
	}
	if (const auto* grant = std::get_if<Grant>(&answer)) {
		return conclude(span, *grant);
	}
	return conclude(span, WrappedGrant{});
}

/// Takes over a look-up. The first one is used at once: it may be the only one of a life.
Conclusion Keeper::conclude(const Span& span, const TokenFacts& facts)
{
	const auto owed = std::exchange(_memory.owed, Owed::nothing);
	auto& lease = _memory.lease;
	if (!facts.expires && facts.usesLeft == 0) {
		return lastsForEver();
	}
	if (owed == Owed::lease) {
		lease.unwrappedBy(span, facts, *_policy);
	}
	else if (facts.expires) {
		lease.lookedUpBy(span, facts, *_policy);
	}
	Conclusion verdict;
	switch (owed) {
	case Owed::nothing:
		verdict = succeed(Outcome::none);
		break;
	case Owed::lease:
		verdict = succeed(Outcome::success);
		break;
	case Owed::verdict: // the token is alive: only its renewal is refused
		foundAlive();
		_memory.retry.restart(Failing::denied);
		break;
	case Owed::remains:
		lease.reachMaxTtl();
		break;
	}
	learnBound(facts);
	return verdict;
}

/// Learns whether the token can be renewed at all. Each look-up tells, whatever its purpose was.
void Keeper::learnBound(const TokenFacts& facts)
{
	if (facts.usesLeft != 0) {
		// Each request costs one use, and the last one kills the token: so this was the last request.
		_memory.unrenewable = Reason::limitedUses;
		if (facts.usesLeft < 0) {
			_memory.death = Reason::limitedUses;
			_memory.lease.endAt(_memory.retry.asOf);
		}
	}
	else if (facts.batch) {
		_memory.unrenewable = Reason::batch;
	}
	else if (!facts.renewable) {
		_memory.unrenewable = Reason::notRenewable;
	}
}

Conclusion Keeper::lastsForEver()
{
	_memory.lease = {};
	_memory.lease.end = Lease::End::never;
	_memory.accepted = true;
	return succeed(Outcome::none);
}

/// Takes over a grant. `renewable: false` in it is final: this lease is the end.
Conclusion Keeper::conclude(const Span& span, const Grant& grant)
{
	_memory.owed = Owed::nothing;
	_memory.lease.grantedBy(span, grant, *_policy);
	if (grant.renewable) {
		return succeed(Outcome::success);
	}
	_memory.unrenewable = Reason::notRenewable;
	auto verdict = succeed(Outcome::notRenewable);
	verdict.reason = Reason::notRenewable;
	return verdict;
}

/// Takes over a wrapped grant: renewed by an unknown length, which a look-up will tell.
Conclusion Keeper::conclude(const Span& span, const WrappedGrant&)
{
	_memory.lease.renewedUnseen(span.sent.boot, increment());
	_memory.owed = Owed::lease;
	_memory.retry.useless = 0;
	_memory.retry.renewNext = false;
	_memory.retry.atOnce = true;
	return {};
}

Conclusion Keeper::conclude(const Span& span, Operation operation, const Trouble& trouble)
{
	if (operation == Operation::renew && mayHaveBeenDone(trouble)) {
		_memory.lease.mayHaveBeenRenewed(span.sent.boot, span.now.boot, increment());
	}
	switch (trouble.kind) {
	case Trouble::Kind::denied:
		return denied(span, operation, trouble);
	case Trouble::Kind::refused:
	case Trouble::Kind::gone:
		return refused(span, operation, trouble);
	case Trouble::Kind::unclearRefusal:
		return unclear(span, operation, trouble);
	case Trouble::Kind::pastMaxTtl:
		return pastMaxTtl(span, operation, trouble);
	case Trouble::Kind::notRenewable:
	case Trouble::Kind::batch:
		return notRenewable(span, trouble);
	case Trouble::Kind::noLease:
		// No news for a token whose end is known.
		return _memory.lease.known() ? passing(span, operation, trouble) : lastsForEver();
	case Trouble::Kind::throttled:
	case Trouble::Kind::serverAway:
	case Trouble::Kind::malformed:
	case Trouble::Kind::configuration:
	case Trouble::Kind::transport:
		return passing(span, operation, trouble);
	case Trouble::Kind::cancelled: // stop follows
		_memory.retry.atOnce = true;
		return {};
	}
	return {}; // unreachable: the switch names every kind
}

/// Takes a failure that says nothing about the token: its lease runs on, and so do the attempts until its end.
Conclusion Keeper::passing(const Span& span, Operation operation, const Trouble& trouble)
{
	auto& lease = _memory.lease;
	auto& retry = _memory.retry;
	const auto owed = std::exchange(_memory.owed, Owed::nothing);
	const bool endUnknown = lease.end == Lease::End::unknown && _memory.unrenewable == Reason::none;
	const bool probing = _memory.deadForSure(span.sent.boot);
	retry.renewNext = false;
	if (operation == Operation::lookUp && (endUnknown || owed == Owed::lease) && isUseless(trouble)) {
		retry.lookUpWasUseless(*_policy, _memory.dead());
		if (owed == Owed::lease && retry.renewNext) {
			_memory.owed = owed;
			return lookUpDenied(span, trouble);
		}
	}
	if (lease.overAt(span.sent.boot)) {
		_memory.death = _memory.dead() ? _memory.death : Reason::expired;
	}
	else if (owed == Owed::lease) {
		_memory.owed = owed;
	}
	const auto kind = kindOf(retry.kind == Failing::denied ? Failing::denied : Failing::passing, span);
	if (!probing && (operation == Operation::renew || endUnknown || owed == Owed::lease)) {
		return fail(span, kind, trouble);
	}
	if (kind == Failing::dead && !retry.renewNext) { // a useless look-up and the renewal that follows it are one probe
		retry.count(kind);
	}
	return {};
}

/// Takes a refusal: the server does not accept the token. Before its end that need not be death: a wrong source
/// address, a disabled entity, a balancer or a namespace fault say the same, and heal. Nor at the beginning: a new
/// token may not be known to every node.
Conclusion Keeper::refused(const Span& span, Operation operation, const Trouble& trouble)
{
	auto& lease = _memory.lease;
	auto& retry = _memory.retry;
	const auto owed = std::exchange(_memory.owed, Owed::nothing);
	const bool probing = _memory.deadForSure(span.sent.boot);
	bool believed = true;
	if (lease.end == Lease::End::never) {
		lease = {}; // «never ends» held for a token that the server accepts
	}
	const bool endUnknown = lease.end == Lease::End::unknown;
	if (endUnknown && !_memory.dead()) {
		believed = retry.refusedWithoutEnd(operation, *_policy);
		if (retry.renewNext) {
			return {};
		}
	}
	retry.renewNext = false;
	if (lease.overAt(span.sent.boot) && trouble.kind != Trouble::Kind::unclearRefusal) {
		lease.ruleOutLostRenewals();
	}
	const bool past = lease.known() && span.now.boot >= lease.earliest;
	if (!_memory.dead() && believed && (past || !lease.known())) {
		_memory.death = past ? Reason::expired : Reason::refused;
	}
	if (owed == Owed::lease && !_memory.dead()) {
		_memory.owed = owed;
	}
	const auto kind = kindOf(Failing::refused, span);
	if (!probing && (operation == Operation::renew || endUnknown || owed == Owed::lease)) {
		return fail(span, kind, trouble);
	}
	retry.count(kind);
	return {};
}

/// Takes a 403 in unknown words: one look-up tells whether the token or only its renewal is refused.
Conclusion Keeper::unclear(const Span& span, Operation operation, const Trouble& trouble)
{
	const auto kind = _memory.retry.kind;
	if (operation == Operation::renew && kind == Failing::denied && !_memory.lease.overAt(span.sent.boot)) {
		return denied(span, operation, trouble); // settled before by a look-up, in this lease
	}
	const bool hopeful = !_memory.dead() || _memory.lease.mayLastBeyond(span.now.boot);
	if (operation == Operation::renew && kind != Failing::refused && hopeful && _memory.accepted) {
		const auto verdict = fail(span, Failing::passing, trouble);
		_memory.owed = Owed::verdict;
		_memory.retry.atOnce = true;
		return verdict;
	}
	return refused(span, operation, trouble);
}

/// Takes a denial: the token is alive, but the server will not renew it. An operator may lift the ban.
Conclusion Keeper::denied(const Span& span, Operation operation, const Trouble& trouble)
{
	if (operation == Operation::lookUp) {
		return lookUpDenied(span, trouble);
	}
	auto& lease = _memory.lease;
	_memory.owed = Owed::nothing;
	foundAlive();
	const auto verdict = fail(span, Failing::denied, trouble);
	if (lease.overAt(span.sent.boot)) { // renewed by another client, or by a renewal whose answer was lost
		lease.outlived(span.now.boot);
		_memory.retry.restart(Failing::denied);
		_memory.owed = Owed::verdict;
		_memory.retry.atOnce = true;
	}
	return verdict;
}

/// Takes a denied look-up: the token is alive, and look-ups tell no more about it.
Conclusion Keeper::lookUpDenied(const Span& span, const Trouble& trouble)
{
	auto& lease = _memory.lease;
	auto& retry = _memory.retry;
	const bool over = lease.overAt(span.sent.boot);
	_memory.accepted = true;
	if (over) {
		lease.outlived(span.now.boot);
	}
	switch (std::exchange(_memory.owed, Owed::nothing)) {
	case Owed::lease: // renewed, by an unknown length: taken as the usual one
		if (lease.known()) {
			lease.assumeGranted();
			return succeed(Outcome::success);
		}
		return fail(span, Failing::denied, trouble);
	case Owed::verdict:
		foundAlive();
		retry.restart(Failing::denied);
		return {};
	case Owed::remains:
		return {};
	case Owed::nothing:
		break;
	}
	if (_memory.unrenewable != Reason::none) {
		retry.count(Failing::denied); // alive, and no longer refused
		return {};
	}
	if (over || _memory.dead() || retry.kind == Failing::refused || lease.end == Lease::End::unknown) {
		retry.renewNext = true;
		retry.atOnce = true;
	}
	return {};
}

/// Takes the answer that the max TTL has passed: in its last second; or with life left, where it was lowered. A look-up
/// tells how much.
Conclusion Keeper::pastMaxTtl(const Span& span, Operation operation, const Trouble& trouble)
{
	if (operation != Operation::renew) {
		return passing(span, operation, trouble);
	}
	const bool known = _memory.lease.maxTtlReached;
	foundAlive();
	_memory.lease.reachMaxTtl();
	auto verdict = fail(span, Failing::passing, trouble);
	verdict.outcome = Outcome::notRenewable;
	if (!known) {
		_memory.owed = Owed::remains;
		_memory.retry.atOnce = true;
	}
	return verdict;
}

Conclusion Keeper::notRenewable(const Span& span, const Trouble& trouble)
{
	if (_memory.lease.end == Lease::End::never) {
		return {}; // no news for a token that needs no renewal
	}
	foundAlive();
	_memory.unrenewable = trouble.reason;
	auto verdict = fail(span, Failing::passing, trouble);
	verdict.outcome = Outcome::notRenewable;
	return verdict;
}

Conclusion Keeper::succeed(Outcome outcome)
{
	auto& retry = _memory.retry;
	foundAlive();
	Conclusion verdict;
	verdict.outcome = outcome;
	verdict.attempt = outcome == Outcome::none ? 0 : retry.failures + 1;
	verdict.failures = retry.failures;
	verdict.failingSince = retry.failingSince;
	retry.succeed();
	return verdict;
}

Conclusion Keeper::fail(const Span& span, Failing kind, const Trouble& trouble)
{
	_memory.retry.fail(kind, trouble.reason, span.sent.boot);
	return {Outcome::failure, trouble.reason, trouble.detail, _memory.retry.failures, 0, {}};
}

void Keeper::foundAlive()
{
	_memory.accepted = true;
	_memory.death = Reason::none;
}

/// Returns the kind of failure to count. A token that is certainly dead is only probed, whatever the answers.
Failing Keeper::kindOf(Failing kind, const Span& span) const
{
	return _memory.deadForSure(span.now.boot) ? Failing::dead : kind;
}

/// Returns whether a server gives this answer only for a token that it knows. Any other is a failure of the candidate.
bool Keeper::accepts(const Span& span, Operation operation, const Answer& answer)
{
	auto& retry = _candidate->retry;
	const auto* trouble = troubleIn(answer, *_policy);
	if (trouble == nullptr) {
		return true;
	}
	retry.answeredAt(span.now.boot, trouble->retryAfter);
	switch (trouble->kind) {
	case Trouble::Kind::denied:
	case Trouble::Kind::pastMaxTtl:
	case Trouble::Kind::notRenewable:
	case Trouble::Kind::batch:
	case Trouble::Kind::noLease:
		return true;
	case Trouble::Kind::refused:
	case Trouble::Kind::unclearRefusal:
	case Trouble::Kind::gone:
		static_cast<void>(retry.refusedWithoutEnd(operation, *_policy));
		retry.fail(Failing::refused, trouble->reason, span.sent.boot);
		return false;
	case Trouble::Kind::throttled:
	case Trouble::Kind::serverAway:
	case Trouble::Kind::malformed:
	case Trouble::Kind::configuration:
	case Trouble::Kind::transport:
	case Trouble::Kind::cancelled:
		break;
	}
	retry.renewNext = false;
	if (operation == Operation::lookUp && isUseless(*trouble)) {
		retry.lookUpWasUseless(*_policy, false);
	}
	retry.fail(Failing::passing, trouble->reason, span.sent.boot);
	return false;
}

} // namespace issuer::vault::renewal
