#pragma once

#include "base/time.h"
#include "renewal/login_facts.h"

#include <cstdint>
#include <optional>
#include <string>

namespace issuer::vault::renewal {

using namespace std::chrono_literals;

/// The rules of logins as data; reasons in docs/logins.md. The first block comes from the configuration; the rest is
/// fixed.
struct LoginPolicy
{
	LoginMethod method = LoginMethod::appRole;
	std::optional<Duration> ahead;     ///< login this long before a known max TTL; none: computed from the life
	Duration rehearse{};               ///< log in this often although nothing asks for it; 0: never
	std::optional<Duration> revokeOld; ///< revoke a replaced token of ours after this grace; none: never
	std::string wrappedPath;           ///< creation_path that a wrapped secret must have; empty: any
	bool hasSecretId = true;           ///< AppRole only
	Duration requestTimeout = 30s;     ///< longest life of a login's request

	/// Overlap before a known wall: so much of the life, but half a lease at least.
	int overlapsPerLife = 10;
	Duration longestOverlap = 24h;
	double overlapSpread = 0.25; ///< up to this share of the overlap earlier
	/// One life in so many is led to its wall although the wall is believed known: the role's max TTL may have moved.
	std::uint32_t livesLearned = 8;

	Duration shortestPause = 1s; ///< least pause between two logins
	Duration afterLost = 5s;     ///< pause after a login whose answer was lost: it may have been carried out
	Duration deniedSpread = 60s; ///< span at random within which a token is replaced whose renewals are denied
	Duration settling = 250ms;   ///< pause after the material changed: it may be half written

	/// After a refusal of the material: the same bytes once more, then far apart, since the fifth refusal in a row
	/// locks the identity out for all clients, and the server forgets one after 15 min.
	Duration sameBytesAgain = 30s;
	Duration refusedPause = 16min;
	Duration longestRefusedPause = 4h;

	Duration configurationPause = 60s; ///< after a refusal that an operator must mend, doubling
	Duration longestConfigurationPause = 15min;
	Duration ambiguousPause = 60s; ///< after "permission denied", doubling: a lockout ends in 15 min
	Duration longestAmbiguousPause = 16min;

	Duration unwrapBudget = 60s; ///< an unwrap cannot be repeated
	Duration shortBudget = 5s;   ///< of a look-up
	Duration revokeBudget = 2s;
	int revokeTries = 2;

	Duration foresight = 24h; ///< material that ends within this is told also where no login is planned
};

} // namespace issuer::vault::renewal
