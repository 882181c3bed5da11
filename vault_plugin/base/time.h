#pragma once

#include <chrono>

namespace issuer::vault {

/// Every length of time inside the plugin. Microseconds: fine enough for a latency, and wide enough (292,000 years)
/// for the largest lease a server can name.
using Duration = std::chrono::microseconds;

/// The clock that schedules: CLOCK_BOOTTIME, which runs on while the machine is suspended, as leases do. It has no
/// now(): code that needs the time takes it as an argument. `runtime::Clock` reads it.
struct BootClock
{
	using duration = Duration;
	using rep = duration::rep;
	using period = duration::period;
	using time_point = std::chrono::time_point<BootClock>;
	static constexpr bool is_steady = true;
};

/// A point in time to schedule by. Cannot be mixed with WallTime: that does not compile.
using Instant = BootClock::time_point;

/// A point in time to show to the operator and to write into events.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// Both clocks, read together.
struct Moment
{
	Instant boot;
	WallTime wall;

	/// Returns the wall clock's time at `instant`, as far as it can be known at this moment.
	[[nodiscard]] constexpr WallTime wallAt(Instant instant) const { return wall + (instant - boot); }

	friend constexpr bool operator==(const Moment&, const Moment&) = default;
};

} // namespace issuer::vault
