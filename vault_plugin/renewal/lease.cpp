#include "renewal/lease.h"

namespace issuer::vault::renewal {
namespace {

/// Servers report TTLs in whole seconds.
constexpr Duration rounding = std::chrono::seconds(1);

/// Most that the expiry shown to the operator may be earlier than the last possible one.
constexpr Duration vaguest = std::chrono::seconds(2);

/// Longest duration taken over: sums of two such do not overflow.
constexpr Duration longest = std::chrono::years(100);

Duration within(Duration length)
{
	return std::clamp(length, Duration::zero(), longest);
}

/// Returns whether a time of the server's clock is near enough to be used in sums.
bool isPlausible(const std::optional<WallTime>& time, WallTime now)
{
	return time && now - longest <= *time && *time <= now + longest;
}

} // namespace

void Lease::grantedBy(const Span& span, const Grant& grant, const Policy& policy)
{
	const auto before = *this;
	bring(span, within(grant.lease));
	followMaxTtl(grant.capWarning, policy);
	followRatchet(before, policy);
}

void Lease::bring(const Span& span, Duration length)
{
	end = End::known;
	granted = length;
	earliest = span.sent.boot + length;
	latest = span.now.boot + length;
	ruleOutLostRenewals();
	if (full == Duration::zero()) {
		full = length;
	}
}

void Lease::lookedUpBy(const Span& span, const TokenFacts& facts, const Policy& policy)
{
	const auto ttl = within(facts.ttl);
	narrow(span, ttl);
	if (granted == Duration::zero()) {
		// Another client may have renewed it with more than its first lease; then the next grant will bring that again.
		const auto own = within(facts.period > Duration::zero() ? facts.period : facts.creationTtl);
		full = own > Duration::zero() ? own : ttl;
		granted = std::max({full, ttl, rounding});
	}
	learnMaxTtl(span, facts, policy);
}

/// Takes over a TTL. The server computes it as `expire_time` minus the rounded present, cut to seconds
/// (leaseEntry.ttl() of Vault and OpenBao). So the truth is up to a second and a half above it; and up to half a second
/// below, or one second where other servers round up.
void Lease::narrow(const Span& span, Duration ttl)
{
	auto from = span.sent.boot + ttl - rounding;
	auto to = span.now.boot + ttl + rounding + rounding / 2;
	const bool lostNothing = known() && ifRenewedLatest <= latest;
	if (lostNothing && from <= latest && earliest <= to) {
		// Both describe the same end, and a grant does so more precisely.
		from = std::max(from, earliest);
		to = std::min(to, latest);
	}
	end = End::known;
	earliest = from;
	latest = to;
	ruleOutLostRenewals();
}

void Lease::unwrappedBy(const Span& span, const TokenFacts& facts, const Policy& policy)
{
	const auto before = *this;
	lookedUpBy(span, facts, policy);
	const bool asBefore = earliest - rounding <= before.ifRenewedLatest && before.ifRenewedLatest <= latest + rounding;
	granted = asBefore ? before.granted : std::max(within(facts.ttl), rounding);
	followMaxTtl(false, policy);
}

void Lease::assumeGranted()
{
	earliest = ifRenewedEarliest;
	latest = ifRenewedLatest;
	ruleOutLostRenewals();
}

/// Learns the max TTL of the token itself, which is known at once. Those of roles and mounts show with the first
/// shortened grant.
void Lease::learnMaxTtl(const Span& span, const TokenFacts& facts, const Policy& policy)
{
	const auto now = span.now.wall;
	if (facts.explicitMaxTtl <= Duration::zero() || !isPlausible(facts.creationTime, now) ||
		!isPlausible(facts.expireTime, now)) {
		return;
	}
	// Both times are of the server's clock, which cuts them to whole seconds.
	const auto ahead =
		*facts.creationTime + within(facts.explicitMaxTtl) + policy.forecastSlack / 2 - *facts.expireTime;
	maxTtlEnd = endToTell() + std::max<Duration>(ahead, Duration::zero());
	maxTtlWithin = latest - endToTell();
}

void Lease::followMaxTtl(bool capWarning, const Policy& policy)
{
	if (capWarning) {
		reachMaxTtl();
		return;
	}
	if (maxTtlEnd && earliest > *maxTtlEnd + 2 * policy.forecastSlack + maxTtlWithin) {
		maxTtlEnd.reset(); // the max TTL was raised
	}
	maxTtlReached = maxTtlReached && atMaxTtl(policy);
}

void Lease::reachMaxTtl()
{
	const bool sure = ifRenewedLatest <= latest; // no renewal's answer was lost
	if (known() && (sure || !maxTtlEnd)) {
		maxTtlEnd = endToTell();
		maxTtlWithin = latest - endToTell();
	}
	maxTtlReached = true;
}

/// Handles the ratchet: another client renewed with a small increment, and the server keeps the smaller TTL. Asking for
/// the full lease once restores it. Where that does not help, the role's lease has become shorter, and that is the full
/// one now.
void Lease::followRatchet(const Lease& before, const Policy& policy)
{
	if (before.fellShort(policy) && fellShort(policy)) {
		full = granted;
	}
}

void Lease::mayHaveBeenRenewed(Instant sent, Instant now, Duration asked)
{
	if (!known() || sent >= latest) {
		return;
	}
	const auto length = std::max(granted, asked);
	if (ifRenewedLatest <= latest) {
		ifRenewedEarliest = std::max(latest, sent + length);
	}
	ifRenewedLatest = std::max(ifRenewedLatest, now + length);
}

void Lease::renewedUnseen(Instant sent, Duration asked)
{
	if (!known() || sent >= latest) {
		return;
	}
	const auto length = std::max(granted, asked);
	ifRenewedEarliest = sent + length;
	ifRenewedLatest = std::max(ifRenewedLatest, sent + length);
}

void Lease::endAt(Instant now)
{
	end = End::known;
	earliest = latest = now;
	ruleOutLostRenewals();
}

Duration Lease::toAskFor(const Policy& policy) const
{
	const bool inDoubt = known() && ifRenewedLatest > latest;
	return inDoubt || fellShort(policy) ? std::max(full, granted) : Duration::zero();
}

void Lease::outlived(Instant now)
{
	if (now < ifRenewedLatest) {
		// A renewal without an answer was carried out. The expiry shown is that of the first one.
		earliest = ifRenewedEarliest - std::min(ifRenewedLatest - ifRenewedEarliest, vaguest);
		latest = ifRenewedLatest;
		if (maxTtlEnd && now < *maxTtlEnd) { // beyond which it did not reach either
			latest = std::min(latest, *maxTtlEnd + maxTtlWithin + rounding);
			earliest = std::min(earliest, *maxTtlEnd);
		}
		ruleOutLostRenewals();
	}
	else {
		end = End::unknown;
	}
}

Instant Lease::endToTell() const
{
	return earliest + std::min((latest - earliest) / 2, vaguest);
}

bool Lease::atMaxTtl(const Policy& policy) const
{
	return known() && maxTtlEnd && endToTell() + policy.forecastSlack >= *maxTtlEnd;
}

/// Returns whether the latest grant was shorter than it should be, and no max TTL is the cause.
bool Lease::fellShort(const Policy& policy) const
{
	const std::chrono::duration<float, Duration::period> least = policy.ratchetBelow * full;
	return granted < least && !atMaxTtl(policy);
}

} // namespace issuer::vault::renewal
