#pragma once

#include "renewal/latency.h"
#include "renewal/lease.h"
#include "renewal/report.h"
#include "renewal/retry.h"

#include <cstdint>
#include <optional>

/// A keeper's knowledge of its token as plain data, which a hand-over to another version of the plugin writes down.
/// Only facts: the state and the next request follow from them (standing.h, plan.h) and are stored nowhere.
namespace issuer::vault::renewal {

/// The open question that the next look-up is to settle.
enum class Owed : std::uint8_t
{
	nothing,
	verdict, ///< a renewal was refused in unknown words: if the token is alive, the server denies the renewal
	lease,   ///< the length of a wrapped grant's lease; then that renewal succeeded
	remains, ///< the remaining life of a token past its max TTL
};

/// The reports so far, so that nothing is reported twice; and their counts.
struct Told
{
	State state = State::stopped; ///< the state that the latest event told
	Duration lease{};
	std::optional<Instant> maxTtlEnd;
	/// Reported reason why the token cannot be renewed: once a life, or once for each max TTL.
	Reason bound = Reason::none;
	bool failing = false;    ///< this outage is in the log: its end will be too
	bool unreadable = false; ///< the failure of the credential's source is in the log

	std::int32_t notesUnspent = 0; ///< number of lines that the log may take at once
	Instant notesCounted = Instant::min();

	std::uint64_t successes = 0;
	std::uint64_t failures = 0;
	std::uint64_t notRenewables = 0;
	std::optional<Instant> lastSuccess;
};

struct Memory
{
	Lease lease;
	Retry retry;
	Owed owed = Owed::nothing;
	bool accepted = false;             ///< the server has accepted the token once
	Reason death = Reason::none;       ///< reason why the token counts as dead; none: it does not
	Reason unrenewable = Reason::none; ///< reason why the token cannot be renewed; none: it can

	Latency latency;
	Instant started = Instant::min(); ///< time at which the latest attempt began, with either token
	Told told;

	[[nodiscard]] bool dead() const { return death != Reason::none; }
	/// Returns whether it is dead, and no renewal without an answer may have saved it.
	[[nodiscard]] bool deadForSure(Instant now) const { return dead() && !lease.mayLastBeyond(now); }
	/// Returns whether the server has accepted the token, and it may be alive.
	[[nodiscard]] bool mayLive(Instant now) const { return accepted && !deadForSure(now); }
};

} // namespace issuer::vault::renewal
