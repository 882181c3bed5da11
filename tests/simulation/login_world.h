#pragma once

#include "base/time.h"
#include "renewal/login_facts.h"

#include <cstdint>
#include <iosfwd>
#include <string_view>
#include <vector>

/// Worlds with logins: a server with a role, up to a hundred issuers that share an identity, and their mishaps.
namespace issuer::simulation {

using vault::Duration;
using vault::Instant;
using vault::Moment;
using vault::renewal::LoginMethod;

/// A fault or a change of a world, which lasts for a while or happens once.
enum class Mishap : std::uint8_t
{
	unreachable,   ///< connections are refused: surely unsent
	hangs,         ///< requests are lost
	losesAnswers,  ///< requests are carried out, answers are lost
	sealed,        ///< 503
	reviewDown,    ///< "permission denied" to each login: TokenReview (Kubernetes), an LDAP server says so itself
	misconfigured, ///< logins are refused in the words of a configuration
	wrongMaterial, ///< wrong material is put in place; mended with good, other bytes at its end
	destroyed,     ///< the server refuses the material in place; mended with good, other bytes at its end
	denied,        ///< no token made before its beginning is renewed any more; new ones are
	revoked,       ///< all tokens in use are revoked, once
	wallMoves,     ///< the role's max TTL becomes another one
	swapped,       ///< all issuers are handed to another library, once: what they shared has to come along
	restarted,     ///< the process starts anew, once: the sink's token alone comes along
	foreignWrap,   ///< a secret that another client wrapped is put in place, once; replaced by a good one at its end
};

[[nodiscard]] std::string_view nameOf(Mishap mishap);

struct Misfortune
{
	Mishap mishap{};
	Instant from;
	Instant until;
	bool all = true; ///< of material: that of every issuer, else of the first alone; of a max TTL: doubled, else halved
};

struct LoginWorld
{
	std::uint64_t seed = 0;
	LoginMethod method = LoginMethod::appRole;
	unsigned issuers = 1;
	bool ownMaterial = false; ///< each issuer has bytes of its own
	Duration lease{};
	Duration maxTtl{};      ///< 0: none
	bool wallShown = false; ///< as the token's explicit_max_ttl
	bool batch = false;
	bool noPolicy = false;     ///< tokens may neither look themselves up nor renew nor revoke themselves
	bool otherAddress = false; ///< tokens are bound to another source address: refused at once
	Duration latency{};        ///< of a request and its answer
	Duration horizon{};
	Duration materialLife{}; ///< of a JWT, certificate or secret_id; 0: never ends
	bool endKnown = false;   ///< of a secret_id: policies allow to look it up
	std::int64_t uses = 0;   ///< of a secret_id; 0: unlimited
	Duration rotation{};     ///< new material is put in place so often; 0: never
	bool wrapped = false;    ///< the material is a wrapping token, with the secret_id or (wrappedToken) the token in it
	bool sink = false;       ///< the token in use is in a file that a restart finds
	std::vector<Misfortune> misfortunes;

	[[nodiscard]] bool countsRefusals() const; ///< user lockout is on for this method
	[[nodiscard]] bool happens(Mishap mishap) const;
	/// Returns whether none of these mishaps is there at any time of [from, until).
	[[nodiscard]] bool isFreeOf(std::initializer_list<Mishap> mishaps, Instant from, Instant until) const;
	[[nodiscard]] bool isDuring(Mishap mishap, Instant instant) const;
	/// Returns the life of a token from its login to its wall; as long as the world if it has none.
	[[nodiscard]] Duration life() const;
};

[[nodiscard]] LoginWorld loginWorldOf(std::uint64_t seed);
std::ostream& operator<<(std::ostream& out, const LoginWorld& world);

/// Numbers of one seed (splitmix64).
class Dice
{
public:
	explicit Dice(std::uint64_t seed) : _state(seed) {}
	[[nodiscard]] std::uint64_t bits();
	[[nodiscard]] double share() { return static_cast<double>(bits() >> 11U) * 0x1.0p-53; }
	[[nodiscard]] bool chance(double share_) { return share() < share_; }
	/// Between both, evenly over their orders of magnitude.
	[[nodiscard]] Duration length(Duration from, Duration to);
	[[nodiscard]] std::uint64_t below(std::uint64_t end) { return bits() % end; }

private:
	std::uint64_t _state;
};

inline constexpr Instant worldBegins{std::chrono::hours(1000)};

} // namespace issuer::simulation
