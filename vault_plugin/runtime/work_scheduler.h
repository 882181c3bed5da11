#pragma once

#include "runtime/agenda.h"
#include "runtime/alarm.h"
#include "runtime/clock.h"
#include "runtime/flight.h"
#include "runtime/poller.h"
#include "runtime/scheduler.h"

#include <deque>
#include <mutex>
#include <vector>

namespace issuer::vault::runtime {

/// A leader/follower pool. One worker waits in epoll and also runs ready steps; the others sleep. While a step runs, a
/// sleeping worker checks every 5 ms whether it has blocked, and takes over as leader if so. Idle workers exit, down to
/// two.
///
/// A run that waits holds no thread, so two workers do for a fleet. More are woken only when several steps are ready,
/// up to the number of processors.
///
/// Two pauses are kept because they pay: alarms are some milliseconds apart (at 1,000 renewals a second each costs
/// half), and no run begins right after a due job was halted (10,000 jobs are halted in 20 ms instead of a second or
/// two).
///
/// It works around refusals of the system: a descriptor that epoll does not take is polled now and then, a worker that
/// cannot be created leaves its steps to the existing ones, and a run for which there is no memory waits for a flight.
class WorkScheduler final : public Scheduler
{
public:
	struct Options
	{
		PlaceLimits::Options limits;
		std::uint32_t workers = 64;
		/// Most workers that run steps at once, stuck ones not counted; 0: chosen by the number of processors.
		std::uint32_t busy = 0;
		Duration idle = std::chrono::seconds(10);           ///< a worker that slept for so long exits, down to two
		Duration stuckAfter = std::chrono::milliseconds(5); ///< a step that takes longer has blocked
		/// Least time between two alarms: a job is late by so much at most.
		Duration alarmPause = std::chrono::milliseconds(4);
		/// No run begins for so long after one was cancelled, or a due job was halted before its turn.
		Duration cancelPause = std::chrono::milliseconds(20);
	};

	/// Creates the first worker. Throws std::system_error or std::bad_alloc.
	WorkScheduler(const Clock& clock, Alarm& alarm, Options options);
	~WorkScheduler() override; ///< calls close()

	void arm(Job& job, Instant at, Instant urgency) override;
	[[nodiscard]] bool halt(Job& job, Duration timeout) override;

	/// Does as Runtime::close() says. Called once.
	void close() noexcept;

	/// Returns how many worker threads exist. [thread-safe]
	[[nodiscard]] std::size_t workerCount() const;

private:
	using Lock = std::unique_lock<std::mutex>;
	static constexpr Poller::Tag alarmTag = Poller::firstFree;
	static constexpr Poller::Tag firstFlightTag = alarmTag + 1;

	// Time.
	[[nodiscard]] Instant nextTime() noexcept;
	void setAlarm() noexcept;
	void timesChanged() noexcept;
	void expire(Instant now) noexcept;
	void lookAt(Flight& flight, Instant now) noexcept;

	// Runs.
	[[nodiscard]] bool mayBegin() noexcept;
	[[nodiscard]] std::size_t readySteps() noexcept { return _woken.size() + (mayBegin() ? 1 : 0); }
	[[nodiscard]] Flight* next() noexcept;
	[[nodiscard]] bool addFlight() noexcept;
	void step(Worker& self, Flight& flight, Lock& lock) noexcept;
	void hold(Flight& flight, const Wait& wait) noexcept;
	void wake(Flight& flight, Wake how) noexcept;
	void cancel(Flight& flight) noexcept;
	void land(Flight& flight) noexcept;
	[[nodiscard]] Poller::Tag tagOf(const Flight& flight) const noexcept;
	[[nodiscard]] Flight* flightOf(Poller::Tag tag) noexcept;

	// Workers: workers.cpp.
	void work(Worker& self) noexcept;
	void lead(Lock& lock) noexcept;
	[[nodiscard]] bool sleep(Lock& lock) noexcept;
	[[nodiscard]] bool isWorkerWanted() noexcept;
	[[nodiscard]] Poller* wakeOne() noexcept;
	void checkStuck() noexcept;
	void scheduleCheck() noexcept;
	void spawn();
	void trySpawn() noexcept;
	void exit(Worker& self, Lock& lock) noexcept;

	const Clock& _clock;
	Alarm& _alarm;
	const Options _options;
	Poller _events;      ///< of the alarm and of descriptors; the leader waits here
	Poller _idleWorkers; ///< the others sleep here

	mutable std::mutex _mutex;
	Agenda _agenda;
	Instant _alarmAt = Instant::max(); ///< when the alarm will ring
	bool _alarmFailed = false;         ///< the alarm could not be set: the leader waits with a timeout instead
	Instant _lastAlarm = Instant::min();
	Instant _cancelPauseEnd = Instant::min(); ///< end of the pause after a cancel; Instant::min(): there is none
	bool _closing = false;

	std::deque<Flight> _flights; ///< as many as were ever needed at once
	Flight* _freeFlights = nullptr;
	FlightQueue _woken;
	Waiting _waiting;

	std::vector<Worker> _workers;
	std::uint32_t _workerCount = 0;
	std::uint32_t _stepping = 0; ///< workers that run a step
	std::uint32_t _busy = 0;     ///< workers that run a step and are not stuck
	std::uint32_t _sleeping = 0;
	bool _leading = false;      ///< a worker waits for events
	bool _leaderCalled = false; ///< the leader was called and has not noticed yet
	bool _sleeperCalled = false;
	bool _checking = false;               ///< a call of checkStuck() is pending
	bool _checkTimerSet = false;          ///< by a timer; false: by the timeout of a sleeping worker
	Instant _spawnAfter = Instant::min(); ///< no new thread before this time, because the system has refused one
	Thread _exiting;                      ///< the worker that exited last; joined by the next one that exits
};

} // namespace issuer::vault::runtime
