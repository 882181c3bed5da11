#include "runtime/work_scheduler.h"

#include <algorithm>
#include <system_error>
#include <thread>

namespace issuer::vault::runtime {

namespace {

constexpr std::uint32_t workersAtRest = 2;
/// As many steps as take longer, a few microseconds each, than a worker takes to wake up and get into the others' way.
constexpr std::size_t worthAWorker = 8;
/// As many steps without a pause as only a crowd of jobs brings: then who watches looks out for more, so many times,
/// before it goes to sleep. An answer from nearby takes no longer than that, and who sleeps has to be woken.
constexpr std::size_t stepsOfACrowd = 16;
constexpr int looksAfterACrowd = 50;
constexpr Poller::Tag alarmTag = Poller::firstFree;
constexpr Poller::Tag firstFlightTag = alarmTag + 1;

WorkScheduler::Options filledIn(WorkScheduler::Options options)
{
	if (options.busy == 0) {
		options.busy = std::clamp(std::thread::hardware_concurrency(), 2U, 4U); // more would wait for each other's lock
	}
	return options;
}

} // namespace

WorkScheduler::WorkScheduler(const Clock& clock, Alarm& alarm, Options options)
	: _clock(clock), _alarm(alarm), _options(filledIn(options)), _agenda(options.inFlight, options.perLane),
	  _flights(options.inFlight), _workers(options.workers)
{
	// Held for less than a thread takes to go to sleep and be woken: who finds it taken tries again for a moment first.
	*_mutex.native_handle() = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
	_waiting.makeRoom(_flights.size());
	for (Flight& flight : _flights) {
		_free.push(flight);
	}
	_events.watch(_alarm.fd(), alarmTag);
	const Lock lock(_mutex);
	employ();
}

WorkScheduler::~WorkScheduler()
{
	close();
}

void WorkScheduler::arm(Job& job, Instant at, Instant urgency)
{
	const void* lane = job.lane();
	const Instant now = _clock.boot();
	Poller* call = nullptr;
	{
		const Lock lock(_mutex);
		const Flight* flight = job.notes().flight;
		if (_closing || (flight != nullptr && flight->cancelled)) {
			return;
		}
		_agenda.arm(job, lane, at, urgency);
		if (at <= now) {
			_agenda.advance(now);
			call = summon();
		}
		setAlarm();
	}
	if (call != nullptr) {
		call->call(); // without the lock, which who comes would only wait for
	}
}

bool WorkScheduler::halt(Job& job, Duration timeout)
{
	Lock lock(_mutex);
	_agenda.disarm(job);
	Flight* flight = job.notes().flight;
	if (flight == nullptr) {
		return true;
	}
	cancel(*flight);
	if (Poller* call = summon()) {
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

/// An alarm that rings too early finds nothing due and is set anew: cheaper than setting it back at each change.
void WorkScheduler::setAlarm() noexcept
{
	Instant due = _agenda.nextDue().value_or(Instant::max());
	if (!_waiting.empty()) {
		due = std::min(due, _waiting.topKey());
	}
	if (_lullUntil != Instant::min() && _agenda.hasReady()) {
		due = std::min(due, _lullUntil);
	}
	if (due == Instant::max()) {
		return;
	}
	const Instant at = _lastAlarm == Instant::min() ? due : std::max(due, _lastAlarm + _options.coalesce);
	if (at < _alarmAt) {
		_alarm.set(at);
		_alarmAt = at;
	}
}

void WorkScheduler::ring(Instant now) noexcept
{
	_alarmAt = Instant::max();
	_lastAlarm = now;
	_agenda.advance(now);
	while (!_waiting.empty() && _waiting.topKey() <= now) {
		wake(_waiting.top(), Wake::timedOut);
	}
	setAlarm();
}

/// Whether there is a job whose turn it is.
bool WorkScheduler::mayBegin() noexcept
{
	if (_closing || !_agenda.hasReady()) {
		return false;
	}
	if (_lullUntil != Instant::min() && _clock.boot() >= _lullUntil) {
		_lullUntil = Instant::min();
	}
	return _lullUntil == Instant::min();
}

/// The flight whose step is to be run now; null if there is none, or enough others are busy.
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
	Flight& flight = _free.pop(); // the agenda lets no more jobs run than there are flights
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
	Poller* const call = summon();
	if (!_patrolling) {
		startPatrol();
	}
	lock.unlock();
	if (call != nullptr) {
		call->call();
	}
	const std::optional<Wait> wait = flight.job->run(flight.wake);
	lock.lock();
	--_stepping;
	self.busy = false;
	self.seen = false;
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
	const Instant now = _clock.boot();
	const Instant until = wait.atMost < Instant::max() - now ? now + wait.atMost : Instant::max();
	_waiting.push(flight, until);
	++flight.number;
	if (flight.cancelled || _closing) {
		wake(flight, Wake::cancelled);
	}
	else if (wait.fd >= 0 && !_events.expect(wait.fd, wait.events, tagOf(flight))) {
		wake(flight, Wake::ready); // it will find out itself what is wrong
	}
	else if (until < _alarmAt) {
		setAlarm();
	}
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
		_lullUntil = _clock.boot() + _options.lull;
	}
	_agenda.finished(job);
	for (HaltWaiter* waiter = std::exchange(flight.waiters, nullptr); waiter != nullptr;) {
		HaltWaiter* const after = waiter->next;
		waiter->done = true;
		waiter->ended.notify_one(); // with the lock: without, its stack may be gone
		waiter = after;
	}
	_free.push(flight);
	if (_lullUntil != Instant::min()) {
		setAlarm(); // for its end
	}
}

Poller::Tag WorkScheduler::tagOf(const Flight& flight) const noexcept
{
	const auto index = static_cast<Poller::Tag>(&flight - _flights.data());
	return (static_cast<Poller::Tag>(flight.number) << 32U) | (firstFlightTag + index);
}

/// Who waits for what has happened; null if nobody does any more.
Flight* WorkScheduler::flightOf(Poller::Tag tag) noexcept
{
	const std::size_t index = (tag & 0xffffffffU) - firstFlightTag;
	if (index >= _flights.size()) {
		return nullptr;
	}
	Flight& flight = _flights[index];
	return flight.state == Flight::State::waiting && tagOf(flight) == tag ? &flight : nullptr;
}

/// Sees to it that a worker comes if there is enough to do, and that one rests for as long as another works. Who is
/// returned is to be called.
Poller* WorkScheduler::summon() noexcept
{
	const std::size_t steps = stepsToDo();
	const bool wanted = steps > 0 && (_busy == 0 || (steps >= worthAWorker && _busy < _options.busy));
	if (wanted && _watching > 0) {
		return !std::exchange(_watcherCalled, true) ? &_events : nullptr;
	}
	if (wanted && _resting > 0) {
		return !std::exchange(_resterCalled, true) ? &_bench : nullptr;
	}
	const bool isOneFree = _employed > _stepping + _watching; // rests, or is about to look for what to do
	if (!isOneFree && !_closing && (wanted || _busy > 0) && _employed < _workers.size()) {
		try {
			employ();
		}
		catch (const std::exception&) {
			// No thread left: those who are there do it, one step after the other.
		}
	}
	return nullptr;
}

/// In a while somebody who rests looks whether those that are busy now are so still.
void WorkScheduler::startPatrol() noexcept
{
	_patrolling = true;
	for (Worker& worker : _workers) {
		worker.seen = worker.busy;
	}
	_bench.callLater(_options.patrol);
}

void WorkScheduler::patrol() noexcept
{
	_patrolling = false;
	for (Worker& worker : _workers) {
		if (worker.seen && !worker.stuck) {
			worker.stuck = true;
			--_busy;
		}
	}
	if (_busy > 0) {
		startPatrol();
	}
}

void WorkScheduler::employ()
{
	const auto vacant = std::find_if(_workers.begin(), _workers.end(), [](const Worker& w) { return !w.employed; });
	vacant->thread = Thread("issuer-worker", [this, &worker = *vacant] { work(worker); });
	vacant->employed = true;
	++_employed;
}

void WorkScheduler::work(Worker& self) noexcept
{
	Lock lock(_mutex);
	bool crowded = false;
	for (;;) {
		std::size_t steps = 0;
		for (Flight* flight = next(); flight != nullptr; flight = next(), ++steps) {
			step(self, *flight, lock);
		}
		crowded = crowded || steps >= stepsOfACrowd;
		if (_closing) {
			return; // close() joins
		}
		const bool isNeeded = _busy == 0 && _watching == 0;
		if (isNeeded ? watch(lock, crowded) : _busy > 0 && look(lock, Duration::zero())) {
			continue;
		}
		crowded = false;
		if (_busy < _options.busy && stepsToDo() > 0) {
			continue; // since then
		}
		if ((_busy > 0 || _watching > 0) && !rest(lock)) {
			return leave(self, lock);
		}
	}
}

/// Waits for something to happen. `crowded`: looks out for it first, before it sleeps; false afterwards, if nothing
/// came.
bool WorkScheduler::watch(Lock& lock, bool& crowded) noexcept
{
	++_watching;
	bool happened = false;
	for (int i = 0; crowded && !happened && i < looksAfterACrowd; ++i) {
		lock.unlock();
		std::this_thread::yield(); // to a server on this machine, perhaps
		lock.lock();
		happened = look(lock, Duration::zero());
	}
	crowded = happened;
	happened = happened || look(lock, std::nullopt);
	--_watching;
	return happened;
}

/// Sees what has happened, or does within `atMost`. False: nothing.
bool WorkScheduler::look(Lock& lock, std::optional<Duration> atMost) noexcept
{
	lock.unlock();
	Poller::Room room;
	const auto events = _events.wait(room, atMost);
	const Instant now = _clock.boot();
	lock.lock();
	for (const epoll_event& event : events) {
		if (event.data.u64 == Poller::called) {
			_watcherCalled = false; // whoever was meant: who sees it does what there is to do
		}
		else if (event.data.u64 == alarmTag) {
			ring(now);
		}
		else if (Flight* flight = flightOf(event.data.u64)) {
			wake(*flight, Wake::ready);
		}
	}
	return !events.empty();
}

/// Until somebody is wanted. False: nobody has been for long.
bool WorkScheduler::rest(Lock& lock) noexcept
{
	for (;;) {
		const bool isSpare = _employed > workersAtRest;
		++_resting;
		lock.unlock();
		Poller::Room room;
		const auto events = _bench.wait(room, isSpare ? std::optional(_options.idle) : std::nullopt);
		lock.lock();
		--_resting;
		if (_closing) {
			return true;
		}
		// One stays while others work, to see whether they are stuck.
		if (events.empty() && isSpare && _employed > workersAtRest && (_resting > 0 || _busy == 0)) {
			return false;
		}
		bool isWanted = false;
		for (const epoll_event& event : events) {
			if (event.data.u64 == Poller::called) {
				_resterCalled = false;
				isWanted = true;
			}
			else {
				patrol();
			}
		}
		if (isWanted || (_busy == 0 && (_watching == 0 || stepsToDo() > 0))) { // whoever was to do it is stuck
			return true;
		}
	}
}

/// From here on the place is another's.
void WorkScheduler::leave(Worker& self, Lock& lock) noexcept
{
	self.employed = false;
	--_employed;
	Thread previous = std::exchange(_leaver, std::move(self.thread));
	lock.unlock();
	previous.join();
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
		_bench.close();
	}
	for (Worker& worker : _workers) {
		if (!worker.thread.isCurrent()) { // its run, which ends the process, may look at it once more
			worker.thread.join();
		}
	}
	_leaver.join();
}

std::size_t WorkScheduler::employed() const
{
	const Lock lock(_mutex);
	return _employed;
}

} // namespace issuer::vault::runtime
