#pragma once

#include "runtime/agenda.h"
#include "runtime/alarm.h"
#include "runtime/clock.h"
#include "runtime/flight.h"
#include "runtime/poller.h"
#include "runtime/scheduler.h"

#include <mutex>
#include <vector>

namespace issuer::vault::runtime {

/// The scheduler on real threads. A run that waits holds none, so that two do for a fleet: one watches the alarm and
/// what the runs wait for, and does himself what there is to do; the other rests.
///
/// While somebody is at work nobody watches: what happens meanwhile he finds when he looks next, all of it at once,
/// instead of waking another for each. When there is enough for two he calls another, up to as many as the machine runs
/// at once. And lest he is stuck, in a callback of the host's or a file system that hangs, one of those who rest is on
/// patrol, and takes his place. Who has rested for long ends, down to two.
class WorkScheduler final : public Scheduler
{
public:
	struct Options
	{
		std::uint32_t inFlight = 128;
		std::uint32_t perLane = 16; ///< of one lane in flight
		std::uint32_t workers = 64;
		std::uint32_t busy = 0; ///< of them at once, those that are stuck not counted; 0: as suits the machine
		Duration idle = std::chrono::seconds(10); ///< a worker ends that has rested so long, if two others are there
		Duration patrol = std::chrono::milliseconds(5); ///< a step that takes longer is stuck
		/// Under load, alarms are at least that far apart: jobs due within share one. Late by so much at most.
		Duration coalesce = std::chrono::milliseconds(4);
		/// After a run was cancelled, no other begins for so long: who stops one job mostly stops them all, one after
		/// the other, and what began in the place of the last one would only have to be cancelled next.
		Duration lull = std::chrono::milliseconds(10);
	};

	/// Employs a first worker. Throws std::system_error.
	WorkScheduler(const Clock& clock, Alarm& alarm, Options options);
	~WorkScheduler() override; ///< close()

	void arm(Job& job, Instant at, Instant urgency) override;
	[[nodiscard]] bool halt(Job& job, Duration timeout) override;

	/// Runtime::close(). Once.
	void close() noexcept;

	/// For tests and measurements.
	[[nodiscard]] std::size_t employed() const;

private:
	using Lock = std::unique_lock<std::mutex>;

	// Time.
	void setAlarm() noexcept;
	void ring(Instant now) noexcept;

	// Runs.
	[[nodiscard]] bool mayBegin() noexcept;
	[[nodiscard]] std::size_t stepsToDo() noexcept { return _woken.size() + (mayBegin() ? 1 : 0); }
	[[nodiscard]] Flight* next() noexcept;
	void step(Worker& self, Flight& flight, Lock& lock) noexcept;
	void hold(Flight& flight, const Wait& wait) noexcept;
	void wake(Flight& flight, Wake how) noexcept;
	void cancel(Flight& flight) noexcept;
	void land(Flight& flight) noexcept;
	[[nodiscard]] Poller::Tag tagOf(const Flight& flight) const noexcept;
	[[nodiscard]] Flight* flightOf(Poller::Tag tag) noexcept;

	// Workers.
	void work(Worker& self) noexcept;
	[[nodiscard]] bool watch(Lock& lock, bool& crowded) noexcept;
	[[nodiscard]] bool look(Lock& lock, std::optional<Duration> atMost) noexcept;
	[[nodiscard]] bool rest(Lock& lock) noexcept;
	[[nodiscard]] Poller* summon() noexcept;
	void startPatrol() noexcept;
	void patrol() noexcept;
	void employ();
	void leave(Worker& self, Lock& lock) noexcept;

	const Clock& _clock;
	Alarm& _alarm;
	const Options _options;
	Poller _events; ///< of the alarm and of what runs wait for
	Poller _bench;  ///< where those sit that rest

	mutable std::mutex _mutex;
	Agenda _agenda;
	Instant _alarmAt = Instant::max(); ///< what the alarm is set to
	Instant _lastAlarm = Instant::min();
	Instant _lullUntil = Instant::min(); ///< Instant::min(): there is none
	bool _closing = false;

	std::vector<Flight> _flights;
	FlightQueue _free;
	FlightQueue _woken;
	Waiting _waiting;

	std::vector<Worker> _workers;
	std::uint32_t _employed = 0;
	std::uint32_t _stepping = 0; ///< workers that run a step
	std::uint32_t _busy = 0;     ///< of them those that are not stuck
	std::uint32_t _watching = 0; ///< workers that wait for events
	std::uint32_t _resting = 0;
	bool _watcherCalled = false; ///< and not there yet
	bool _resterCalled = false;
	bool _patrolling = false; ///< as long as somebody is busy, and one time after
	Thread _leaver;           ///< ended, or about to: the next to leave joins it
};

} // namespace issuer::vault::runtime
