#include "runtime/work_scheduler.h"

#include "runtime/system_call.h"

#include <algorithm>
#include <system_error>

namespace issuer::vault::runtime {

namespace {

void call(Worker* worker) noexcept
{
	if (worker != nullptr) {
		worker->called.notify_one();
	}
}

} // namespace

WorkScheduler::WorkScheduler(const Clock& clock, Alarm& alarm, Options options)
	: _clock(clock), _alarm(alarm), _options(options), _agenda(options.workers, options.perLane),
	  _workers(options.workers)
{
	_idle.reserve(options.workers);
	const Lock lock(_mutex);
	employ(_workers.front());
}

WorkScheduler::~WorkScheduler()
{
	close();
}

void WorkScheduler::arm(Job& job, Instant at, Instant urgency)
{
	const void* lane = job.lane();
	const Instant now = _clock.now().boot;
	Worker* worker = nullptr;
	{
		const Lock lock(_mutex);
		const Worker* running = job.notes().worker;
		if (_closing || (running != nullptr && running->cancelled)) {
			return;
		}
		_agenda.arm(job, lane, at, urgency);
		if (at <= now) {
			_agenda.advance(now);
			worker = summon();
		}
		setAlarm();
	}
	call(worker); // without the lock, which it would only wait for
}

bool WorkScheduler::halt(Job& job, Duration timeout)
{
	Lock lock(_mutex);
	_agenda.disarm(job);
	Worker* worker = job.notes().worker;
	if (worker == nullptr) {
		return true;
	}
	cancel(*worker);
	if (timeout <= Duration::zero() || worker->thread.isCurrent()) {
		return false;
	}
	HaltWaiter waiter;
	waiter.next = std::exchange(worker->waiters, &waiter);
	const auto patience = std::min<Duration>(timeout, std::chrono::hours(24 * 365)); // no overflow of the clock
	waiter.ended.wait_for(lock, patience, [&] { return waiter.done; });
	if (!waiter.done) {
		HaltWaiter** link = &worker->waiters;
		while (*link != &waiter) {
			link = &(*link)->next;
		}
		*link = waiter.next;
	}
	return waiter.done;
}

void WorkScheduler::cancel(Worker& worker) noexcept
{
	if (!std::exchange(worker.cancelled, true)) {
		raise(worker.cancel);
	}
}

void WorkScheduler::readable() noexcept
{
	_alarm.acknowledge();
	const Instant now = _clock.now().boot;
	Worker* worker = nullptr;
	{
		const Lock lock(_mutex);
		_alarmAt = Instant::max();
		_lastAlarm = now;
		_agenda.advance(now);
		setAlarm();
		worker = summon();
	}
	call(worker);
}

/// An alarm that rings too early finds nothing due and is set anew: cheaper than setting it back at each change.
void WorkScheduler::setAlarm() noexcept
{
	std::optional<Instant> due = _agenda.nextDue();
	if (_lullUntil != Instant::min() && _agenda.hasReady()) {
		due = std::min(due.value_or(_lullUntil), _lullUntil);
	}
	if (!due) {
		return;
	}
	const Instant earliest = _lastAlarm == Instant::min() ? *due : _lastAlarm + _options.coalesce;
	const Instant at = std::max(*due, earliest);
	if (at < _alarmAt) {
		_alarm.set(at);
		_alarmAt = at;
	}
}

/// Whether there is a job whose turn it is.
bool WorkScheduler::mayBegin() noexcept
{
	if (_closing || !_agenda.hasReady()) {
		return false;
	}
	if (_lullUntil != Instant::min() && _clock.now().boot >= _lullUntil) {
		_lullUntil = Instant::min();
	}
	return _lullUntil == Instant::min();
}

/// Sees to it that a worker comes if there is something to do. The one returned is to be called.
Worker* WorkScheduler::summon() noexcept
{
	if (_onTheirWay > 0 || !mayBegin()) {
		return nullptr;
	}
	if (!_idle.empty()) {
		Worker* worker = _idle.back();
		_idle.pop_back();
		worker->summoned = true;
		++_onTheirWay;
		return worker;
	}
	if (_employed < _workers.size()) {
		const auto vacant = std::find_if(_workers.begin(), _workers.end(), [](const Worker& w) { return !w.employed; });
		try {
			employ(*vacant);
		}
		catch (const std::exception&) {
			// No thread or descriptor left: those who are there do it, one job after the other.
		}
	}
	return nullptr;
}

void WorkScheduler::employ(Worker& worker)
{
	worker.cancel = makeEvent();
	worker.thread = Thread("issuer-worker", [this, &worker] { work(worker); });
	worker.employed = true;
	++_employed;
	++_onTheirWay;
}

void WorkScheduler::work(Worker& self) noexcept
{
	Lock lock(_mutex);
	do {
		--_onTheirWay;
		while (mayBegin()) {
			run(self, *_agenda.take(), lock);
		}
	} while (awaitSummons(self, lock));

	if (_closing) {
		return; // close() joins
	}
	// From here on the place is another's.
	self.employed = false;
	self.cancel = Descriptor();
	--_employed;
	Thread previous = std::exchange(_leaver, std::move(self.thread));
	lock.unlock();
	previous.join();
}

void WorkScheduler::run(Worker& self, Job& job, Lock& lock) noexcept
{
	self.job = &job;
	job.notes().worker = &self;
	Worker* next = summon();
	lock.unlock();
	call(next);
	job.run(self.cancel.get());
	lock.lock();
	self.job = nullptr;
	job.notes().worker = nullptr;
	if (std::exchange(self.cancelled, false)) {
		drain(self.cancel);
		_lullUntil = _clock.now().boot + _options.lull;
	}
	_agenda.finished(job);
	for (HaltWaiter* waiter = std::exchange(self.waiters, nullptr); waiter != nullptr;) {
		HaltWaiter* const after = waiter->next;
		waiter->done = true;
		waiter->ended.notify_one(); // with the lock: without, its stack may be gone
		waiter = after;
	}
	if (_lullUntil != Instant::min()) {
		setAlarm(); // for its end
	}
}

/// False: it is to end.
bool WorkScheduler::awaitSummons(Worker& self, Lock& lock) noexcept
{
	const auto patience = std::min<Duration>(_options.idle, std::chrono::hours(24 * 365));
	_idle.push_back(&self);
	while (!self.summoned && !_closing) {
		if (_employed == 1) {
			self.called.wait(lock); // the last one stays, and nothing wakes it at rest
		}
		else if (self.called.wait_for(lock, patience) == std::cv_status::timeout && !self.summoned && !_closing &&
				 _employed > 1) {
			_idle.erase(std::find(_idle.begin(), _idle.end(), &self));
			return false;
		}
	}
	return std::exchange(self.summoned, false) && !_closing;
}

void WorkScheduler::close() noexcept
{
	{
		const Lock lock(_mutex);
		if (std::exchange(_closing, true)) {
			return;
		}
		for (Worker& worker : _workers) {
			if (worker.job != nullptr) {
				cancel(worker);
			}
			worker.called.notify_one();
		}
	}
	for (Worker& worker : _workers) {
		if (!worker.thread.isCurrent()) { // its run, which ends the process, may look at it once more
			worker.thread.join();
			worker.cancel = Descriptor();
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
