#include "renewal/login_keeper.h"

#include "renewal/format.h"

#include <algorithm>
#include <utility>

namespace issuer::vault::renewal {
namespace {

/// Returns the names that the new policies lack, in one line; empty: none.
std::string missing(const std::vector<std::string>& before, const std::vector<std::string>& now)
{
	std::string names;
	for (const auto& name : before) {
		if (std::find(now.begin(), now.end(), name) == now.end()) {
			names += (names.empty() ? "" : ", ") + name;
		}
	}
	return names;
}

} // namespace

LoginKeeper::LoginKeeper(LoginPolicy policy, std::uint64_t seed) : _policy(std::move(policy)), _chance(seed) {}

Reports LoginKeeper::begin(Moment now)
{
	if (_running) {
		return {};
	}
	LoginMemory fresh;
	fresh.started = _memory.started; // the pause since the previous life's last login is kept too
	fresh.successes = _memory.successes;
	fresh.failures = _memory.failures;
	fresh.wrapsSpent = _memory.wrapsSpent;
	fresh.tookUse = fresh.standingSince = now.boot;
	_memory = std::move(fresh);
	_running = true;
	_unread = false; // the memory says so itself
	return take(now);
}

Reports LoginKeeper::resume(Moment now, const LoginMemory& memory, bool secretHeld)
{
	if (_running || memory.asOf == Instant::min()) {
		return begin(now);
	}
	_memory = memory;
	_memory.started = std::min(_memory.started, now.boot);
	_memory.wrapHeld = secretHeld ? _memory.wrapHeld : 0;
	_memory.fresh.reset(); // the tokens themselves have not come along
	_memory.rejected.reset();
	_memory.replaced.reset();
	_running = _unread = true;
	return take(now);
}

Reports LoginKeeper::materialFound(Moment now, const LoginMaterial& material)
{
	if (!_running) {
		return {};
	}
	_unread = false;
	auto& known = _memory.material;
	const bool changed = _memory.materialAt == Instant::min() || material.mark != known.mark ||
						 material.identityMark != known.identityMark || material.usable != known.usable;
	if (changed && (material.mark != known.mark || material.identityMark != known.identityMark)) {
		_memory.heldUntil = Instant::min(); // siblings were refused with other material
		_memory.heldTold = false;
	}
	if (changed && !material.wrapped && material.mark != known.mark) {
		_memory.secretEnds.reset(); // of another secret
		_memory.usesLeft.reset();
	}
	if (changed) {
		// Material that was there from the beginning needs not settle.
		const auto longAgo = now.boot - _policy.settling;
		_memory.materialAt = _memory.materialAt == Instant::min() ? longAgo : now.boot;
	}
	known = material;
	if (_memory.usedMark == 0 && material.usable && _memory.hasLiving() && !_memory.inUse) {
		_memory.usedMark = material.mark;
		_memory.usedIdentity = material.identityMark;
	}
	return take(now);
}

Reports LoginKeeper::follow(Moment now, const TokenLife& life)
{
	const bool proofEnded = _memory.fresh && _memory.life.candidatePending && !life.candidatePending;
	if (!_running || life == _memory.life || proofEnded) { // adopted() or unproven() follows
		return {};
	}
	becomesOf(life, now.boot);
	return take(now);
}

/// Takes over the life, and the time of what is new in it.
void LoginKeeper::becomesOf(const TokenLife& life, Instant now)
{
	using enum TokenLife::Standing;
	auto& memory = _memory;
	const auto before = std::exchange(memory.life, life);
	memory.fullLease = std::max(memory.fullLease, life.lease);
	if (life.standing != before.standing) {
		memory.standingSince = now;
		const bool fell = life.standing == ended || life.standing == refused;
		const bool stood = before.standing == living || before.standing == none;
		const auto& own = memory.inUse;
		if (fell && stood && own) {
			const bool early = now - own->answered < own->facts.lease / 2;
			memory.earlyDeaths = early ? memory.earlyDeaths + 1 : 0;
			memory.failures += early ? 1 : 0;
			if (early) {
				_verdict = Verdict{Outcome::failure, life.reason,
					"the token of the latest login was no longer accepted after " +
						format::lifeInWords(now - own->answered) + " of its lease of " +
						format::lifeInWords(own->facts.lease) + "; look at the role, unless it was revoked",
					1, {}};
			}
		}
	}
	if (life.maxTtlEnd && memory.inUse && life.accepted) {
		memory.learnedLife = *life.maxTtlEnd - memory.inUse->sent;
		memory.livesSinceLearned = 0;
	}
	if (memory.usedMark == 0 && memory.hasLiving() && !memory.inUse && memory.material.usable) {
		memory.usedMark = memory.material.mark;
		memory.usedIdentity = memory.material.identityMark;
	}
}

std::optional<Instant> LoginKeeper::next() const
{
	return _running && !_unread && !_out ? _plan.at : std::nullopt;
}

LoginAttempt LoginKeeper::attempt(Moment now)
{
	LoginAttempt attempt;
	attempt.operation = _plan.operation;
	attempt.token = _plan.token;
	attempt.budget = budgetOf(_policy, _memory, attempt.operation, now.boot);
	attempt.empty = _plan.empty;
	_out = Out{attempt.operation, attempt.token, attempt.empty, _memory.material.mark, _memory.material.identityMark,
		_memory.started};
	_seen = now;
	switch (attempt.operation) {
	case LoginOperation::logIn:
		if (attempt.empty) {
			break;
		}
		attempt.counted = locksOut(_policy.method);
		attempt.doubtful =
			(_memory.usesLeft && *_memory.usesLeft <= 0) || (_memory.secretEnds && *_memory.secretEnds <= now.wall);
		attempt.nextAddress = _memory.retry.kind == LoginRetry::Kind::ambiguous && _memory.retry.streak == 1;
		_memory.started = now.boot;
		_memory.wanted = false;
		if (_memory.usesLeft) {
			--*_memory.usesLeft; // unless surely unsent: its answer may be lost
		}
		break;
	case LoginOperation::unwrap:
		_memory.started = now.boot;
		_memory.wrapsSpent.push_back(_memory.material.mark); // whatever becomes of the answer
		break;
	case LoginOperation::lookUpWrapping:
		_memory.started = now.boot;
		break;
	case LoginOperation::lookUpSecretId:
	case LoginOperation::revoke:
		break;
	}
	return attempt;
}

Reports LoginKeeper::answered(Moment sent, Moment now, const LoginAnswer& answer)
{
	if (!_running || !_out) {
		return {};
	}
	_chance.next();
	const Span span{sent.boot < now.boot ? sent : now, now};
	_seen = now;
	if (const auto* facts = std::get_if<LoggedIn>(&answer)) {
		loggedIn(span, *facts);
	}
	else if (const auto* wrapping = std::get_if<WrappingFacts>(&answer)) {
		wrappingFound(span, *wrapping);
	}
	else if (const auto* secret = std::get_if<SecretIdFacts>(&answer)) {
		secretFound(*secret);
	}
	else if (const auto* trouble = std::get_if<LoginTrouble>(&answer)) {
		if (_out->empty) {
			emptyAnswered(span, *trouble);
		}
		else {
			failed(span, *trouble);
		}
	}
	else {
		(_out->token == LoginToken::rejected ? _memory.rejected : _memory.replaced).reset();
		_memory.revokesTried = 0;
	}
	_out.reset();
	return take(now);
}

Reports LoginKeeper::heldBack(Moment now, const LoginBudget::Leave& leave)
{
	if (!_running || !_out) {
		return {};
	}
	_memory.started = _out->startedBefore;
	if (_memory.usesLeft) {
		++*_memory.usesLeft;
	}
	_out.reset();
	_memory.heldUntil = leave.until;
	_memory.emptyFirst = _memory.emptyFirst || leave.emptyFirst;
	_seen = now;
	if (!leave.why.empty() && !std::exchange(_memory.heldTold, true)) {
		note(Level::warn, "no login until " + format::until(now.wallAt(leave.until), now.wall) +
							  ", so that no role or user is locked out: " + leave.why);
	}
	return take(now);
}

void LoginKeeper::turnCame(Moment now)
{
	_memory.heldUntil = std::min(_memory.heldUntil, now.boot);
	_seen = now;
	_memory.asOf = now.boot;
	planAnew();
}

bool LoginKeeper::needs(LoginToken token) const
{
	switch (token) {
	case LoginToken::none:
		return false;
	case LoginToken::inUse:
		return true;
	case LoginToken::fresh:
		return _memory.fresh.has_value();
	case LoginToken::rejected:
		return _memory.rejected.has_value();
	case LoginToken::replaced:
		return _memory.replaced.has_value();
	}
	return false; // unreachable: the switch names every token
}

std::optional<FirstGrant> LoginKeeper::firstGrant() const
{
	const auto& fresh = _memory.fresh;
	if (!fresh || _policy.method == LoginMethod::wrappedToken || fresh->facts.lease <= Duration::zero()) {
		return std::nullopt;
	}
	const auto& facts = fresh->facts;
	const Span span{{fresh->sent, _seen.wallAt(fresh->sent)}, {fresh->answered, _seen.wallAt(fresh->answered)}};
	return FirstGrant{span, Grant{facts.lease, facts.cappedAtBirth, facts.renewable && !facts.batch}};
}

Reports LoginKeeper::adopted(Moment now)
{
	if (!_running || !_memory.fresh) {
		return {};
	}
	_chance.next();
	auto& memory = _memory;
	const auto previous = std::exchange(memory.inUse, std::exchange(memory.fresh, std::nullopt));
	const auto& facts = memory.inUse->facts;
	const bool stood = memory.life.standing == TokenLife::Standing::living;
	if (previous && _policy.revokeOld && memory.hasLiving() && !previous->facts.batch) {
		memory.replaced = previous;
		memory.revokeAt = now.boot + *_policy.revokeOld;
		memory.revokesTried = 0;
	}
	_verdict = Verdict{
		Outcome::success, Reason::loggedIn, {}, memory.retry.failures + 1, memory.inUse->answered - memory.inUse->sent};
	if (const auto lost = previous ? missing(previous->facts.policies, facts.policies) : std::string(); !lost.empty()) {
		note(Level::warn, "the new token lacks policies that the one before had: " + lost);
	}
	++memory.successes;
	memory.earlyDeaths = stood ? 0 : memory.earlyDeaths;
	memory.livesSinceLearned += 1;
	memory.retry = {};
	memory.wanted = memory.heldTold = memory.emptyFirst = false;
	memory.heldUntil = Instant::min();
	memory.usedMark = memory.inUse->mark;
	memory.usedIdentity = memory.inUse->identity;
	memory.tookUse = memory.standingSince = now.boot;
	memory.fullLease = facts.lease;
	memory.life = {};
	memory.life.standing = TokenLife::Standing::living;
	memory.life.state = State::active;
	memory.life.accepted = true;
	memory.life.lease = facts.lease;
	memory.life.renewable = facts.renewable && !facts.batch;
	if (const auto grant = facts.lease > Duration::zero() && _policy.method != LoginMethod::wrappedToken; grant) {
		memory.life.expiry = memory.inUse->sent + facts.lease;
	}
	memory.lookUpDue = _policy.method == LoginMethod::appRole && _policy.hasSecretId && !memory.lookUpForbidden &&
					   !facts.roleName.empty();
	return take(now);
}

Reports LoginKeeper::unproven(Moment now, std::string_view why)
{
	if (!_running || !_memory.fresh) {
		return {};
	}
	const Span span{{_memory.fresh->sent, now.wallAt(_memory.fresh->sent)}, now};
	rejectFresh();
	_memory.life.candidatePending = _memory.life.candidateRefused = false;
	loginFailed(span, LoginRetry::Kind::configuration, Reason::refused,
		"the server does not accept the token that the login brought: " + std::string(why) +
			"; look at token_bound_cidrs of the role");
	return take(now);
}

void LoginKeeper::renewNow(Moment now)
{
	const auto& life = _memory.life;
	const bool helpless = life.standing != TokenLife::Standing::living || life.capped || !life.renewable;
	if (helpless || _memory.retry.kind != LoginRetry::Kind::none) {
		logInNow(now);
	}
}

void LoginKeeper::logInNow(Moment now)
{
	if (!_running || _out || _memory.fresh) {
		return;
	}
	_memory.wanted = true;
	_seen = now;
	_memory.asOf = now.boot;
	planAnew();
}

Reports LoginKeeper::stopped(Moment now)
{
	if (!_running) {
		return {};
	}
	if (const auto out = std::exchange(_out, std::nullopt); out && out->operation == LoginOperation::logIn) {
		_memory.emptyFirst = locksOut(_policy.method); // like a lost answer; its use stays counted
	}
	if (_memory.fresh) {
		rejectFresh();
	}
	_memory.asOf = now.boot;
	_running = false;
	_plan = {};
	return {};
}

void LoginKeeper::planAnew()
{
	_plan = _running ? planOf(_policy, _memory, _chance.value()) : LoginPlan{};
}

Successor LoginKeeper::successor() const
{
	using enum Successor::Outlook;
	const auto& retry = _memory.retry;
	if (!_running || _policy.method == LoginMethod::wrappedToken) {
		return {};
	}
	const bool found = _memory.materialAt != Instant::min();
	if (found && !_memory.canLogIn() && !_memory.hasNewWrap()) {
		return {failed, Reason::loginRefused};
	}
	switch (retry.kind) {
	case LoginRetry::Kind::none:
		return {planned, Reason::none};
	case LoginRetry::Kind::passing:
		return {retrying, retry.reason};
	case LoginRetry::Kind::material:
	case LoginRetry::Kind::configuration:
	case LoginRetry::Kind::ambiguous:
	case LoginRetry::Kind::spent:
		break;
	}
	return {failed, retry.reason};
}

bool LoginKeeper::settled() const
{
	const auto& retry = _memory.retry;
	const bool found = _memory.materialAt != Instant::min();
	const bool hopeless = found && !_memory.canLogIn() && !_memory.hasNewWrap();
	if (_memory.hasLiving() || hopeless) {
		return true;
	}
	const bool cutShort = retry.kind == LoginRetry::Kind::passing && retry.asOf - retry.since < _policy.requestTimeout;
	return retry.failures > 0 && !cutShort;
}

} // namespace issuer::vault::renewal
