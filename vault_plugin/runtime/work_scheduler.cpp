#include "runtime/work_scheduler.h"

#include <algorithm>
#include <system_error>
#include <thread>

namespace issuer::vault::runtime {

using namespace std::chrono_literals;

namespace {

constexpr Duration firstPollPause = 1ms;
constexpr Duration longestPollPause = 1s;

WorkScheduler::Options filledIn(WorkScheduler::Options options)
{
	if (options.busy == 0) {
		options.busy = std::clamp(std::thread::hardware_concurrency(), 2U, 4U); // more would wait for each other's lock
	}
	return options;
}

} // namespace

WorkScheduler::WorkScheduler(const Clock& clock, Alarm& alarm, Options options)
	: _clock(clock), _alarm(alarm), _options(filledIn(options)), _agenda(options.limits), _workers(options.workers)
{
	if (!addFlight()) {
		throw std::bad_alloc();
	}
	_events.watch(_alarm.fd(), alarmTag);
	const Lock lock(_mutex);
	spawn();
}

WorkScheduler::~WorkScheduler()
{
	close();
}

void WorkScheduler::arm(Job& job, Instant at, Instant urgency)
{
	const void* place = job.place();
	const Instant now = _clock.boot();
	Poller* call = nullptr;
	{
		const Lock lock(_mutex);
		const Flight* flight = job.notes().flight;
		if (_closing || (flight != nullptr && flight->cancelled)) {
			return;
		}
		_agenda.arm(job, place, at, urgency);
		if (at <= now) {
			_agenda.advance(now);
			call = wakeOne();
		}
		timesChanged();
	}
	if (call != nullptr) {
		call->call(); // after the unlock: the woken worker would only wait for the lock
	}
}

bool WorkScheduler::halt(Job& job, Duration timeout)
{
	Lock lock(_mutex);
	Flight* flight = job.notes().flight;
	if (job.notes().state == JobNotes::State::ready || (flight != nullptr && !flight->cancelled)) {
		// A caller that halts one due job mostly halts all of them, one after the other: a run that begins meanwhile
		// would only have to be cancelled next.
		_cancelPauseEnd = _clock.boot() + _options.cancelPause;
	}
	_agenda.disarm(job);
	if (flight == nullptr) {
		return true;
	}
	cancel(*flight);
	if (Poller* call = wakeOne()) {
		call->call();
	}
	if (timeout <= Duration::zero() || (flight->worker != nullptr && flight->worker->thread.isCurrent())) {
		return false;
	}
	HaltWaiter waiter;
	waiter.next = std::exchange(flight->waiters, &waiter);
	const auto patience = std::min<Duration>(timeout, std::chrono::hours(24 * 365)); // no overflow of the clock
	waiter.ended.wait_for(lock, patience, [&] { return waiter.done; });
	if (!waiter.done) {
		HaltWaiter** link = &flight->waiters;
		while (*link != &waiter) {
			link = &(*link)->next;
		}
		*link = waiter.next;
	}
	return waiter.done;
}

/// Returns the next time at which a job or flight is due; Instant::max() if there is none.
Instant WorkScheduler::nextTime() noexcept
{
	Instant due = _agenda.nextDue().value_or(Instant::max());
	if (!_waiting.empty()) {
		due = std::min(due, _waiting.topKey());
	}
	if (_cancelPauseEnd != Instant::min() && _agenda.hasReady()) {
		due = std::min(due, _cancelPauseEnd);
	}
	return due;
}

/// Sets the alarm, unless it is set for an earlier time already: one alarm too many is cheaper than a system call at
/// each change.
void WorkScheduler::setAlarm() noexcept
{
	const Instant due = nextTime();
	if (due == Instant::max()) {
		return;
	}
	const Instant at = _lastAlarm == Instant::min() ? due : std::max(due, _lastAlarm + _options.alarmPause);
	if (at < _alarmAt) {
		_alarmAt = at;
		_alarmFailed = !_alarm.set(at);
	}
}

/// Sets the alarm anew for a leader that waits; wakes the leader where the alarm cannot be set.
void WorkScheduler::timesChanged() noexcept
{
	if (_leading) {
		setAlarm();
		if (_alarmFailed) {
			_events.call(); // so that the leader shortens its wait
		}
	}
}

void WorkScheduler::expire(Instant now) noexcept
{
	_agenda.advance(now);
	while (!_waiting.empty() && _waiting.topKey() <= now) {
		lookAt(_waiting.top(), now);
	}
}

/// Ends the flight's wait if its time has come. Otherwise its descriptor is one that epoll has refused: polls it, and
/// offers it to epoll again.
void WorkScheduler::lookAt(Flight& flight, Instant now) noexcept
{
	if (flight.until <= now) {
		wake(flight, Wake::timedOut);
	}
	else if (Poller::isReady(flight.fd, flight.events)) {
		wake(flight, Wake::ready);
	}
	else if (_events.expect(flight.fd, flight.events, tagOf(flight))) {
		_waiting.update(flight, flight.until);
	}
	else {
		_waiting.update(flight, std::min(flight.until, now + flight.pollPause));
		flight.pollPause = std::min(2 * flight.pollPause, longestPollPause);
	}
}

/// Returns whether a due job may begin its run.
bool WorkScheduler::mayBegin() noexcept
{
	if (_closing || !_agenda.hasReady()) {
		return false;
	}
	if (_cancelPauseEnd != Instant::min() && _clock.boot() >= _cancelPauseEnd) {
		_cancelPauseEnd = Instant::min();
	}
	return _cancelPauseEnd == Instant::min() && (_freeFlights != nullptr || addFlight());
}

/// Allocates one more flight. Returns false if there is no memory for it.
bool WorkScheduler::addFlight() noexcept
{
	try {
		_waiting.makeRoom(_flights.size() + 1);
		_freeFlights = &_flights.emplace_back(static_cast<std::uint32_t>(_flights.size()));
	}
	catch (const std::bad_alloc&) {
		return false;
	}
	return true;
}

/// Returns the flight whose step is to be run now; null if there is none, or enough other workers are busy.
Flight* WorkScheduler::next() noexcept
{
	if (_busy >= _options.busy && !_closing) {
		return nullptr;
	}
	if (_woken.size() > 0) {
		return &_woken.pop();
	}
	if (!mayBegin()) {
		return nullptr;
	}
	Job& job = *_agenda.take();
	Flight& flight = *std::exchange(_freeFlights, _freeFlights->next);
	job.notes().flight = &flight;
	flight.job = &job;
	flight.wake = Wake::ready;
	return &flight;
}

void WorkScheduler::step(Worker& self, Flight& flight, Lock& lock) noexcept
{
	flight.state = Flight::State::stepping;
	flight.worker = &self;
	self.busy = true;
	++_busy;
	++_stepping;
	Poller* const call = wakeOne();
	if (!_checking) {
		scheduleCheck();
	}
	lock.unlock();
	if (call != nullptr) {
		call->call();
	}
	const std::optional<Wait> wait = flight.job->run(flight.wake);
	lock.lock();
	--_stepping;
	self.busy = false;
	self.checked = false;
	if (!std::exchange(self.stuck, false)) {
		--_busy;
	}
	flight.worker = nullptr;
	if (wait) {
		hold(flight, *wait);
	}
	else {
		land(flight);
	}
}

void WorkScheduler::hold(Flight& flight, const Wait& wait) noexcept
{
	flight.state = Flight::State::waiting;
	flight.waited = true;
	const Instant now = _clock.boot();
	flight.until = wait.atMost < Instant::max() - now ? now + wait.atMost : Instant::max();
	flight.fd = wait.fd;
	flight.events = wait.events;
	_waiting.push(flight, flight.until);
	++flight.waitNumber;
	if (flight.cancelled || _closing) {
		wake(flight, Wake::cancelled);
	}
	else if (wait.fd >= 0 && !_events.expect(wait.fd, wait.events, tagOf(flight))) {
		flight.pollPause = firstPollPause;
		lookAt(flight, now); // a run whose descriptor is invalid finds out at its next call
	}
	timesChanged();
}

void WorkScheduler::wake(Flight& flight, Wake how) noexcept
{
	_waiting.erase(flight);
	flight.state = Flight::State::woken;
	flight.wake = how;
	_woken.push(flight);
}

void WorkScheduler::cancel(Flight& flight) noexcept
{
	flight.cancelled = true;
	if (flight.state == Flight::State::waiting) {
		wake(flight, Wake::cancelled);
	}
	else if (flight.state == Flight::State::woken) {
		flight.wake = Wake::cancelled;
	}
}

void WorkScheduler::land(Flight& flight) noexcept
{
	Job& job = *std::exchange(flight.job, nullptr);
	job.notes().flight = nullptr;
	flight.state = Flight::State::none;
	if (std::exchange(flight.cancelled, false)) {
		_cancelPauseEnd = _clock.boot() + _options.cancelPause;
	}
	_agenda.finished(job, std::exchange(flight.waited, false) && flight.wake == Wake::ready);
	for (HaltWaiter* waiter = std::exchange(flight.waiters, nullptr); waiter != nullptr;) {
		HaltWaiter* const after = waiter->next;
		waiter->done = true;
		waiter->ended.notify_one(); // under the lock: after it, the waiter's stack may be gone
		waiter = after;
	}
	flight.next = std::exchange(_freeFlights, &flight);
	timesChanged();
}

Poller::Tag WorkScheduler::tagOf(const Flight& flight) const noexcept
{
	return (static_cast<Poller::Tag>(flight.waitNumber) << 32U) | (firstFlightTag + flight.index);
}

/// Returns the flight that waits for this event, or null if none does any more.
Flight* WorkScheduler::flightOf(Poller::Tag tag) noexcept
{
	const std::size_t index = (tag & 0xffffffffU) - firstFlightTag;
	if (index >= _flights.size()) {
		return nullptr;
	}
	Flight& flight = _flights[index];
	return flight.state == Flight::State::waiting && tagOf(flight) == tag ? &flight : nullptr;
}

void WorkScheduler::close() noexcept
{
	{
		const Lock lock(_mutex);
		if (std::exchange(_closing, true)) {
			return;
		}
		for (Flight& flight : _flights) {
			if (flight.state != Flight::State::none) {
				cancel(flight);
			}
		}
		_events.close();
		_idleWorkers.close();
	}
	for (Worker& worker : _workers) {
		if (!worker.thread.isCurrent()) { // a worker inside a run that ends the process may still read its own entry
			worker.thread.join();
		}
	}
	_exiting.join();
}

std::size_t WorkScheduler::workerCount() const
{
	const Lock lock(_mutex);
	return _workerCount;
}

} // namespace issuer::vault::runtime
