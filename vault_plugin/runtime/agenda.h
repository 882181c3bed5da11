#pragma once

#include "runtime/place_limits.h"

#include <optional>

namespace issuer::vault::runtime {

/// Decides which job runs when, and which is next: the scheduler without its threads. Holds no lock and no clock.
/// Allocates only in arm(), and there only for a job that is neither armed nor running.
class Agenda
{
public:
	/// Interval at which a due job looks whether its place hangs, where an eighth of its remaining life is longer. It
	/// is longer than the patience with a kept connection that hangs. A server that is merely slow is not helped by
	/// more requests at once: they would only wait there, where urgency does not count.
	static constexpr Duration lookEvery = std::chrono::seconds(2);

	explicit Agenda(const PlaceLimits::Options& options) : _limits(options) {}

	/// Plans the job for `at`, instead of any time armed before. `place` counts from the next time `job` does not run.
	/// Throws std::bad_alloc with nothing changed.
	void arm(Job& job, const void* place, Instant at, Instant urgency);
	void disarm(Job& job) noexcept;

	/// Makes jobs due that are armed for `now` or earlier.
	void advance(Instant now) noexcept;
	/// Returns when to call advance() next.
	[[nodiscard]] std::optional<Instant> nextDue() const noexcept;

	/// Returns whether take() would return a job.
	[[nodiscard]] bool hasReady() const noexcept { return _limits.hasNext(_now); }
	/// Returns the due job that may run now; null if there is none. It runs until finished().
	[[nodiscard]] Job* take() noexcept;
	/// Takes back the job that take() gave. `progress`: the place that it waited for has answered.
	void finished(Job& job, bool progress) noexcept;

private:
	void leaveIfDone(Job& job) noexcept;
	void becomeReady(Job& job) noexcept;
	void awaitTurn(Job& job) noexcept;
	void setTimer(Job& job, Instant at) noexcept;
	void clearTimer(Job& job) noexcept;
	void withdraw(Job& job) noexcept;

	/// Jobs that are armed, by when they are due; and due ones, by when they may exceed another limit.
	IndexedHeap<Job, Instant, timerPosition> _timers;
	PlaceLimits _limits;
	std::size_t _members = 0;      ///< jobs that are armed or running
	Instant _now = Instant::min(); ///< of the last advance()
};

} // namespace issuer::vault::runtime
