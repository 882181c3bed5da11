#pragma once

#include "fleet/time.h"

#include <chrono>
#include <ctime>

namespace issuer::fleet::etcd {

/// Returns the time of the clock that schedules.
[[nodiscard]] inline Instant bootNow() noexcept
{
	timespec now{};
	::clock_gettime(CLOCK_BOOTTIME, &now);
	return Instant(std::chrono::duration_cast<milliseconds>(
		std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec)));
}

} // namespace issuer::fleet::etcd
