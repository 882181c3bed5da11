#pragma once

#include <chrono>

/// The times of the fleet's rules, in the milliseconds that members exchange. The Vault plugin, which these rules do
/// not know, has times of its own, in microseconds.
namespace issuer::fleet {

using std::chrono::milliseconds;

/// The clock that schedules: CLOCK_BOOTTIME, which cannot be set and runs on while the machine is suspended, as leases
/// do. It has no now(): code that needs the time takes it as an argument.
struct BootClock
{
	using duration = milliseconds;
	using rep = duration::rep;
	using period = duration::period;
	using time_point = std::chrono::time_point<BootClock>;
	static constexpr bool is_steady = true;
};

/// A point in time to schedule by.
using Instant = BootClock::time_point;

/// A point in time that members can tell each other. Their wall clocks may differ.
using WallTime = std::chrono::sys_time<milliseconds>;

/// Both clocks, read together.
struct Moment
{
	Instant boot;
	WallTime wall;
};

} // namespace issuer::fleet
