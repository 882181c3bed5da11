#include "registry/workers.h"

#include <algorithm>
#include <issuer/kit/signals_blocked.h>
#include <system_error>
#include <utility>

namespace issuer::registry {

namespace {

constexpr std::size_t mostThreads = 1024;

} // namespace

Workers::Workers(std::size_t limit, Complain complain, Duration stuckAfter)
	: _limit(limit), _complain(std::move(complain)), _stuckAfter(stuckAfter)
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
	while (_threads.empty() && !_ready.empty()) { // no thread could ever be created
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
	wakeOrSpawn();
	joinFinished(lock);
}

void Workers::postAfter(std::chrono::milliseconds delay, Task task)
{
	std::unique_lock lock(_mutex);
	if (_closing) {
		return;
	}
	_delayed.emplace(Clock::now() + delay, std::move(task));
	wakeOrSpawn();
	joinFinished(lock);
}

/// If as many tasks run as may: returns the time at which one of them will have run for so long that it no longer
/// counts.
std::optional<Workers::Clock::time_point> Workers::fullUntil() const
{
	if (_running.size() < _limit) {
		return std::nullopt;
	}
	if (_stuckAfter == never) {
		return Clock::time_point::max();
	}
	const Clock::time_point until = *std::prev(_running.end(), static_cast<std::ptrdiff_t>(_limit)) + _stuckAfter;
	return until > Clock::now() ? std::optional(until) : std::nullopt;
}

/// Makes sure that there is a thread for the ready tasks, or one for those that are due later.
void Workers::wakeOrSpawn()
{
	const std::size_t needed = std::max<std::size_t>(_ready.size(), _delayed.empty() ? 0 : 1);
	// One idle thread more than the busy ones, which looks when one of them is stuck.
	const bool watched = _stuckAfter != never && _idle > 0 && fullUntil();
	if (watched && _ready.size() > 1) {
		return; // an idle thread waits for the time at which there is room
	}
	const bool full =
		_threads.size() >= mostThreads || (_threads.size() >= _limit && (_stuckAfter == never || watched));
	if (needed <= _idle || full) {
		_changed.notify_one();
		return;
	}
	hire();
}

/// Creates one more thread. If the system refuses, the existing ones take the tasks in turn.
void Workers::hire()
{
	const kit::SignalsBlocked blocked;
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
			_complain(std::string("cannot create another thread (") + error.code().message() +
					  "); work is queued for the existing threads");
		}
	}
}

Workers::Task Workers::next()
{
	Task task = std::move(_ready.front());
	_ready.pop_front();
	return task;
}

/// Runs a task without the lock, and destroys its captures without it too.
void Workers::carryOut(Task task, std::unique_lock<std::mutex>& lock)
{
	const auto since = _running.insert(Clock::now());
	if (!_threads.empty()) {
		// For the other tasks while this thread is busy; it is counted already, otherwise each task would create a
		// thread in vain.
		wakeOrSpawn();
	}
	lock.unlock();
	task();
	task = nullptr;
	lock.lock();
	_running.erase(since);
}

void Workers::joinFinished(std::unique_lock<std::mutex>& lock)
{
	std::vector<std::thread> finished = std::exchange(_finished, {});
	lock.unlock();
	for (std::thread& thread : finished) {
		thread.join();
	}
}

/// Waits for a new task, for the next delayed one, and for `until`, the time at which there is room for a ready one.
void Workers::await(std::unique_lock<std::mutex>& lock, std::optional<Clock::time_point> until)
{
	if (!_delayed.empty()) { // another thread may take the task meanwhile
		until = std::min(until.value_or(_delayed.begin()->first), _delayed.begin()->first);
	}
	++_idle;
	if (until && *until < Clock::time_point::max()) {
		_changed.wait_until(lock, *until);
	}
	else {
		_changed.wait(lock);
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
		const std::optional<Clock::time_point> full = _ready.empty() ? std::nullopt : fullUntil();
		if (!_ready.empty() && !full) {
			carryOut(next(), lock);
		}
		else if ((_closing && _ready.empty()) || _idle > 0) {
			break; // no task will come, or another thread already waits for it
		}
		else {
			await(lock, full); // not asked again: the time may have come meanwhile, and nothing would end the wait
		}
	}
	joinFinished(lock); // so that only few finished threads keep their stacks
	lock.lock();
	const auto self = _threads.find(std::this_thread::get_id());
	_finished.push_back(std::move(self->second));
	_threads.erase(self);
	_changed.notify_all();
}

} // namespace issuer::registry
