#include "registry/workers.h"

#include "common/signals_blocked.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace issuer::registry {

Workers::Workers(std::size_t limit, Complain complain) : _limit(limit), _complain(std::move(complain))
{
	const std::lock_guard lock(_mutex);
	hire();
}

Workers::~Workers()
{
	std::unique_lock lock(_mutex);
	_closing = true;
	_delayed.clear();
	_changed.notify_all();
	while (_threads.empty() && !_ready.empty()) { // there never was a thread to be had
		carryOut(next(), lock);
	}
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
	hire();
}

/// One thread more. If the system has none to give, those that are there do the work when they come to it.
void Workers::hire()
{
	const SignalsBlocked blocked;
	try {
		std::thread thread([this] { run(); });
		const std::thread::id id = thread.get_id();
		_threads.emplace(id, std::move(thread));
		++_idle;
		if (std::exchange(_short, false)) {
			_complain("the system gives threads again");
		}
	}
	catch (const std::system_error& error) {
		_changed.notify_one();
		if (!std::exchange(_short, true)) {
			_complain(std::string("the system gives no further thread (") + error.code().message() +
					  "): what is to be done waits for those there are");
		}
	}
}

Workers::Task Workers::next()
{
	Task task = std::move(_ready.front());
	_ready.pop_front();
	return task;
}

/// Without the lock, under which not even what the task holds may die.
void Workers::carryOut(Task task, std::unique_lock<std::mutex>& lock)
{
	lock.unlock();
	task();
	task = nullptr;
	lock.lock();
}

void Workers::joinFinished(std::unique_lock<std::mutex>& lock)
{
	std::vector<std::thread> finished = std::exchange(_finished, {});
	lock.unlock();
	for (std::thread& thread : finished) {
		thread.join();
	}
}

/// Waits for what is due next, or for what comes.
void Workers::await(std::unique_lock<std::mutex>& lock)
{
	++_idle;
	if (_delayed.empty()) {
		_changed.wait(lock);
	}
	else {
		const Clock::time_point due = _delayed.begin()->first; // another may take the task meanwhile
		_changed.wait_until(lock, due);
	}
	--_idle;
}

void Workers::run()
{
	std::unique_lock lock(_mutex);
	--_idle;
	for (;;) {
		while (!_delayed.empty() && _delayed.begin()->first <= Clock::now()) {
			_ready.push_back(std::move(_delayed.begin()->second));
			_delayed.erase(_delayed.begin());
		}
		if (!_ready.empty()) {
			Task task = next();
			employ(); // for the rest, while this thread is away
			carryOut(std::move(task), lock);
		}
		else if (_closing || _idle > 0) {
			break; // nothing will come, or another already waits for it
		}
		else {
			await(lock);
		}
	}
	const auto self = _threads.find(std::this_thread::get_id());
	_finished.push_back(std::move(self->second));
	_threads.erase(self);
	_changed.notify_all();
}

} // namespace issuer::registry
