#pragma once

#include "runtime/lane.h"

#include <optional>

namespace issuer::vault::runtime {

/// What is to be run when, and what is next: the scheduler without its threads. Holds no lock and no clock.
/// Allocates only in arm(), and there only for a job that is neither armed nor running.
class Agenda
{
public:
	/// `slots`: how many jobs can run at once; `perLane`: how many of one lane.
	Agenda(std::uint32_t slots, std::uint32_t perLane) : _lanes(slots, perLane) {}

	/// Instead of any time armed before. `lane` counts from the next time `job` does not run.
	void arm(Job& job, const void* lane, Instant at, Instant urgency);
	void disarm(Job& job) noexcept;

	/// Jobs armed for `now` or earlier are due.
	void advance(Instant now) noexcept;
	/// When the next job will be due.
	[[nodiscard]] std::optional<Instant> nextDue() const noexcept;

	/// Whether take() would find one.
	[[nodiscard]] bool hasReady() const noexcept { return _lanes.next() != nullptr; }
	/// The due job whose turn it is, null if there is none that may run now. It runs until finished().
	[[nodiscard]] Job* take() noexcept;
	void finished(Job& job) noexcept;

private:
	void join(Job& job, const void* lane);
	void leaveIfDone(Job& job) noexcept;
	void becomeReady(Job& job) noexcept;
	void withdraw(Job& job) noexcept;

	IndexedHeap<Job, Instant, jobPosition> _timers;
	Lanes _lanes;
	std::size_t _members = 0; ///< jobs that are armed or running
};

} // namespace issuer::vault::runtime
