#include "runtime/clock.h"

#include <ctime>

namespace issuer::vault::runtime {

namespace {

Duration read(clockid_t clock)
{
	timespec now{};
	::clock_gettime(clock, &now);
	return std::chrono::duration_cast<Duration>(
		std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

} // namespace

Moment SystemClock::now() const
{
	return {Instant(read(CLOCK_BOOTTIME)), WallTime(read(CLOCK_REALTIME))};
}

} // namespace issuer::vault::runtime
