#include "renewal/format.h"
#include "renewal/login_keeper.h"

#include <algorithm>
#include <utility>

/// The meaning of each answer to a login's request. They change facts, and nothing else.
namespace issuer::vault::renewal {
namespace {

/// Wrapping tokens that are remembered as spent.
constexpr std::size_t spentRemembered = 8;

/// Returns whether the request may have been carried out although its answer says nothing of it.
bool mayHaveBeenDone(const LoginTrouble& trouble)
{
	if (trouble.unsent) {
		return false;
	}
	const bool silent = trouble.reason == Reason::network || trouble.reason == Reason::timeout ||
						trouble.reason == Reason::malformed || trouble.reason == Reason::server;
	return (trouble.kind == LoginTrouble::Kind::passes && silent) || trouble.kind == LoginTrouble::Kind::cancelled;
}

} // namespace

void LoginRetry::fail(Kind failing, Reason why, const Span& span, bool changed)
{
	streak = kind == failing && !changed ? streak + 1 : 1;
	if (++failures == 1) {
		since = span.sent.boot;
	}
	kind = failing;
	reason = why;
	asOf = span.now.boot;
	lost = false;
}

bool LoginMemory::hasNewWrap() const
{
	return material.wrapped && material.usable && material.mark != wrapHeld &&
		   std::find(wrapsSpent.begin(), wrapsSpent.end(), material.mark) == wrapsSpent.end();
}

bool LoginMemory::hasLiving() const
{
	return life.standing != TokenLife::Standing::none && life.standing != TokenLife::Standing::ended;
}

/// Returns whether the new token ends for good before the one in use does.
bool LoginKeeper::endsSooner(const Span& span, const LoggedIn& facts) const
{
	const auto& life = _memory.life;
	const bool bounded = !facts.renewable || facts.batch || facts.cappedAtBirth;
	const bool goesOn = life.standing == TokenLife::Standing::living && life.accepted;
	if (!bounded || !goesOn || facts.lease == Duration::zero()) {
		return false;
	}
	const auto end = life.renewable && !life.capped && life.maxTtlEnd ? life.maxTtlEnd : life.expiry;
	return life.forEver || (end && span.now.boot + facts.lease < *end);
}

/// Takes a token that waits for its proof from now on; or that is not wanted, and to be revoked.
void LoginKeeper::loggedIn(const Span& span, const LoggedIn& facts)
{
	_memory.latency = std::max(_memory.latency / 2, span.now.boot - span.sent.boot);
	_memory.fresh = NewToken{span.sent.boot, span.now.boot, facts, _out->mark, _out->identity};
	if (facts.usesLeft != 0) {
		rejectFresh();
		loginFailed(span, LoginRetry::Kind::configuration, Reason::limitedUses,
			"the login brings tokens of limited uses, which look-ups and renewals would use up; set token_num_uses of "
			"its role to 0");
	}
	else if (endsSooner(span, facts)) {
		rejectFresh();
		loginFailed(span, LoginRetry::Kind::configuration, Reason::maxTtl,
			"the login brings a token that ends in " + format::lifeInWords(facts.lease) +
				", sooner than the one in use, which stays in use; look at the role's token_ttl and the mount's "
				"max_lease_ttl");
	}
}

void LoginKeeper::rejectFresh()
{
	_memory.rejected = std::exchange(_memory.fresh, std::nullopt);
	_memory.revokesTried = 0;
	if (_memory.rejected && _memory.rejected->facts.batch) {
		_memory.rejected.reset(); // cannot be revoked
	}
}

/// Takes where a wrapped secret was made. One from another path is not the operator's.
void LoginKeeper::wrappingFound(const Span& span, const WrappingFacts& facts)
{
	if (!_policy.wrappedPath.empty() && facts.creationPath != _policy.wrappedPath) {
		_memory.wrapsSpent.push_back(_out->mark);
		wrapSpent(span, "the wrapped secret was made at " + facts.creationPath + ", not at " + _policy.wrappedPath +
							": it is not unwrapped, since another client may have put it in place");
		return;
	}
	_memory.wrapLookedUp = _out->mark;
	if (_memory.retry.kind == LoginRetry::Kind::passing) {
		_memory.retry = {};
	}
}

/// Takes a secret_id's end and uses: of the unwrapped one, which the owner holds from now on, or of the one looked up.
void LoginKeeper::secretFound(const SecretIdFacts& facts)
{
	_memory.lookUpDue = false;
	_memory.usesLeft = facts.gone ? 0 : facts.usesLeft;
	_memory.secretEnds = facts.ends;
	if (_out->operation == LoginOperation::unwrap) {
		_memory.wrapHeld = _out->mark;
		_memory.retry = {};
	}
}

/// Takes a request without success.
void LoginKeeper::failed(const Span& span, const LoginTrouble& trouble)
{
	using enum LoginTrouble::Kind;
	const bool lost = mayHaveBeenDone(trouble);
	switch (_out->operation) {
	case LoginOperation::lookUpSecretId:
		_memory.lookUpDue = false; // asked again after the next login
		_memory.lookUpForbidden = _memory.lookUpForbidden || trouble.kind == forbidden;
		return;
	case LoginOperation::revoke:
		unrevoked(trouble);
		return;
	case LoginOperation::unwrap:
		if (trouble.kind == passes && !lost) {
			std::erase(_memory.wrapsSpent, _out->mark); // it was not used
			break;
		}
		_memory.wrapLookedUp = 0;
		wrapSpent(span, lost ? "the answer of unwrapping was lost, and the secret with it: a new wrapped one is needed"
							 : "the secret was unwrapped elsewhere: " + trouble.detail);
		return;
	case LoginOperation::lookUpWrapping:
		if (trouble.kind == spent) {
			_memory.wrapsSpent.push_back(_out->mark);
			wrapSpent(span, "the wrapped secret is used, ended or unknown: a new one is needed; if you did not unwrap "
							"it, another client has");
			return;
		}
		break;
	case LoginOperation::logIn:
		if (_memory.usesLeft && trouble.unsent) {
			++*_memory.usesLeft;
		}
		break;
	}
	auto detail = trouble.detail;
	if (lost && _out->operation == LoginOperation::logIn) {
		detail += "; a login without answer may have left a token that ends by itself, and may have spent a use of "
				  "the secret_id";
	}
	switch (trouble.kind) {
	case passes:
		loginFailed(span, LoginRetry::Kind::passing, trouble.reason, std::move(detail));
		break;
	case material:
		loginFailed(span, LoginRetry::Kind::material, Reason::loginRefused, std::move(detail));
		break;
	case spent:
		loginFailed(span, LoginRetry::Kind::spent, Reason::loginRefused, std::move(detail));
		break;
	case configuration:
	case forbidden:
		loginFailed(span, LoginRetry::Kind::configuration, trouble.reason, std::move(detail));
		break;
	case ambiguous: // to Kubernetes' TokenReview an outage looks the same
		loginFailed(span,
			_policy.method == LoginMethod::kubernetes ? LoginRetry::Kind::passing : LoginRetry::Kind::ambiguous,
			trouble.reason, std::move(detail));
		break;
	case cancelled: // stop follows
		return;
	}
	_memory.retry.lost = lost;
	_memory.emptyFirst = lost && locksOut(_policy.method);
	if (trouble.retryAfter) {
		_memory.retry.notBefore = span.now.boot + std::min<Duration>(*trouble.retryAfter, std::chrono::hours(1));
	}
}

/// Takes the answer to an empty login: the server answers again, or it does not.
void LoginKeeper::emptyAnswered(const Span& span, const LoginTrouble& trouble)
{
	if (trouble.kind == LoginTrouble::Kind::cancelled) {
		return;
	}
	const bool silent = trouble.unsent || mayHaveBeenDone(trouble);
	if (trouble.kind == LoginTrouble::Kind::passes) {
		loginFailed(span, LoginRetry::Kind::passing, trouble.reason, trouble.detail);
	}
	_memory.emptyFirst = silent;
}

void LoginKeeper::loginFailed(const Span& span, LoginRetry::Kind kind, Reason reason, std::string detail)
{
	auto& retry = _memory.retry;
	const bool changed = kind != LoginRetry::Kind::passing && _memory.materialAt > retry.asOf;
	retry.fail(kind, reason, span, changed);
	++_memory.failures;
	_verdict = Verdict{Outcome::failure, reason, std::move(detail), retry.failures, span.now.boot - span.sent.boot};
}

/// Takes that a wrapped secret brings nothing. An earlier one that the owner holds stays in use.
void LoginKeeper::wrapSpent(const Span& span, std::string why)
{
	if (_memory.wrapsSpent.size() > spentRemembered) {
		_memory.wrapsSpent.erase(_memory.wrapsSpent.begin());
	}
	if (_memory.wrapHeld != 0) {
		note(Level::error, why + "; the secret unwrapped before stays in use");
		return;
	}
	loginFailed(span, LoginRetry::Kind::spent, Reason::loginRefused, std::move(why));
}

/// Takes that a revocation failed: once more after an outage, else the token is left to its end.
void LoginKeeper::unrevoked(const LoginTrouble& trouble)
{
	++_memory.revokesTried;
	if (trouble.kind == LoginTrouble::Kind::passes && _memory.revokesTried < _policy.revokeTries) {
		return;
	}
	if (trouble.kind == LoginTrouble::Kind::forbidden) {
		note(Level::info, "a token of ours may not revoke itself: it is left to its end");
	}
	(_out->token == LoginToken::rejected ? _memory.rejected : _memory.replaced).reset();
	_memory.revokesTried = 0;
}

} // namespace issuer::vault::renewal
