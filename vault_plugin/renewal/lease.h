#pragma once

#include "renewal/facts.h"
#include "renewal/policy.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace issuer::vault::renewal {

/// When an exchange took place.
struct Span
{
	Moment sent;
	Moment now; ///< its answer had come
};

/// When a token dies, as far as answers tell, and how far renewals can reach. A server says "60 s" at an unknown moment
/// between the request and its answer, in whole seconds, so the expiry is known as an interval.
/// Invariant, while the end is known: earliest ≤ latest ≤ ifRenewedLatest, and ifRenewedEarliest ≤ ifRenewedLatest.
struct Lease
{
	enum class End : std::uint8_t
	{
		unknown,
		known,
		never,
	};

	End end = End::unknown;
	Instant earliest;          ///< first moment at which the token may expire: plan by it
	Instant latest;            ///< last moment at which the token may expire: give up after it
	Instant ifRenewedEarliest; ///< earliest expiry if a renewal whose answer was lost did succeed; else `latest`
	Instant ifRenewedLatest;   ///< latest expiry if a renewal whose answer was lost did succeed; else `latest`
	Duration granted{};        ///< length of the latest grant; before the first one: the period or the first lease
	Duration full{};           ///< length that a grant ought to have
	bool askFull = false;      ///< the next renewal asks for `full`: the latest grant fell short of it
	std::optional<Instant> maxTtlEnd; ///< no renewal reaches beyond this moment
	Duration maxTtlWithin{};          ///< error of maxTtlEnd, from the slow answer that told it
	bool maxTtlReached = false;       ///< a renewal has run into the max TTL, so that another one brings nothing

	/// Takes over a grant. Follows the max TTL: `renewable` never tells it, the server's warning and shorter grants do.
	void grantedBy(const Span& span, const Grant& grant, const Policy& policy);

	/// Takes over a look-up: a TTL in whole seconds, and what it says of the token's own lease and max TTL.
	void lookedUpBy(const Span& span, const TokenFacts& facts, const Policy& policy);

	/// Takes over a look-up that tells how long the lease of a wrapped grant is.
	void unwrappedBy(const Span& span, const TokenFacts& facts, const Policy& policy);

	/// A wrapped grant cannot be looked up: it counts as one of the usual length. Only while the end is known.
	void assumeGranted(Duration latency);

	/// The server has said that no renewal reaches further.
	void reachMaxTtl();

	/// A renewal was sent, and no answer says whether it was done. One sent after `latest` gives no new hope: a server
	/// that hangs for ever would feed it for ever.
	void mayHaveBeenRenewed(Instant sent, Instant now, Duration asked);

	/// The token was refused after `latest`: no lost renewal has extended it.
	void ruleOutLostRenewals() { ifRenewedEarliest = ifRenewedLatest = latest; }

	/// The token is alive after `latest`: either a lost renewal has extended it, or nobody can say for how long.
	void outlived(Instant now);

	[[nodiscard]] bool known() const { return end == End::known; }
	/// The latest renewals ended at the max TTL.
	[[nodiscard]] bool capped(const Policy& policy) const { return maxTtlReached || atMaxTtl(policy); }
	/// All answers put the expiry before `instant`, lost renewals aside.
	[[nodiscard]] bool overAt(Instant instant) const { return known() && instant >= latest; }
	/// A renewal whose answer was lost may keep the token alive at `instant`.
	[[nodiscard]] bool mayLastBeyond(Instant instant) const { return known() && instant < ifRenewedLatest; }
	/// The next moment at which the token may expire and can still be saved.
	[[nodiscard]] Instant nextEnd(Instant now) const { return now < latest ? earliest : ifRenewedEarliest; }
	/// The expiry to tell people. After a very slow answer rather too early than too late; at the max TTL that one,
	/// since the next renewal may still bring its last second or two.
	[[nodiscard]] Instant endToTell(const Policy& policy) const;

private:
	[[nodiscard]] Instant middle() const;
	[[nodiscard]] bool atMaxTtl(const Policy& policy) const;
	void bring(const Span& span, Duration length);
	void narrow(const Span& span, Duration ttl);
	void learnMaxTtl(const Span& span, const TokenFacts& facts, const Policy& policy);
	void followMaxTtl(const Lease& before, bool capWarning, const Policy& policy);
	void followRatchet(bool capWarning, const Policy& policy);
};

} // namespace issuer::vault::renewal
