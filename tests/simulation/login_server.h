#pragma once

#include "login_world.h"

#include "renewal/facts.h"
#include "renewal/login_facts.h"

#include <map>
#include <optional>
#include <vector>

namespace issuer::simulation {

/// A server that logs in, as OpenBao does: leases, walls, refusals, and the lockout at the fifth in a row.
class LoginServer
{
public:
	struct Token
	{
		unsigned issuer = 0;
		std::size_t material = 0;
		Instant issued;
		Instant end; ///< may be extended
		Instant wall = Instant::max();
		Duration lease{};
		bool unheard = false; ///< the answer that told of its end was lost
		bool proven = false;  ///< a request with it was accepted
		bool revoked = false; ///< before its end, by revokeAllOf() or revoke()
		bool revokeAsked = false;
	};

	struct Material
	{
		bool good = true;
		Instant ends = Instant::max();
		std::int64_t uses = -1; ///< -1: unlimited
		Instant made = Instant::min();
		bool foreign = false;   ///< its wrapping token was made at another path
		unsigned unwrapped = 0; ///< number of requests to unwrap it that arrived
	};

	explicit LoginServer(const LoginWorld& world) : _world(world) {}

	static constexpr const char* path = "auth/approle/role/web/secret-id"; ///< where our wrapped secrets are made

	[[nodiscard]] std::size_t addMaterial(bool good, Instant now, bool foreign = false);
	void destroy(std::size_t material) { _materials[material].good = false; }
	void revokeAllOf(unsigned issuer, Instant now);
	void moveWall(Duration maxTtl) { _maxTtl = maxTtl; }

	[[nodiscard]] vault::renewal::Answer lookUp(std::size_t token, Moment now);
	/// `heard`: the answer will reach the issuer.
	[[nodiscard]] vault::renewal::Answer renew(std::size_t token, std::size_t presented, Instant now, bool heard);
	/// Returns the answer, and the token that it brings.
	[[nodiscard]] std::pair<vault::renewal::LoginAnswer, std::optional<std::size_t>> logIn(
		unsigned issuer, std::size_t material, Instant now);
	[[nodiscard]] vault::renewal::LoginAnswer lookUpWrapping(std::size_t material, Moment now) const;
	/// Returns the answer, and the token that was wrapped.
	[[nodiscard]] std::pair<vault::renewal::LoginAnswer, std::optional<std::size_t>> unwrap(
		unsigned issuer, std::size_t material, Moment now);
	[[nodiscard]] vault::renewal::LoginAnswer lookUpSecret(std::size_t material, Moment now) const;
	[[nodiscard]] vault::renewal::LoginAnswer revoke(std::size_t token, Instant now);

	[[nodiscard]] bool alive(std::size_t token, Instant now) const { return now < _tokens[token].end; }
	[[nodiscard]] const std::vector<Token>& tokens() const { return _tokens; }
	[[nodiscard]] const Material& material(std::size_t index) const { return _materials[index]; }
	[[nodiscard]] const std::vector<Material>& materials() const { return _materials; }
	[[nodiscard]] unsigned lockouts() const { return _lockouts; }

private:
	[[nodiscard]] bool accepted(const Token& token, Instant now) const
	{
		return now < token.end && !_world.otherAddress;
	}

	const LoginWorld& _world;
	std::vector<Token> _tokens;
	std::vector<Material> _materials;
	Duration _maxTtl = Duration(-1); ///< -1: the world's
	unsigned _refusals = 0;          ///< in a row, of the identity that all share
	Instant _latestRefusal = Instant::min();
	unsigned _lockouts = 0;
};

} // namespace issuer::simulation
