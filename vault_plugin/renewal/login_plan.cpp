#include "renewal/login_plan.h"

#include "renewal/schedule.h"

#include <algorithm>

/// The time and kind of a login's next request. Rules and reasons: docs/logins.md.
namespace issuer::vault::renewal {
namespace {

/// The arithmetic of pauses is that of renewals.
const Policy& renewals()
{
	static const Policy policy;
	return policy;
}

class LoginPlanner
{
public:
	LoginPlanner(const LoginPolicy& policy, const LoginMemory& memory, double chance)
		: _policy(policy), _memory(memory), _retry(memory.retry), _now(memory.asOf), _chance(chance)
	{
	}

	[[nodiscard]] LoginPlan plan() const
	{
		LoginPlan plan;
		if (_memory.rejected) { // before anything else makes another token
			plan.at = revocation(_now);
			plan.operation = LoginOperation::revoke;
			plan.token = LoginToken::rejected;
			return plan;
		}
		if (_memory.materialAt == Instant::min() || _memory.fresh) {
			return lesser(plan);
		}
		if (_memory.hasNewWrap()) {
			const bool mayUnwrap = _memory.wrapLookedUp == _memory.material.mark;
			plan.operation = mayUnwrap ? LoginOperation::unwrap : LoginOperation::lookUpWrapping;
			const auto settled = _memory.materialAt + _policy.settling;
			const auto pause = _retry.kind == LoginRetry::Kind::passing ? retry().value_or(_now) : _now;
			plan.at = std::max({settled, pause, _memory.started + _policy.shortestPause});
			plan.login = _policy.method == LoginMethod::wrappedToken ? plan.at : std::nullopt;
			return plan;
		}
		plan.login = login();
		plan.at = _memory.canLogIn() ? plan.login : std::nullopt;
		plan.empty = _memory.emptyFirst;
		return lesser(plan);
	}

private:
	/// Returns the next login, all pauses kept; nothing: none is planned, or only other material helps.
	[[nodiscard]] std::optional<Instant> login() const
	{
		if (_policy.method == LoginMethod::wrappedToken) {
			return std::nullopt; // a new one has to be put in place from outside
		}
		const auto due = loginDue(_policy, _memory, _chance);
		if (!due) {
			return std::nullopt;
		}
		auto at = *due;
		if (_retry.kind != LoginRetry::Kind::none) {
			const bool changed = _memory.materialAt > _retry.asOf;
			const auto pause = changed && _retry.kind != LoginRetry::Kind::passing ? std::optional(_now) : retry();
			if (!pause) {
				return std::nullopt;
			}
			const bool pressed = _memory.wanted && !_retry.isAboutMaterial();
			at = pressed ? _now : std::max(at, *pause);
		}
		return std::max({at, _now, _memory.started + _policy.shortestPause, _memory.heldUntil,
			_memory.materialAt + _policy.settling});
	}

	/// Returns the end of the pause after the latest failure; nothing: only other material helps.
	[[nodiscard]] std::optional<Instant> retry() const
	{
		switch (_retry.kind) {
		case LoginRetry::Kind::none:
			return _now;
		case LoginRetry::Kind::passing:
			return passing();
		case LoginRetry::Kind::material:
			return _retry.asOf + (_retry.streak <= 1 ? _policy.sameBytesAgain
													 : doubling(_policy.refusedPause, _retry.streak - 1,
														   _policy.longestRefusedPause));
		case LoginRetry::Kind::configuration:
			return _retry.asOf + doubling(_policy.configurationPause, _retry.streak, _policy.longestConfigurationPause);
		case LoginRetry::Kind::ambiguous:
			return _retry.asOf + (_retry.streak <= 1 ? _policy.shortestPause // at the next address
													 : doubling(_policy.ambiguousPause, _retry.streak - 1,
														   _policy.longestAmbiguousPause));
		case LoginRetry::Kind::spent:
			break;
		}
		return std::nullopt;
	}

	/// Returns the end of the pause of an outage: as a renewal's, and never later than a guard before the token's end.
	[[nodiscard]] Instant passing() const
	{
		const auto from = _retry.asOf;
		const auto& life = _memory.life;
		const bool dying = _memory.hasLiving() && life.expiry && *life.expiry > from;
		const auto remains = dying ? std::optional(*life.expiry - from) : std::nullopt;
		const auto pause = passingPause(renewals(), renewals().longestGap, remains, _retry.streak, _chance);
		auto at = std::max(from + pause, _retry.notBefore);
		if (dying) {
			at = beforeEnd(at, from, *life.expiry, renewals().longestGuard);
		}
		return std::max(at, from + (_retry.lost ? _policy.afterLost : _policy.shortestPause));
	}

	/// Returns the plan, or one of a request that matters less and comes before it.
	[[nodiscard]] LoginPlan lesser(LoginPlan plan) const
	{
		if (_memory.lookUpDue && _memory.hasLiving() && !_memory.fresh && (!plan.at || *plan.at > _now)) {
			plan.at = _now;
			plan.operation = LoginOperation::lookUpSecretId;
			plan.empty = false;
			plan.token = LoginToken::inUse;
			return plan;
		}
		if (!_memory.replaced) {
			return plan;
		}
		// Before the next login at the latest: no more than two tokens of an issuer live.
		plan.at = std::max(std::min(_memory.revokeAt, plan.at.value_or(Instant::max())), revocation(_now));
		plan.operation = LoginOperation::revoke;
		plan.token = LoginToken::replaced;
		plan.empty = false;
		return plan;
	}

