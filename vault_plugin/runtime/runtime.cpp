#include "runtime/runtime.h"

#include "runtime/work_scheduler.h"

#include <algorithm>
#include <mutex>
#include <sys/resource.h>
#include <unistd.h>

namespace issuer::vault::runtime {

namespace {

/// Allows as many slots as a quarter of the process's descriptor limit: the rest is for the host, idle connections and
/// files.
WorkScheduler::Options options() noexcept
{
	constexpr rlim_t least = 32;
	constexpr rlim_t most = 4096;
	rlimit limit{};
	const bool known = ::getrlimit(RLIMIT_NOFILE, &limit) == 0;
	WorkScheduler::Options options;
	options.limits.slots = static_cast<std::uint32_t>(std::clamp(known ? limit.rlim_cur / 4 : least, least, most));
	return options;
}

} // namespace

struct Runtime::Parts
{
	const pid_t process = ::getpid();
	std::once_flag closed;
	SystemClock clock;
	SystemAlarm alarm;
	WorkScheduler scheduler{clock, alarm, options()};
};

Runtime::Runtime() : _parts(std::make_unique<Parts>()) {}

Runtime::~Runtime()
{
	close();
	if (_parts->process != ::getpid()) {
		// Leaked: destroying a condition variable blocks until its waiters have left.
		static_cast<void>(_parts.release());
	}
}

const Clock& Runtime::clock() const noexcept
{
	return _parts->clock;
}

Scheduler& Runtime::scheduler() noexcept
{
	return _parts->scheduler;
}

void Runtime::close() noexcept
{
	if (_parts->process != ::getpid()) {
		return;
	}
	std::call_once(_parts->closed, [this] { _parts->scheduler.close(); });
}

} // namespace issuer::vault::runtime
