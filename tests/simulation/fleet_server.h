#pragma once

#include "fleet_world.h"

#include <optional>
#include <vector>

namespace issuer::fleets {

/// The server's side of the tokens, one an issuer.
class Server
{
public:
	explicit Server(const World& world);

	struct Renewal
	{
		Instant at;
		unsigned machine;
		Instant endBefore; ///< of the token's life
	};

	struct Token
	{
		Instant made;
		Instant end;
		Instant latestGrant;
		std::optional<Instant> wall; ///< end of its max TTL
		std::vector<Renewal> renewals;
		std::vector<Renewal> lookUps; ///< that found it alive
	};

	/// Returns the end of the token's life; none: it is dead.
	[[nodiscard]] std::optional<Instant> lookUp(unsigned issuer, unsigned machine, Instant now);
	/// Extends its life as far as its max TTL allows.
	std::optional<Instant> renew(unsigned issuer, unsigned machine, Instant now);

	[[nodiscard]] const std::vector<Token>& tokens() const { return _tokens; }

private:
	const World& _world;
	std::vector<Token> _tokens;
};

} // namespace issuer::fleets
