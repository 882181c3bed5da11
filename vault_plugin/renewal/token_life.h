#pragma once

#include "renewal/facts.h"

#include <cstdint>
#include <optional>

namespace issuer::vault::renewal {

/// The life of the token in use, as the keeper knows it: what a login is planned by.
struct TokenLife
{
	enum class Standing : std::uint8_t
	{
		none,   ///< no token yet
		living, ///< accepted, or not asked about yet
		denied, ///< alive, but no renewal will be granted as things are
		ended,  ///< dead: expired, revoked, refused
	};

	Standing standing = Standing::none;
	Reason reason = Reason::none;
	bool forEver = false;             ///< never expires
	bool renewable = true;            ///< false: ends with its lease (not renewable, batch, limited uses)
	std::optional<Instant> expiry;    ///< first moment at which it may end; none: unknown or never
	std::optional<Instant> maxTtlEnd; ///< no renewal reaches beyond this moment; none: none is known
	Duration lease{};                 ///< length of the latest grant
	bool capped = false;              ///< the latest grant was cut at the max TTL
	bool candidatePending = false;    ///< a candidate is being proven
	unsigned candidateRefusals = 0;   ///< consecutive refusals of that candidate
};

} // namespace issuer::vault::renewal
