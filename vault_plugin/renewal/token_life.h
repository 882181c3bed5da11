#pragma once

#include "renewal/facts.h"
#include "renewal/lease.h"
#include "renewal/report.h"

#include <cstdint>
#include <optional>

namespace issuer::vault::renewal {

/// The source of the next token, as the keeper of logins sees it. It changes what the operator must know about a token
/// that cannot be renewed beyond its end: with a next login planned, that end needs no alarm.
struct Successor
{
	enum class Outlook : std::uint8_t
	{
		none,     ///< no login: a person replaces the token
		planned,  ///< the next login is planned, and the last one did not fail
		retrying, ///< a login is due, and the server does not answer
		failed,   ///< the last login was refused: the hour of death is real
	};

	Outlook outlook = Outlook::none;
	Reason reason = Reason::none; ///< of the last failure

	/// Returns whether a login is tried, or will be, before the token ends.
	[[nodiscard]] bool isHoped() const { return outlook == Outlook::planned || outlook == Outlook::retrying; }

	friend bool operator==(const Successor&, const Successor&) = default;
};

/// The lease with which a candidate was made, where its maker told: known before any look-up.
struct FirstGrant
{
	Span span;
	Grant grant;
};

/// The life of the token in use, as the keeper knows it: what a login is planned by.
struct TokenLife
{
	enum class Standing : std::uint8_t
	{
		none,    ///< no token yet
		living,  ///< accepted, or not asked about yet
		refused, ///< refused twice or more, although it should live on
		denied,  ///< alive, but no renewal will be granted as things are
		ended,   ///< dead: expired, revoked, refused
	};

	Standing standing = Standing::none;
	State state = State::stopped;  ///< as reported
	Reason reason = Reason::none;  ///< as reported
	bool accepted = false;         ///< the server has accepted it
	bool forEver = false;          ///< never expires
	bool renewable = true;         ///< false: ends with its lease (not renewable, batch, limited uses)
	std::optional<Instant> expiry; ///< next moment at which it may end; none: unknown or never. In the future although
								   ///< the token counts as dead: a renewal without an answer may have saved it
	std::optional<Instant> maxTtlEnd; ///< no renewal reaches beyond this moment; none: none is known
	Duration lease{};                 ///< length of the latest grant; 0: none is known
	bool capped = false;              ///< the latest grant was cut at the max TTL
	bool candidatePending = false;    ///< a candidate is being proven
	bool candidateRefused = false;    ///< its refusals are believed: the owner drops it, see LoginKeeper::unproven()

	friend bool operator==(const TokenLife&, const TokenLife&) = default;
};

} // namespace issuer::vault::renewal
