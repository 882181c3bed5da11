#pragma once

#include "renewal/facts.h"
#include "world.h"

#include "fake_vault/lease.h"

#include <optional>

namespace issuer::simulation {

/// One token on a server that is well: leases as OpenBao reckons them, `../support/fake_vault/lease.h`.
class VirtualVault
{
public:
	/// A token of `plan`; of its latest lease `plan.spent` is over at `now`.
	VirtualVault(const TokenPlan& plan, Instant now);

	/// A request reaches the server.
	[[nodiscard]] vault::renewal::Answer lookUp(Instant now);
	[[nodiscard]] vault::renewal::Answer renew(Instant now, std::optional<Duration> increment);

	/// The rest happens behind the renewer's back.
	void renewBySomebodyElse(Instant now, seconds increment);
	void revoke(Instant now);
	void setMaxTtl(seconds maxTtl) { _maxTtl = maxTtl; }

	[[nodiscard]] bool alive(Instant now) const { return now < end(); }
	/// When the token dies, or died; Instant::max(): never.
	[[nodiscard]] Instant end() const { return _end; }
	/// The latest lease it was given.
	[[nodiscard]] Duration lease() const { return _lease; }
	/// No renewal ever reaches beyond this by a second or more; none: there is no max TTL.
	[[nodiscard]] std::optional<Instant> maxTtlEnd() const;
	/// Renewals work at all, for this kind of token.
	[[nodiscard]] bool renewable() const;
	[[nodiscard]] Duration age(Instant now) const { return now - _issued; }
	/// The end of its life other than by its TTL: it was revoked, or its uses are spent.
	[[nodiscard]] bool killed() const { return _killed; }

private:
	[[nodiscard]] bool use(Instant now);
	[[nodiscard]] seconds usualLease() const;
	[[nodiscard]] bool periodic() const;
	std::optional<test::lease::Grant> extend(Instant now, std::optional<seconds> increment);
	void kill(Instant now);

	Kind _kind;
	seconds _firstLease;
	seconds _maxTtl;
	bool _maxTtlShown;
	std::int64_t _uses;
	Instant _issued;
	Instant _end;
	seconds _lease;
	bool _killed = false;
};

} // namespace issuer::simulation
