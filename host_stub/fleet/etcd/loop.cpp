#include "fleet/etcd/loop.h"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <thread>
#include <utility>

namespace issuer::fleet::etcd {

using vault::Wake;

void Loop::begin(std::size_t slot, vault::Task<> task)
{
	_runs[slot] = {std::move(task), true, {}, Clock::time_point::max()};
}

/// Continues a task to its next wait or its end.
void Loop::step(std::size_t slot, Wake wake)
{
	auto& run = _runs[slot];
	run.isNew = false;
	const auto wait = run.task.resume(wake);
	if (!wait) {
		std::exchange(run.task, {}).take();
		return;
	}
	run.wait = *wait;
	// A duration's maximum does not fit into the clock's finer unit.
	run.until = wait->atMost < std::chrono::hours(24) ? Clock::now() + wait->atMost : Clock::time_point::max();
}

void Loop::run()
{
	do {
		for (std::size_t slot = 0; slot < slots; ++slot) {
			while (_runs[slot].task && _runs[slot].isNew) {
				step(slot, Wake::ready);
			}
		}
	} while (wait());
}

bool Loop::pause(std::chrono::milliseconds time) const noexcept
{
	pollfd stop{_stop.fd(), POLLIN, 0};
	return ::poll(&stop, 1, static_cast<int>(time.count())) <= 0;
}

/// Waits until some task can go on, and continues those that can. Returns false when none is left, or when stopped.
bool Loop::wait()
{
	using namespace std::chrono;
	std::array<pollfd, slots + 1> fds{};
	fds.back() = {_stop.fd(), POLLIN, 0};
	auto until = Clock::time_point::max();
	bool isAny = false;
	bool isNew = false;
	for (std::size_t slot = 0; slot < slots; ++slot) {
		const auto& run = _runs[slot];
		fds[slot] = {run.task ? run.wait.fd : -1, run.wait.events, 0};
		if (run.task) {
			isAny = true;
			isNew = isNew || run.isNew;
			until = std::min(until, run.until);
		}
	}
	if (!isAny) {
		return false;
	}
	if (isNew) {
		return true; // begun by a task in a slot before its own
	}
	const auto left =
		until == Clock::time_point::max()
			? milliseconds(-1)
			: std::clamp<milliseconds>(ceil<milliseconds>(until - Clock::now()), milliseconds(0), hours(1));
	const int count = ::poll(fds.data(), fds.size(), static_cast<int>(left.count()));
	if (count < 0 && errno != EINTR) { // the kernel has no memory now
		std::this_thread::sleep_for(milliseconds(100));
	}
	if (count > 0 && fds.back().revents != 0) {
		return false;
	}
	const auto now = Clock::now();
	for (std::size_t slot = 0; slot < slots; ++slot) {
		if (!_runs[slot].task || _runs[slot].isNew) {
			continue; // replaced by a task that has just run
		}
		if (count > 0 && fds[slot].revents != 0) {
			step(slot, Wake::ready);
		}
		else if (now >= _runs[slot].until) {
			step(slot, Wake::timedOut);
		}
	}
	return true;
}

} // namespace issuer::fleet::etcd
