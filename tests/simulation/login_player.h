#pragma once

#include "login_actor.h"
#include "login_server.h"

#include <iosfwd>
#include <memory>
#include <queue>
#include <vector>

namespace issuer::simulation {

enum class LoginRules : std::uint8_t
{
	ours,
	agent,
};

/// The events of a world, for its judges.
struct LoginChronicle
{
	struct Login
	{
		unsigned issuer = 0;
		Instant sent;
		Instant answered = Instant::max();
		std::size_t material = 0;
		bool carriedOut = false; ///< the server has taken it
		bool unsent = false;
		std::optional<std::size_t> token;                       ///< where it was granted and the answer came
		std::optional<vault::renewal::LoginTrouble::Kind> kind; ///< of its failure
		std::optional<std::size_t> inUse;                       ///< the token in use when it was sent
	};

	LoginDiary diary;
	std::vector<LoginServer::Token> tokens;
	std::vector<Login> logins;
	std::vector<std::size_t> lost; ///< tokens that were made by logins whose answers were lost
	unsigned lockouts = 0;
	unsigned mostInFlight = 0; ///< logins of the identity at once
	struct Gap
	{
		unsigned issuer = 0;
		Instant from;
		Instant until;
		std::size_t token = 0; ///< whose end began it
	};
	/// A restart that found a token in the sink.
	struct Restart
	{
		unsigned issuer = 0;
		Instant at;
		std::size_t token = 0;
		Instant answered = Instant::max(); ///< the first time that the server answered to a request with it
	};
	std::vector<Restart> restarts;
	std::vector<LoginServer::Material> materials;
	std::vector<Gap> gaps; ///< times without a living token, after an issuer's first one
	Instant ends;
};

[[nodiscard]] LoginChronicle playLogins(const LoginWorld& world, LoginRules rules, std::ostream* story = nullptr);

} // namespace issuer::simulation
