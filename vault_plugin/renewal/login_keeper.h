#pragma once

#include "renewal/login_facts.h"
#include "renewal/report.h"
#include "renewal/token_life.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace issuer::vault::renewal {

/// Settings of a login. See docs/logins.md.
struct LoginPolicy
{
	LoginMethod method = LoginMethod::appRole;
	std::optional<Duration> ahead;     ///< login this long before a known max TTL; none: computed from the life
	Duration rehearse{};               ///< log in this often although nothing asks for it; 0: never
	std::optional<Duration> revokeOld; ///< revoke a replaced token of ours after this grace; none: never
	std::string wrappedPath;           ///< creation_path that a wrapped secret must have; empty: any
	bool hasSecretId = true;           ///< AppRole only
};

/// A request to send now. The owner fills in the material and holds what comes back.
struct LoginAttempt
{
	LoginOperation operation = LoginOperation::logIn;
	Duration budget{};        ///< time limit for all of it
	bool nextAddress = false; ///< rather at another configured address than the last one (a standby locks for itself)
};

/// What must survive a swap or a restart, without secrets.
struct LoginMemory;

/// Decides when an issuer logs in, and judges each answer. Beside the Keeper and as pure: no thread, socket, lock or
/// clock.
///
/// A login is a source of credentials. Its token is a *candidate* of the Keeper, which keeps the token in use until a
/// look-up has proven the new one; only then the owner replaces it. So nothing here ever leaves an issuer without the
/// token that it had.
///
///     materialFound() ──▶ next() ──(time comes)──▶ attempt() ──(exchange)──▶ answered() ──▶ hasToken()
///     follow(TokenLife) ──▲                                      Keeper::candidateFound() ◀──┘
///                         └── adopted() / unproven() ◀── the Keeper's verdict on the candidate
///
/// Rules and reasons: docs/logins.md.
class LoginKeeper
{
public:
	LoginKeeper(const LoginPolicy& policy, std::uint64_t seed);
	~LoginKeeper();

	/// Begins. A token of the sink or of a hand-over may be in use already: follow() tells.
	[[nodiscard]] Reports begin(Moment now);

	/// Takes the material as it is now; called whenever it was read anew.
	[[nodiscard]] Reports materialFound(Moment now, const LoginMaterial& material);

	/// Takes the life of the token in use; called after each call of the Keeper's that may have changed it.
	[[nodiscard]] Reports follow(Moment now, const TokenLife& life);

	/// Returns when to call attempt(); nothing: an answer is awaited, or only a new fact can cause a request.
	[[nodiscard]] std::optional<Instant> next() const;
	[[nodiscard]] LoginAttempt attempt(Moment now);

	/// Takes the result of the last attempt. After a LoggedIn, hasToken(): the owner hands the token to the Keeper.
	[[nodiscard]] Reports answered(Moment sent, Moment now, const LoginAnswer& answer);

	/// Takes that the shared budget does not allow the attempt due now: the same bytes were refused for a sibling.
	[[nodiscard]] Reports heldBack(Moment now, Instant until, std::string_view why);

	/// A new token waits for its proof.
	[[nodiscard]] bool hasToken() const;
	/// Takes that the Keeper has adopted the new token.
	[[nodiscard]] Reports adopted(Moment now);
	/// Takes that the server does not accept the new token: it is revoked, and the login counts as failed.
	[[nodiscard]] Reports unproven(Moment now, std::string_view why);

	/// Has a login made as soon as the rules allow one.
	void logInNow(Moment now);
	[[nodiscard]] Reports stopped(Moment now);

	/// The figures of the health extension.
	struct Figures
	{
		std::uint64_t successes = 0;
		std::uint64_t failures = 0;
		std::optional<WallTime> nextLogin;
		std::optional<WallTime> materialEnds;
		std::optional<std::int64_t> usesLeft;
	};
	[[nodiscard]] Figures figures(Moment now) const;

	[[nodiscard]] const LoginMemory& memory() const;
	void resume(Moment now, const LoginMemory& memory);
};

} // namespace issuer::vault::renewal
