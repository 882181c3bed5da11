#pragma once

#include "observe/event_sink.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace issuer::observe {

/// Wall clock, as the contract's events carry it.
using UnixTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// What lateness is judged by: nobody can set this clock, and while the machine sleeps it stands still.
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::milliseconds>;

/// One thing that happened to an issuer. Equal ones in a row are one: a history of plain renewals says nothing, and
/// must not push out what went wrong last week.
struct Happening
{
	std::optional<Action> action; ///< the host did it; else the plugin recorded an event
	issuer_result result = ISSUER_RESULT_NONE;
	issuer_state state = ISSUER_STATE_STOPPED; ///< after it
	issuer_reason reason = ISSUER_REASON_NONE;
	issuer_log_level level = ISSUER_LOG_INFO;
	std::uint32_t times = 1;
	UnixTime first;
	UnixTime last;
	std::string text; ///< of the last; one printable line

	[[nodiscard]] bool isLike(const Happening& other) const
	{
		return action == other.action && result == other.result && state == other.state && reason == other.reason &&
			   level == other.level;
	}
};

/// What an issuer's plugin told, in one place.
struct IssuerRecord
{
	std::string name;
	bool told = false; ///< an event has come: before, nothing below says anything
	issuer_state state = ISSUER_STATE_STARTING;
	issuer_reason reason = ISSUER_REASON_NONE;
	std::optional<UnixTime> since; ///< when the state was entered
	std::optional<UnixTime> expires;
	std::optional<UnixTime> next;   ///< the next planned request
	std::optional<SteadyTime> due;  ///< the same, however the wall clock is set meanwhile
	std::optional<SteadyTime> ends; ///< the end of a living credential, likewise
	std::optional<UnixTime> lastSuccess;
	std::optional<std::chrono::milliseconds> lease; ///< what a whole life is: the last grant, else the most ever seen
	std::chrono::microseconds lastLatency{0};
	std::uint64_t consecutiveFailures = 0;
	std::uint64_t successes = 0;
	std::uint64_t failures = 0;
	std::uint64_t notRenewables = 0;
	std::uint64_t stateChanges = 0;
	std::string text; ///< the last event's detail
};

} // namespace issuer::observe
