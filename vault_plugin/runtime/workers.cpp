#include "runtime/work_scheduler.h"

#include <algorithm>
#include <system_error>

/// The workers of the scheduler: which one leads, which ones sleep, and when one is created or exits.
namespace issuer::vault::runtime {

using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t workersKept = 2;
/// Number of ready steps that justifies waking a second worker; below it, waking costs more than it saves.
constexpr std::size_t stepsForSecondWorker = 8;
constexpr Duration spawnPause = 100ms; ///< wait before the next thread is tried after the system has refused one

} // namespace

/// Returns whether another worker should be awake beside those at work.
bool WorkScheduler::isWorkerWanted() noexcept
{
	const std::size_t steps = readySteps();
	return steps > 0 && (_busy == 0 || (steps >= stepsForSecondWorker && _busy < _options.busy));
}

/// Chooses a worker to wake, or creates one, so that enough are awake for the ready steps and one is free to check on
/// those that run. Returns the poller to call, once the lock is released; null if there is no need.
Poller* WorkScheduler::wakeOne() noexcept
{
	const bool wanted = isWorkerWanted();
	if (wanted && _leading) {
		return !std::exchange(_leaderCalled, true) ? &_events : nullptr;
	}
	if (wanted && _sleeping > 0) {
		return !std::exchange(_sleeperCalled, true) ? &_idleWorkers : nullptr;
	}
	// An awake worker without a step is about to look for one.
	const bool isOneFree = _workerCount > _stepping + (_leading ? 1U : 0U);
	if (!isOneFree && !_closing && (wanted || _busy > 0) && _workerCount < _workers.size()) {
		trySpawn();
	}
	return nullptr;
}

void WorkScheduler::trySpawn() noexcept
{
	if (_spawnAfter != Instant::min() && _clock.boot() < _spawnAfter) {
		return;
	}
	try {
		spawn();
		_spawnAfter = Instant::min();
	}
	catch (const std::exception&) { // no thread or no memory: the existing workers run the steps
		_spawnAfter = _clock.boot() + spawnPause;
	}
}

void WorkScheduler::spawn()
{
	const auto vacant = std::find_if(_workers.begin(), _workers.end(), [](const Worker& w) { return !w.exists; });
	vacant->thread = Thread("issuer-worker", [this, &worker = *vacant] { work(worker); });
	vacant->exists = true;
	++_workerCount;
}

void WorkScheduler::work(Worker& self) noexcept
{
	Lock lock(_mutex);
	for (;;) {
		while (Flight* const flight = next()) {
			step(self, *flight, lock);
		}
		if (_closing) {
			return; // close() joins this thread
		}
		if (_busy == 0 && !_leading) {
			lead(lock);
			continue;
		}
		if (!sleep(lock)) {
			return exit(self, lock);
		}
	}
}

/// Waits for events or for the next due time, and takes in the events.
void WorkScheduler::lead(Lock& lock) noexcept
{
	setAlarm();
	std::optional<Duration> atMost;
	if (_alarmFailed) {
		atMost = std::clamp<Duration>(_alarmAt - _clock.boot(), 1ms, 1s);
		_alarmAt = Instant::max(); // so that setAlarm() tries again
	}
	_leading = true;
	lock.unlock();
	Poller::Room room;
	const auto events = _events.wait(room, atMost);
	const Instant now = _clock.boot();
	lock.lock();
	_leading = false;
	for (const epoll_event& event : events) {
		if (event.data.u64 == Poller::called) {
			_leaderCalled = false;
		}
		else if (event.data.u64 == alarmTag) {
			_alarmAt = Instant::max();
			_lastAlarm = now;
		}
		else if (Flight* flight = flightOf(event.data.u64)) {
			wake(*flight, Wake::ready);
		}
	}
	expire(now);
}

/// Sleeps until a worker is needed. Returns false if it has slept for so long that it should exit.
bool WorkScheduler::sleep(Lock& lock) noexcept
{
	for (;;) {
		const bool isSpare = _workerCount > workersKept;
		std::optional<Duration> atMost = isSpare ? std::optional(_options.idle) : std::nullopt;
		if (_checking && !_checkTimerSet) {
			atMost = _options.stuckAfter;
		}
		++_sleeping;
		lock.unlock();
		Poller::Room room;
		const auto events = _idleWorkers.wait(room, atMost);
		lock.lock();
		--_sleeping;
		bool isTimeToCheck = _checking && !_checkTimerSet && events.empty();
		bool isCalled = false;
		for (const epoll_event& event : events) {
			isTimeToCheck = isTimeToCheck || event.data.u64 == Poller::calledLater;
			isCalled = isCalled || event.data.u64 == Poller::called;
		}
		if (isTimeToCheck) {
			checkStuck();
		}
		if (isCalled) {
			_sleeperCalled = false;
		}
		if (_closing || isCalled || (_busy == 0 && (!_leading || readySteps() > 0))) { // all others are stuck
			return true;
		}
		// While others work, one stays to check on them.
		if (events.empty() && isSpare && _workerCount > workersKept && (_sleeping > 0 || _busy == 0)) {
			return false;
		}
	}
}

/// Arranges a call of checkStuck() by a sleeping worker, 5 ms from now.
void WorkScheduler::scheduleCheck() noexcept
{
	_checking = true;
	for (Worker& worker : _workers) {
		worker.checked = worker.busy;
	}
	_checkTimerSet = _idleWorkers.callLater(_options.stuckAfter);
	if (!_checkTimerSet) {
		_idleWorkers.call(); // so that its timeout becomes shorter
	}
}

/// Marks workers as stuck whose step has not ended since scheduleCheck().
void WorkScheduler::checkStuck() noexcept
{
	_checking = false;
	for (Worker& worker : _workers) {
		if (worker.checked && !worker.stuck) {
			worker.stuck = true;
			--_busy;
		}
	}
	if (_busy > 0) {
		scheduleCheck();
	}
}

/// Releases this worker's slot for another thread.
void WorkScheduler::exit(Worker& self, Lock& lock) noexcept
{
	self.exists = false;
	--_workerCount;
	Thread previous = std::exchange(_exiting, std::move(self.thread));
	lock.unlock();
	previous.join();
}

} // namespace issuer::vault::runtime
