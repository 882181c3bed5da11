#pragma once

#include "renewal/login_memory.h"
#include "renewal/login_policy.h"

#include <optional>

namespace issuer::vault::renewal {

/// A token that a login's request is about.
enum class LoginToken : std::uint8_t
{
	none,
	inUse,    ///< sent with a look-up of the secret_id
	fresh,    ///< made by the latest login, waits for its proof
	rejected, ///< made by a login and not taken into use
	replaced, ///< made by a login, and replaced by a newer one
};

/// The next request of a login, as it follows from the facts.
struct LoginPlan
{
	std::optional<Instant> at; ///< none: no request until a new fact comes
	LoginOperation operation = LoginOperation::logIn;
	LoginToken token = LoginToken::none;
	std::optional<Instant> login; ///< the next login, also where other requests come before it; none: none is planned
	bool empty = false;           ///< a login without material, see LoginAttempt
};

/// Plans. `chance` is a number in [0, 1) for the jitter.
[[nodiscard]] LoginPlan planOf(const LoginPolicy& policy, const LoginMemory& memory, double chance);

/// Returns the moment at which something asks for a login, without regard to earlier failures; nothing: nothing does.
[[nodiscard]] std::optional<Instant> loginDue(const LoginPolicy& policy, const LoginMemory& memory, double chance);

/// Returns whether servers count refusals of this method's logins, and lock the identity at the fifth.
[[nodiscard]] bool locksOut(LoginMethod method);

/// Returns the overlap of two tokens that a login before a known wall leaves. `life`: from login to wall.
[[nodiscard]] Duration overlapOf(const LoginPolicy& policy, Duration lease, Duration life);

/// Returns the time limit of a request.
[[nodiscard]] Duration budgetOf(
	const LoginPolicy& policy, const LoginMemory& memory, LoginOperation operation, Instant now);

} // namespace issuer::vault::renewal
