#pragma once

#include "renewal/facts.h"
#include "renewal/policy.h"

#include <cstdint>
#include <optional>

namespace issuer::vault::renewal {

/// The kind of the latest failures, each with its own pauses.
enum class Failing : std::uint8_t
{
	none,
	passing, ///< the server is away, busy or gives no valid answer
	refused, ///< the server does not accept the token
	denied,  ///< the server accepts the token and does not renew it
	dead,    ///< the token is dead, or cannot be renewed: it is only looked up
};

/// The failures with one token since the last success, and the start of the next pause. Both the token in use and a
/// candidate have one.
struct Retry
{
	Instant asOf = Instant::min();      ///< time of the last change of facts, from which pauses count; min: no life yet
	bool atOnce = false;                ///< the next request waits only for the gap and a Retry-After
	Instant notBefore = Instant::min(); ///< end of the latest answer's Retry-After

	Failing kind = Failing::none;
	Reason reason = Reason::none; ///< of the latest failure; before one: why this life began
	std::uint32_t streak = 0;     ///< failures of this kind in a row
	std::uint32_t failures = 0;   ///< failed renewals in a row, and look-ups that a renewal could not go on without
	Instant failingSince;         ///< time at which the first of `failures` was sent

	/// Refusals while no answer has told the token's end. A look-up and the renewal that follows it are one.
	std::uint32_t refusals = 0;
	/// Look-ups in a row without information: answered neither by a look-up's answer nor by a refusal.
	std::uint32_t useless = 0;
	bool renewNext = false; ///< the next request is a renewal, since look-ups give no information or are forbidden

	/// Counts one more failure of this kind.
	void count(Failing failing);
	/// Counts the failures of this kind anew, from this one on.
	void restart(Failing failing)
	{
		kind = failing;
		streak = 1;
	}
	/// Counts one more failed renewal.
	void fail(Failing failing, Reason why, Instant sent);
	void succeed();

	/// Takes over that the server has answered at `now`, and perhaps asked for a pause.
	void answeredAt(Instant now, std::optional<Duration> retryAfter);

	/// Takes over that a look-up gave no information: after the second one in a row a renewal is sent, at once; after a
	/// probe of a dead token, which are far between, after the first.
	void lookUpWasUseless(const Policy& policy, bool probe);
	/// Takes over a refusal of a token whose end no answer has told. After a refused look-up a renewal is sent at once,
	/// since policies may allow only one of the two. Returns true if there were enough refusals to believe them.
	[[nodiscard]] bool refusedWithoutEnd(Operation operation, const Policy& policy);

	/// Returns the time for which renewals have failed. A source that gave no token does not count.
	[[nodiscard]] Duration failingFor(Instant now) const;
	/// Returns whether the latest failure is a refusal that is not believed yet.
	[[nodiscard]] bool isDoubting(const Policy& policy) const
	{
		return kind == Failing::refused && refusals > 0 && refusals <= policy.refusalsDoubted;
	}
};

} // namespace issuer::vault::renewal
