#include "renewal/keeper.h"

#include <algorithm>

/// How long the token lives, as far as answers tell.
namespace issuer::vault::renewal {
namespace {

/// No server means more than this, and no sum of two of them overflows.
constexpr Duration longestLife = std::chrono::years(100);

Duration within(Duration length)
{
	return std::clamp(length, Duration::zero(), longestLife);
}

/// A time of the server's clock that can be reckoned with.
bool isPlausible(const std::optional<WallTime>& time, WallTime now)
{
	return time && now - longestLife <= *time && *time <= now + longestLife;
}

} // namespace

void Keeper::bring(const Span& span, Duration lease)
{
	auto& life = _memory.life;
	life.end = Life::End::known;
	life.lease = within(lease);
	life.earliest = span.sent.boot + life.lease;
	life.latest = span.now.boot + life.lease;
	life.hopeFrom = life.hopeUntil = life.latest;
	if (life.fullLease == Duration::zero()) {
		life.fullLease = life.lease;
	}
}

/// A look-up's TTL is in whole seconds: `expire_time` less the rounded present, and cut (leaseEntry.ttl() of Vault and
/// OpenBao). So the truth lies up to a second and a half above; and below, half a second, or one where others round up.
void Keeper::bring(const Span& span, const TokenFacts& facts)
{
	auto& life = _memory.life;
	const Duration ttl = within(facts.ttl);
	const Duration rounding = std::chrono::seconds(1);
	auto earliest = std::max(span.sent.boot + ttl - rounding, span.sent.boot); // it is alive
	auto latest = span.now.boot + ttl + rounding + rounding / 2;
	const bool lostNothing = endKnown() && life.hopeUntil <= life.latest;
	if (lostNothing && earliest <= life.latest && life.earliest <= latest) {
		// Both tell of the same end, and a grant tells it more precisely.
		earliest = std::max(earliest, life.earliest);
		latest = std::min(latest, life.latest);
	}
	life.end = Life::End::known;
	life.earliest = earliest;
	life.latest = latest;
	life.hopeFrom = life.hopeUntil = latest;
	if (life.lease == Duration::zero()) {
		// Somebody may have renewed it with more than its first lease; then the next grant will bring that again.
		const auto own = within(facts.period > Duration::zero() ? facts.period : facts.creationTtl);
		life.fullLease = own > Duration::zero() ? own : ttl;
		life.lease = std::max({life.fullLease, ttl, rounding});
	}
	learnWall(span, facts);
}

/// The max TTL of the token itself is known at once. Others, of roles and mounts, show with the first shortened grant.
void Keeper::learnWall(const Span& span, const TokenFacts& facts)
{
	if (facts.explicitMaxTtl <= Duration::zero() || !isPlausible(facts.creationTime, span.now.wall)) {
		return;
	}
	auto& life = _memory.life;
	// Against the server's own expire_time the wall is exact. Without it our clock stands in for the server's, and if
	// that puts the wall before the end that the server has just named, it cannot be trusted.
	const bool exact = isPlausible(facts.expireTime, span.now.wall);
	const auto end = exact ? *facts.expireTime : span.now.wallAt(life.middle());
	// Servers cut the moment of creation to whole seconds, and the moment of the last grant too.
	const auto ahead = *facts.creationTime + within(facts.explicitMaxTtl) + _policy->forecastSlack / 2 - end;
	if (exact || ahead >= -_policy->forecastSlack) {
		life.wall = life.middle() + std::max<Duration>(ahead, Duration::zero());
		life.wallWithin = life.latest - life.middle();
	}
}

/// Does the grant end where no other will reach beyond? `renewable` never says so; leases that shrink do.
void Keeper::watchWall(const Grant& grant, const Life& before)
{
	auto& life = _memory.life;
	const bool shortened = before.lease > Duration::zero() && grant.lease < before.lease;
	const auto moved = life.middle() - before.middle();
	const bool known = before.end == Life::End::known;
	if (grant.capWarning) {
		life.wall = life.middle();
		life.wallWithin = {};
		life.wallMet = shortened || (known && moved <= _policy->forecastSlack);
		_memory.unmoved = 0;
		return;
	}
	// Once is no proof: somebody may have renewed it with less.
	constexpr std::uint8_t proof = 2;
	const bool stayed = known && shortened && std::chrono::abs(moved) <= _policy->forecastSlack;
	_memory.unmoved = stayed ? std::min<std::uint8_t>(static_cast<std::uint8_t>(_memory.unmoved + 1), proof) : 0;
	if (_memory.unmoved == proof) {
		life.wall = life.middle();
		life.wallMet = true;
	}
	else if (life.wall && life.earliest > *life.wall + 2 * _policy->forecastSlack + life.wallWithin) {
		life.wall.reset(); // the cap was raised
		life.wallMet = false;
		_memory.toldNotRenewable = false;
	}
	else if (life.wall) {
		life.wall = std::max(*life.wall, life.earliest); // it lies there at least
	}
}

/// The server has said that no renewal reaches further.
void Keeper::meetWall()
{
	auto& life = _memory.life;
	const bool sure = life.hopeUntil <= life.latest; // no renewal's answer was lost
	if (endKnown() && (sure || !life.wall)) {
		life.wall = life.middle();
		life.wallWithin = {};
	}
	life.wallMet = true;
	enter(State::capped, Reason::maxTtl);
}

/// Where a wall is known, a token at it dies there: the next confirmation may still bring its last second or two.
Instant Keeper::endToTell() const
{
	const auto& life = _memory.life;
	return _memory.state == State::capped && atWall() ? std::max(life.middle(), *life.wall) : life.middle();
}

bool Keeper::atWall() const
{
	const auto& life = _memory.life;
	return life.wall && life.middle() + _policy->forecastSlack >= *life.wall;
}

/// Somebody renewed it with a small increment, and the server keeps the smaller TTL: asking for the full lease once
/// restores it. Where that does not help, the role's lease has become less, and is the full one now.
void Keeper::repairRatchet(const Grant& grant)
{
	auto& life = _memory.life;
	const bool asked = _memory.repairing;
	_memory.repairing = false;
	if (grant.capWarning || atWall()) {
		return;
	}
	const std::chrono::duration<float, Duration::period> least = _policy->ratchetBelow * life.fullLease;
	if (life.lease < least) {
		if (asked) {
			life.fullLease = life.lease;
		}
		else {
			_memory.repairing = true;
		}
	}
}

/// It is alive after the last moment at which it could be, and nobody may say for how long.
void Keeper::outlived(Instant now)
{
	auto& life = _memory.life;
	if (now < life.hopeUntil) {
		// Then it was one of those renewals. Its end is told as that of the first.
		life.earliest = life.hopeFrom - std::min(life.hopeUntil - life.hopeFrom, Life::vaguest);
		life.latest = life.hopeFrom = life.hopeUntil;
	}
	else {
		life.end = Life::End::unknown;
	}
}

/// A renewal has been sent, and no answer says whether it was done. One that was sent when the token must have been
/// dead gives no new hope: a server that hangs for ever would feed it for ever.
void Keeper::mayHaveBeenRenewed(const Span& span)
{
	auto& life = _memory.life;
	if (!endKnown() || span.sent.boot >= life.latest) {
		return;
	}
	const auto lease = std::max(life.lease, increment().value_or(Duration::zero()));
	if (life.hopeUntil <= life.latest) {
		life.hopeFrom = std::max(life.latest, span.sent.boot + lease);
	}
	life.hopeUntil = std::max(life.hopeUntil, span.now.boot + lease);
}

} // namespace issuer::vault::renewal
