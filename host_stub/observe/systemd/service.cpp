#include "observe/systemd/service.h"

#include <cstdlib>
#include <ctime>
#include <issuer/kit/signals_blocked.h>
#include <systemd/sd-daemon.h>

namespace issuer::observe {

using std::chrono::microseconds;

namespace {

/// Interval of updates of the status line where no watchdog asks for shorter ones.
constexpr std::chrono::seconds calmly{5};

std::string monotonicUs()
{
	timespec now{};
	::clock_gettime(CLOCK_MONOTONIC, &now);
	return std::to_string(static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000);
}

} // namespace

Service::Notify Service::manager()
{
	if (std::getenv("NOTIFY_SOCKET") == nullptr) {
		return nullptr;
	}
	return [](const std::string& state) { ::sd_notify(0, state.c_str()); };
}

std::optional<microseconds> Service::watchdog()
{
	std::uint64_t microsecondsLimit = 0;
	if (::sd_watchdog_enabled(0, &microsecondsLimit) <= 0) {
		return std::nullopt;
	}
	return microseconds(microsecondsLimit);
}

Service::Service(Notify notify, std::optional<microseconds> watchdog, std::function<Condition()> condition,
	std::function<void(const std::string&)> onStall)
	: _notify(std::move(notify)),
	  // A third, so that one message that is late or lost does no harm.
	  _pause(watchdog ? std::min<microseconds>(*watchdog / 3, calmly) : microseconds(calmly)),
	  _condition(std::move(condition)), _onStall(std::move(onStall)), _watched(watchdog.has_value())
{
	if (!_notify) {
		return;
	}
	const kit::SignalsBlocked blocked;
	_thread = std::thread([this] { run(); });
}

Service::~Service()
{
	{
		const std::lock_guard lock(_mutex);
		_closing = true;
	}
	_changed.notify_one();
	if (_thread.joinable()) {
		_thread.join();
	}
}

void Service::tell(const std::string& state) const
{
	if (_notify) {
		_notify(state);
	}
}

void Service::ready()
{
	const std::lock_guard lock(_mutex);
	tellUnlessStopping("READY=1");
	_ready = true;
	_changed.notify_one();
}

void Service::reloading()
{
	const std::lock_guard lock(_mutex);
	tellUnlessStopping("RELOADING=1\nMONOTONIC_USEC=" + monotonicUs());
}

void Service::stopping()
{
	const std::lock_guard lock(_mutex);
	tell("STOPPING=1");
	_stopping = true;
}

/// Called under the lock, so that messages reach the manager in the order in which they were decided.
void Service::tellUnlessStopping(const std::string& state) const
{
	if (!_stopping) {
		tell(state);
	}
}

void Service::run()
{
	std::unique_lock lock(_mutex);
	_changed.wait(lock, [this] { return _ready || _closing; });
	while (!_closing) {
		lock.unlock();
		report();
		lock.lock();
		_changed.wait_for(lock, _pause, [this] { return _closing; });
	}
}

void Service::report()
{
	const Condition now = _condition();
	const std::string& status = now.stalled.empty() ? now.status : now.stalled;
	if (status != _lastStatus) {
		tell("STATUS=" + status);
		_lastStatus = status;
	}
	if (now.stalled.empty() && _watched) {
		tell("WATCHDOG=1");
	}
	if (!now.stalled.empty() && !_stalled) {
		_onStall(now.stalled);
	}
	_stalled = !now.stalled.empty();
}

} // namespace issuer::observe
