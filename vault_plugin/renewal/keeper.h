#pragma once

#include "renewal/facts.h"
#include "renewal/policy.h"
#include "renewal/report.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace issuer::vault::renewal {

/// What to ask the server now, and how long it may take in all.
struct Attempt
{
	Operation operation = Operation::lookUp;
	Duration budget{};                  ///< for every byte of it: resolution, connect, TLS, answer
	std::optional<Duration> increment;  ///< whole seconds to ask for; none: what the server has set
};

/// What can be asked of a token's life at any time. Cheap to copy.
struct Snapshot
{
	State state = State::stopped;
	Reason reason = Reason::none;
	std::uint32_t consecutiveFailures = 0;
	std::optional<WallTime> expires;
	std::optional<WallTime> next;
	std::optional<WallTime> lastSuccess;
	std::optional<WallTime> lastAttempt;
	std::optional<WallTime> cappedAt;    ///< the forecast hour of death
	std::uint64_t successes = 0;
	std::uint64_t failures = 0;
	std::uint64_t notRenewables = 0;
	Duration lastLatency{};
	Duration lease{};                    ///< last granted
};

/// Decides when to ask for a token's renewal, what an answer means and what to tell.
///
/// Pure: no thread, socket, lock or clock. The owner hands it the time and the facts, one call after the other, and
/// does what it says: sleep until next(), then take attempt(), send it, and hand back the answer.
///
///     begin ──▶ next() ──(time comes)──▶ attempt() ──(exchange)──▶ answered() ──▶ next() …
///                 ▲   credentialReplaced(), credentialUnreadable(), renewNow() at any time between
///
/// The rules and their reasons: renewal.md of the design, told again at each rule in the source.
class Keeper
{
public:
	/// `seed` feeds the jitter: two keepers with one seed and one history decide alike.
	Keeper(const Policy& policy, std::uint64_t seed);

	/// A life begins, or begins again after stopped(): nothing is known of the token.
	[[nodiscard]] Reports begin(Moment now);

	/// When to call attempt(); none: there is nothing to do until something is told.
	[[nodiscard]] std::optional<Instant> next() const;

	/// The request to send now. Every attempt() is followed by one answered() or credentialUnreadable().
	[[nodiscard]] Attempt attempt(Moment now);

	/// How the attempt ended that was taken last. `sent`: when it began; `now`: when its answer had come.
	[[nodiscard]] Reports answered(Moment sent, Moment now, const Answer& answer);

	/// The credential source gave another token than before: a new life, from which state ever.
	[[nodiscard]] Reports credentialReplaced(Moment now);

	/// The credential source gave nothing usable. With a token from before, life goes on with that one.
	/// Without (`haveToken` false) the attempt counts as failed and is planned again.
	[[nodiscard]] Reports credentialUnreadable(Moment now, bool haveToken, std::string_view why);

	/// A person or the host asks for a renewal as soon as the rules allow one.
	void renewNow(Moment now);

	/// The life ends for us, not for the token. Not a failure; counters stay.
	[[nodiscard]] Reports stopped(Moment now);

	[[nodiscard]] Snapshot snapshot() const;

	/// The end of life to plan by, for whoever must put tokens in order of urgency; none: unknown or never.
	[[nodiscard]] std::optional<Instant> expiry() const;
};

} // namespace issuer::vault::renewal
