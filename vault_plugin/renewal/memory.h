#pragma once

#include "renewal/latency.h"
#include "renewal/lease.h"
#include "renewal/report.h"
#include "renewal/retry.h"

#include <cstdint>
#include <optional>

/// All that a keeper knows of its token, as plain data: what a hand-over to another version of the plugin writes down.
/// Only facts: the state and the next request follow from them (standing.h, plan.h) and are kept nowhere.
namespace issuer::vault::renewal {

/// What the next look-up is to settle, if an answer left something open.
enum class Owed : std::uint8_t
{
	nothing,
	verdict, ///< is the token alive whose renewal was refused in unknown words? Then the server denies the renewal
	lease,   ///< how long is the lease of a wrapped grant? Then that renewal succeeded
	remains, ///< what is left of a token past its max TTL?
};

/// What was told, so that nothing is told twice; and the counts of what was told.
struct Told
{
	State state = State::stopped; ///< of the latest event
	Duration lease{};
	std::optional<Instant> maxTtlEnd;
	Reason bound = Reason::none; ///< why the token cannot be renewed: told once a life, or once a max TTL
	bool failing = false;        ///< this outage is in the log: its end belongs there too
	bool unreadable = false;     ///< the failure of the credential's source is in the log

	std::int32_t notesUnspent = 0; ///< lines that the log takes at once
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
	Reason death = Reason::none;       ///< why the token counts as dead; none: it does not
	Reason unrenewable = Reason::none; ///< why the token cannot be renewed; none: it can

	Latency latency;
	Instant started = Instant::min(); ///< the latest attempt, with whichever token, began
	Told told;

	[[nodiscard]] bool dead() const { return death != Reason::none; }
	/// Dead, and no renewal whose answer was lost may have saved it.
	[[nodiscard]] bool deadForSure(Instant now) const { return dead() && !lease.mayLastBeyond(now); }
	/// The server has accepted the token, and it may be alive.
	[[nodiscard]] bool mayLive(Instant now) const { return accepted && !deadForSure(now); }
};

} // namespace issuer::vault::renewal
