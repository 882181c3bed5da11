#pragma once

#include "renewal/facts.h"
#include "renewal/policy.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace issuer::vault::renewal {

/// The time of an exchange.
struct Span
{
	Moment sent;
	Moment now; ///< time at which its answer had come
};

/// The expiry of a token, as far as answers tell, and the reach of renewals. A server says "60 s" at an unknown moment
/// between the request and its answer, in whole seconds, so the expiry is known as an interval.
///
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
	Duration full{};           ///< length that a grant should have
	std::optional<Instant> maxTtlEnd; ///< no renewal reaches beyond this moment
	Duration maxTtlWithin{};          ///< error of maxTtlEnd, from the slow answer that told it
	bool maxTtlReached = false;       ///< a renewal has run into the max TTL, so that another one brings nothing

	/// Takes over a grant. Follows the max TTL, which `renewable` never tells: the server's warning and shorter grants
	/// do.
	void grantedBy(const Span& span, const Grant& grant, const Policy& policy);

	/// Takes over a look-up: a TTL in whole seconds, the token's own lease and its max TTL.
	void lookedUpBy(const Span& span, const TokenFacts& facts, const Policy& policy);

	/// Takes over a look-up that tells the length of a wrapped grant's lease.
	void unwrappedBy(const Span& span, const TokenFacts& facts, const Policy& policy);

	/// Takes a wrapped grant that cannot be looked up as one of the usual length. Only while the end is known.
	void assumeGranted();

	/// Takes over that no renewal reaches further.
	void reachMaxTtl();

	/// Takes over that a renewal was sent, and that no answer says whether it was carried out. One sent after `latest`
	/// gives no new hope: a server that hangs for ever would feed it for ever.
	void mayHaveBeenRenewed(Instant sent, Instant now, Duration asked);

	/// Takes over a wrapped grant: a renewal that was carried out, whose length no answer tells.
	void renewedUnseen(Instant sent, Duration asked);

	/// Takes over that the token has ended, whatever was left of its lease.
	void endAt(Instant now);

	/// Takes over that the token was refused after `latest`: no renewal without an answer has extended it.
	void ruleOutLostRenewals() { ifRenewedEarliest = ifRenewedLatest = latest; }

	/// Takes over that the token is alive after `latest`: a renewal without an answer has extended it, or its end is
	/// unknown.
	void outlived(Instant now);

	[[nodiscard]] bool known() const { return end == End::known; }
	/// Returns whether the latest renewals ended at the max TTL.
	[[nodiscard]] bool capped(const Policy& policy) const { return maxTtlReached || atMaxTtl(policy); }
	/// Returns whether all answers put the expiry before `instant`, renewals without an answer aside.
	[[nodiscard]] bool overAt(Instant instant) const { return known() && instant >= latest; }
	/// Returns whether a renewal without an answer may keep the token alive at `instant`.
	[[nodiscard]] bool mayLastBeyond(Instant instant) const { return known() && instant < ifRenewedLatest; }
	/// Returns the length to ask for; 0: the server's own. After a renewal without an answer it is the length that
	/// `ifRenewedLatest` counts on, in case another client's smaller increment has become the server's.
	[[nodiscard]] Duration toAskFor(const Policy& policy) const;
	/// Returns the next moment at which the token may expire and can still be saved.
	[[nodiscard]] Instant nextEnd(Instant now) const { return now < latest ? earliest : ifRenewedEarliest; }
	/// Returns the expiry to show: the middle of the interval; after a very slow answer rather too early than too late.
	[[nodiscard]] Instant endToTell() const;

private:
	[[nodiscard]] bool atMaxTtl(const Policy& policy) const;
	[[nodiscard]] bool fellShort(const Policy& policy) const;
	void bring(const Span& span, Duration length);
	void narrow(const Span& span, Duration ttl);
	void learnMaxTtl(const Span& span, const TokenFacts& facts, const Policy& policy);
	void followMaxTtl(bool capWarning, const Policy& policy);
	void followRatchet(const Lease& before, const Policy& policy);
};

} // namespace issuer::vault::renewal
