#pragma once

#include <chrono>
#include <ctime>

namespace issuer {

/// Returns the time since the machine was booted: CLOCK_BOOTTIME, which runs on while it is suspended.
[[nodiscard]] inline std::chrono::milliseconds sinceBoot() noexcept
{
	timespec now{};
	::clock_gettime(CLOCK_BOOTTIME, &now);
	return std::chrono::duration_cast<std::chrono::milliseconds>(
		std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

} // namespace issuer
