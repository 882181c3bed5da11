#pragma once

#include "renewal/facts.h"
#include "renewal/policy.h"

#include <cstdint>
#include <optional>

namespace issuer::vault::renewal {

/// What the latest failures were: each kind has its own pauses.
enum class Failing : std::uint8_t
{
	none,
	passing, ///< the server is away, busy or talks nonsense
	refused, ///< it does not accept the token
	denied,  ///< it accepts the token and does not renew it
	dead,    ///< the token is dead, or cannot be renewed: nothing is asked but how it is
};

/// What has gone wrong with one token since the last success, and from when on the next pause counts.
/// Both the token in use and a candidate have one.
struct Retry
{
	Instant asOf = Instant::min(); ///< the facts changed last at this moment: pauses count from here; min: no life yet
	bool atOnce = false;           ///< the next request waits for nothing but the gap and a Retry-After
	Instant notBefore = Instant::min(); ///< end of the latest answer's Retry-After

	Failing kind = Failing::none;
	Reason reason = Reason::none; ///< of the latest failure; before one: why this life began
	std::uint32_t streak = 0;     ///< failures of this kind in a row
	std::uint32_t failures = 0;   ///< failed renewals in a row, and look-ups that a renewal could not go on without
	Instant failingSince;         ///< the first of `failures` was sent

	/// Refusals while no answer has told when the token ends. A look-up and the renewal that follows it are one.
	std::uint32_t refusals = 0;
	/// Look-ups in a row that told nothing: neither a look-up's answer nor a refusal.
	std::uint32_t useless = 0;
	bool renewNext = false; ///< a renewal is asked, since look-ups tell nothing or are forbidden

	/// One more failure of this kind.
	void count(Failing failing);
	/// The failures of this kind are counted anew, from this one on.
	void restart(Failing failing)
	{
		kind = failing;
		streak = 1;
	}
	/// One more failed renewal.
	void fail(Failing failing, Reason why, Instant sent);
	void succeed();

	/// The server has answered, at `now`, and perhaps asked for patience.
	void answeredAt(Instant now, std::optional<Duration> retryAfter);

	/// The answer to a look-up told nothing: after the second one in a row a renewal is asked, at once; after a probe
	/// of a dead token, which are far between, after the first.
	void lookUpWasUseless(const Policy& policy, bool probe);
	/// A token was refused of which no answer has told when it ends. By a look-up first: then a renewal is asked at
	/// once, since policies may allow only one of the two. True: it was asked often enough to believe the refusal.
	[[nodiscard]] bool refusedWithoutEnd(Operation operation, const Policy& policy);

	/// How long renewals have failed. A source that gave no token tells nothing of that.
	[[nodiscard]] Duration failingFor(Instant now) const;
	/// The latest failure is a refusal that is not believed yet.
	[[nodiscard]] bool isDoubting(const Policy& policy) const
	{
		return kind == Failing::refused && refusals > 0 && refusals <= policy.refusalsDoubted;
	}
};

} // namespace issuer::vault::renewal