	[[nodiscard]] Instant revocation(Instant from) const
	{
		return _memory.revokesTried == 0 ? from : from + _policy.shortestPause;
	}

	const LoginPolicy& _policy;
	const LoginMemory& _memory;
	const LoginRetry& _retry;
	/// Time of the last change of facts: not the present, so that the plan does not depend on when it is computed.
	Instant _now;
	double _chance;
};

/// Returns the moment beyond which no renewal reaches: met, shown, or learned from the lives before; nothing: unknown.
std::optional<Instant> wallOf(const LoginPolicy& policy, const LoginMemory& memory)
{
	const auto& life = memory.life;
	const auto wall = life.renewable ? life.maxTtlEnd : life.expiry;
	const bool isLearned = life.renewable && memory.inUse && memory.learnedLife;
	if (!wall && isLearned && memory.livesSinceLearned < policy.livesLearned) {
		return memory.inUse->sent + *memory.learnedLife;
	}
	return wall;
}

/// Returns the moment before a known end at which the next login is due; nothing: no end is known.
std::optional<Instant> beforeWall(const LoginPolicy& policy, const LoginMemory& memory, double chance)
{
	const auto wall = wallOf(policy, memory);
	if (!wall) {
		return std::nullopt;
	}
	const auto birth = memory.inUse ? memory.inUse->sent : memory.tookUse;
	const auto overlap = overlapOf(policy, memory.fullLease, std::max(*wall - birth, Duration::zero()));
	return *wall - overlap - scaled(overlap, policy.overlapSpread * chance);
}

/// Returns the pause before a token of ours that died early is replaced: the first one at once, since any client may
/// revoke a token; a role whose tokens all die early must not become a loop.
Duration pauseAfterEarlyDeaths(const LoginPolicy& policy, std::uint32_t deaths)
{
	return deaths < 2 ? Duration::zero()
					  : doubling(policy.configurationPause, deaths - 1, policy.longestConfigurationPause);
}

} // namespace

bool locksOut(LoginMethod method)
{
	switch (method) {
	case LoginMethod::appRole:
	case LoginMethod::userpass:
	case LoginMethod::ldap:
		return true;
	case LoginMethod::kubernetes:
	case LoginMethod::jwt:
	case LoginMethod::certificate:
	case LoginMethod::wrappedToken:
		break;
	}
	return false;
}

Duration overlapOf(const LoginPolicy& policy, Duration lease, Duration life)
{
	const auto wanted =
		policy.ahead.value_or(std::max(lease / 2, std::min(life / policy.overlapsPerLife, policy.longestOverlap)));
	return std::min(wanted, life / 2);
}

std::optional<Instant> loginDue(const LoginPolicy& policy, const LoginMemory& memory, double chance)
{
	using enum TokenLife::Standing;
	const auto& life = memory.life;
	const auto since = memory.standingSince;
	std::optional<Instant> due;
	const auto at = [&](Instant instant) { due = due ? std::min(*due, instant) : instant; };
	switch (life.standing) {
	case none:
		at(memory.asOf);
		break;
	case ended:
	case refused:
		at(since + pauseAfterEarlyDeaths(policy, memory.earlyDeaths));
		break;
	case denied: {
		const auto remains = life.expiry ? std::max(*life.expiry - since, Duration::zero()) : Duration::zero();
		at(since + scaled(std::min(remains / 4, policy.deniedSpread), chance)); // it lives: no early death
		break;
	}
	case living:
		break;
	}
	if (const auto wall = beforeWall(policy, memory, chance)) {
		at(*wall);
	}
	if (policy.rehearse > Duration::zero()) {
		at(memory.tookUse + policy.rehearse);
	}
	const auto& material = memory.material;
	const bool otherIdentity = memory.usedIdentity != 0 && material.identityMark != memory.usedIdentity;
	const bool otherCertificate =
		policy.method == LoginMethod::certificate && memory.usedMark != 0 && material.mark != memory.usedMark;
	if (material.usable && (otherIdentity || otherCertificate)) {
		at(memory.materialAt);
	}
	if (memory.wanted) {
		at(memory.asOf);
	}
	return due;
}

LoginPlan planOf(const LoginPolicy& policy, const LoginMemory& memory, double chance)
{
	return LoginPlanner(policy, memory, chance).plan();
}

Duration budgetOf(const LoginPolicy& policy, const LoginMemory& memory, LoginOperation operation, Instant now)
{
	switch (operation) {
	case LoginOperation::lookUpWrapping:
	case LoginOperation::lookUpSecretId:
		return policy.shortBudget;
	case LoginOperation::unwrap:
		return policy.unwrapBudget;
	case LoginOperation::revoke:
		return policy.revokeBudget;
	case LoginOperation::logIn:
		break;
	}
	// A server that hangs never uses up the life that later tries need. A token past its expiry may live up to its max
	// TTL, by a renewal whose answer was lost.
	const auto least = std::max<Duration>(std::chrono::seconds(1), 2 * memory.latency);
	auto budget = policy.requestTimeout;
	for (const auto& end : {memory.life.expiry, wallOf(policy, memory)}) {
		if (end && *end > now) {
			budget = std::min(budget, std::max((*end - now) / 4, least));
		}
	}
	return budget;
}

} // namespace issuer::vault::renewal
