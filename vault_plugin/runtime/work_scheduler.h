#pragma once

#include "runtime/agenda.h"
#include "runtime/alarm.h"
#include "runtime/clock.h"
#include "runtime/event_loop.h"
#include "runtime/scheduler.h"
#include "runtime/worker.h"

#include <limits>
#include <mutex>
#include <vector>

namespace issuer::vault::runtime {

/// The scheduler on real threads: an alarm that its owner's event loop listens to, and workers.
///
/// Workers come one by one: each that finds more to do than its own job calls the next, so that jobs of microseconds
/// do not wake threads for nothing and jobs that hang have as many as they need a moment later. Who was idle last is
/// called first; the others, idle for long enough, end, down to one.
class WorkScheduler final : public Scheduler, public EventLoop::Handler
{
public:
	struct Options
	{
		std::uint32_t workers = 64;
		std::uint32_t perLane = 16;               ///< jobs of one lane in flight
		Duration idle = std::chrono::seconds(10); ///< a worker without a job ends after that, if it is not the last
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

	/// The alarm rings.
	void readable() noexcept override;

	/// Runtime::close(). Once.
	void close() noexcept;

	/// For tests and measurements.
	[[nodiscard]] std::size_t employed() const;

private:
	using Lock = std::unique_lock<std::mutex>;

	void setAlarm() noexcept;
	[[nodiscard]] bool mayBegin() noexcept;
	[[nodiscard]] Worker* summon() noexcept;
	void employ(Worker& worker);
	void work(Worker& self) noexcept;
	void run(Worker& self, Job& job, Lock& lock) noexcept;
	[[nodiscard]] bool awaitSummons(Worker& self, Lock& lock) noexcept;
	void cancel(Worker& worker) noexcept;

	const Clock& _clock;
	Alarm& _alarm;
	const Options _options;

	mutable std::mutex _mutex;
	Agenda _agenda;
	Instant _alarmAt = Instant::max(); ///< what the alarm is set to
	Instant _lastAlarm = Instant::min();
	Instant _lullUntil = Instant::min(); ///< Instant::min(): there is none
	bool _closing = false;

	std::vector<Worker> _workers;
	std::vector<Worker*> _idle; ///< the last is called first
	std::size_t _employed = 0;
	std::size_t _onTheirWay = 0; ///< summoned, not yet there
	Thread _leaver;              ///< ended, or about to: the next to leave joins it
};

} // namespace issuer::vault::runtime
