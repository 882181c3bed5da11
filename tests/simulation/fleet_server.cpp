#include "fleet_server.h"

#include <algorithm>

namespace issuer::fleets {

Server::Server(const World& world) : _world(world)
{
	for (unsigned issuer = 0; issuer < world.issuers + world.newIssuers; ++issuer) {
		const auto made = world.made(issuer);
		_tokens.push_back({made, made + world.lease, made, {}, {}, {}});
	}
	if (world.maxTtl > milliseconds::zero()) {
		_tokens.front().wall = worldBegins + world.maxTtl;
	}
}

std::optional<Instant> Server::lookUp(unsigned issuer, unsigned machine, Instant now)
{
	auto& token = _tokens[issuer];
	if (now >= token.end) {
		return {};
	}
	token.lookUps.push_back({now, machine, token.end});
	return token.end;
}

std::optional<Instant> Server::renew(unsigned issuer, unsigned machine, Instant now)
{
	auto& token = _tokens[issuer];
	if (now >= token.end) {
		return {};
	}
	token.renewals.push_back({now, machine, token.end});
	token.end = std::min(now + _world.lease, token.wall.value_or(now + _world.lease));
	token.latestGrant = now;
	return token.end;
}

} // namespace issuer::fleets
