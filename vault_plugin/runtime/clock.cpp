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
	return {boot(), WallTime(read(CLOCK_REALTIME))};
}

Instant SystemClock::boot() const
{
	return Instant(read(CLOCK_BOOTTIME));
}

} // namespace issuer::vault::runtime
