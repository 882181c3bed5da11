#pragma once

#include "renewal/lease.h"
#include "renewal/login_facts.h"
#include "renewal/token_life.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The knowledge of a keeper of logins as plain data without secrets, which a hand-over writes down. Only facts: the
/// next request follows from them (login_plan.h).
namespace issuer::vault::renewal {

/// The failures of logins since the last token that was proven.
struct LoginRetry
{
	enum class Kind : std::uint8_t
	{
		none,
		passing,       ///< as an outage
		material,      ///< wait for other bytes
		configuration, ///< an operator must look
		ambiguous,     ///< perhaps locked out
		spent,         ///< the wrapped secret is gone: only other bytes help
	};

	Kind kind = Kind::none;
	Reason reason = Reason::none;
	std::uint32_t streak = 0;           ///< failures of this kind in a row
	std::uint32_t failures = 0;         ///< failures in a row
	Instant asOf = Instant::min();      ///< time of the latest one, from which pauses count
	Instant since = Instant::min();     ///< time at which the first of them was sent
	Instant notBefore = Instant::min(); ///< end of a Retry-After
	bool lost = false;                  ///< the latest request may have been carried out

	/// Counts one more failure. `changed`: the material has changed since the one before.
	void fail(Kind failing, Reason why, const Span& span, bool changed);
	/// Returns whether only other material, or its owner, can help.
	[[nodiscard]] bool isAboutMaterial() const { return kind == Kind::material || kind == Kind::spent; }
};

/// A token that a login made, until it is in use or given up.
struct NewToken
{
	Instant sent;
	Instant answered;
	LoggedIn facts;
	std::uint64_t mark = 0;     ///< of the material that made it
	std::uint64_t identity = 0; ///< likewise
};

struct LoginMemory
{
	Instant asOf = Instant::min();      ///< time of the latest change of facts; min: never begun
	Instant started = Instant::min();   ///< time at which the latest login, or unwrap, was sent
	Duration latency{};                 ///< of the logins that brought a token, slow ones for longer
	bool wanted = false;                ///< the host wants a login
	bool emptyFirst = false;            ///< an answer was lost: an empty login before the next one
	Instant heldUntil = Instant::min(); ///< end of the shared budget's pause

	LoginMaterial material;
	Instant materialAt = Instant::min();  ///< time of its latest change
	std::optional<WallTime> secretEnds;   ///< of a secret_id, where known
	std::optional<std::int64_t> usesLeft; ///< of a secret_id, where known
	bool lookUpForbidden = false;         ///< secret-id/lookup is not allowed to our tokens
	bool lookUpDue = false;               ///< to be asked about with the token in use

	/// Of wrapped secrets: the mark that was looked up and may be unwrapped; the one whose secret the owner holds.
	std::uint64_t wrapLookedUp = 0;
	std::uint64_t wrapHeld = 0;
	std::vector<std::uint64_t> wrapsSpent; ///< not to be tried again, oldest first

	TokenLife life;
	Instant tookUse = Instant::min();       ///< time since which this token is in use
	Instant standingSince = Instant::min(); ///< time of the latest change of its standing
	Duration fullLease{};                   ///< longest grant of this token
	std::optional<NewToken> inUse;          ///< how the token in use was made; none: not by us, or not known
	std::uint64_t usedMark = 0;     ///< of the material that made it, or that there was when it was found; 0: not known
	std::uint64_t usedIdentity = 0; ///< likewise
	std::optional<Duration> learnedLife; ///< of this role's tokens, from login to max TTL
	std::uint32_t livesSinceLearned = 0;

	std::optional<NewToken> fresh;    ///< waits for its proof
	std::optional<NewToken> rejected; ///< to be revoked
	std::optional<NewToken> replaced; ///< to be revoked at `revokeAt`
	Instant revokeAt = Instant::min();
	int revokesTried = 0;

	LoginRetry retry;
	std::uint32_t earlyDeaths = 0; ///< tokens of ours in a row that died before half of their lease

	std::uint64_t successes = 0;
	std::uint64_t failures = 0;

	/// The reports so far, so that nothing is told twice.
	std::optional<WallTime> endsTold; ///< WallTime::min(): that it has ended already
	bool heldTold = false;
	bool failing = false;          ///< this row of failures is in the log
	std::int32_t notesUnspent = 0; ///< number of lines that the log may take at once
	Instant notesCounted = Instant::min();

	/// Returns whether the material can be sent, as far as is known.
	[[nodiscard]] bool canLogIn() const { return material.usable && (!material.wrapped || wrapHeld != 0); }
	/// Returns whether the wrapped secret found is one that was not tried yet.
	[[nodiscard]] bool hasNewWrap() const;
	/// Returns whether a token is in use that the server may accept.
	[[nodiscard]] bool hasLiving() const;
};

} // namespace issuer::vault::renewal
