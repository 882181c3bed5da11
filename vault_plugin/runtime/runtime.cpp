#include "runtime/runtime.h"

#include "runtime/work_scheduler.h"

#include <mutex>
#include <unistd.h>

namespace issuer::vault::runtime {

struct Runtime::Parts
{
	const pid_t process = ::getpid();
	std::once_flag closed;
	SystemClock clock;
	SystemAlarm alarm;
	WorkScheduler scheduler{clock, alarm, {}};
};

Runtime::Runtime() : _parts(std::make_unique<Parts>()) {}

Runtime::~Runtime()
{
	close();
	if (_parts->process != ::getpid()) {
		static_cast<void>(_parts.release()); // a condition variable waits for its waiters, which stayed behind
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
