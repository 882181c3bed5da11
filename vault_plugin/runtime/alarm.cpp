#include "runtime/alarm.h"

#include "runtime/system_call.h"

#include <algorithm>
#include <sys/timerfd.h>

namespace issuer::vault::runtime {

SystemAlarm::SystemAlarm()
	: _timer(descriptorFrom(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create"))
{
}

bool SystemAlarm::set(Instant at) noexcept
{
	using namespace std::chrono;
	const Duration time = std::max(at.time_since_epoch(), Duration(1)); // zero would disarm the timer
	const auto whole = duration_cast<seconds>(time);
	itimerspec spec{};
	spec.it_value.tv_sec = whole.count();
	spec.it_value.tv_nsec = nanoseconds(time - whole).count();
	return ::timerfd_settime(_timer.get(), TFD_TIMER_ABSTIME, &spec, nullptr) == 0;
}

} // namespace issuer::vault::runtime
