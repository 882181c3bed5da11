#pragma once

#include "observe/events/event_sink.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace issuer::observe {

/// The wall clock, as the contract's events carry it.
using UnixTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// The clock that lateness is measured by: it cannot be set, and it stands still while the machine sleeps.
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::milliseconds>;

/// One happening of an issuer's history. Equal ones in a row are stored as one with a count, so that plain renewals do
/// not push out last week's trouble.
struct Happening
{
	std::optional<Action> action;                ///< act of the host; empty: the plugin recorded an event
	issuer_event_kind kind = ISSUER_EVENT_STATE; ///< of that event
	issuer_result result = ISSUER_RESULT_NONE;
	issuer_state state = ISSUER_STATE_STOPPED; ///< state after it
	issuer_reason reason = ISSUER_REASON_NONE;
	issuer_log_level level = ISSUER_LOG_INFO;
	std::uint32_t times = 1;
	UnixTime first;
	UnixTime last;
	std::string text; ///< of the latest of the equal ones; one printable line

	[[nodiscard]] bool isLike(const Happening& other) const
	{
		return action == other.action && kind == other.kind && result == other.result && state == other.state &&
			   reason == other.reason && level == other.level;
	}
};

/// The logins of an issuer, as its plugin told them. Empty for one that never logs in.
struct LoginRecord
{
	struct Count
	{
		issuer_result result;
		issuer_reason reason;
		std::uint64_t times;
	};

	std::vector<Count> ended; ///< by how they ended; in the order of the first of each
	std::optional<UnixTime> next;
	std::optional<UnixTime> failingSince; ///< the first of the failures in a row; empty: the last one succeeded
};

/// Everything that an issuer's plugin has told.
struct IssuerRecord
{
	std::string name;
	bool told = false; ///< an event has come; before that, the fields below have no meaning
	issuer_state state = ISSUER_STATE_STARTING;
	issuer_reason reason = ISSUER_REASON_NONE;
	std::optional<UnixTime> since; ///< time at which the state was entered
	std::optional<UnixTime> expires;
	std::optional<UnixTime> next;   ///< the next planned request
	std::optional<SteadyTime> due;  ///< the same on the steady clock, however the wall clock is set meanwhile
	std::optional<SteadyTime> ends; ///< end of a living credential, on the steady clock
	std::optional<UnixTime> lastSuccess;
	/// Length of a whole lease: of the last grant, or else the longest remaining life ever seen.
	std::optional<std::chrono::milliseconds> lease;
	std::chrono::microseconds lastLatency{0};
	std::uint64_t consecutiveFailures = 0;
	std::uint64_t successes = 0;
	std::uint64_t failures = 0;
	std::uint64_t notRenewables = 0;
	std::uint64_t stateChanges = 0;
	LoginRecord logins;
	std::string text; ///< detail of the last event
};

} // namespace issuer::observe
