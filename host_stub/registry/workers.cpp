#include "registry/workers.h"

#include "common/signals_blocked.h"

#include <algorithm>
#include <utility>

namespace issuer::registry {

Workers::~Workers()
{
	std::unique_lock lock(_mutex);
	_closing = true;
	_delayed.clear();
	_changed.notify_all();
	_changed.wait(lock, [this] { return _threads.empty(); });
	for (std::thread& thread : _finished) {
		thread.join();
	}
}

void Workers::post(Task task)
{
	std::unique_lock lock(_mutex);
	_ready.push_back(std::move(task));
	employ();
	joinFinished(lock);
}

void Workers::postAfter(std::chrono::milliseconds delay, Task task)
{
	std::unique_lock lock(_mutex);
	if (_closing) {
		return;
	}
	_delayed.emplace(Clock::now() + delay, std::move(task));
	employ();
	joinFinished(lock);
}

/// Sees to it that a thread is there for what is ready, or one for what is due later.
void Workers::employ()
{
	const std::size_t needed = std::max<std::size_t>(_ready.size(), _delayed.empty() ? 0 : 1);
	if (needed <= _idle || _threads.size() >= _limit) {
		_changed.notify_one();
		return;
	}
	const SignalsBlocked blocked;
	std::thread thread([this] { run(); });
	const std::thread::id id = thread.get_id();
	_threads.emplace(id, std::move(thread));
}

void Workers::joinFinished(std::unique_lock<std::mutex>& lock)
{
	std::vector<std::thread> finished = std::exchange(_finished, {});
	lock.unlock();
	for (std::thread& thread : finished) {
		thread.join();
	}
}

void Workers::run()
{
	std::unique_lock lock(_mutex);
	for (;;) {
		while (!_delayed.empty() && _delayed.begin()->first <= Clock::now()) {
			_ready.push_back(std::move(_delayed.begin()->second));
			_delayed.erase(_delayed.begin());
		}
		if (!_ready.empty()) {
			Task task = std::move(_ready.front());
			_ready.pop_front();
			employ(); // for the rest, while this thread is away
			lock.unlock();
			task();
			task = nullptr; // what it holds may not die under the lock
			lock.lock();
		}
		else if (!_delayed.empty() && _idle == 0) {
			const Clock::time_point due = _delayed.begin()->first; // another may take the task meanwhile
			++_idle;
			_changed.wait_until(lock, due);
			--_idle;
		}
		else {
			break; // nothing to do, or another already waits for what is due next
		}
	}
	const auto self = _threads.find(std::this_thread::get_id());
	_finished.push_back(std::move(self->second));
	_threads.erase(self);
	_changed.notify_all();
}

} // namespace issuer::registry
