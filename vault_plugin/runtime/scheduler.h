#pragma once

#include "base/time.h"
#include "runtime/job.h"

namespace issuer::vault::runtime {

/// Runs jobs when they are due; of jobs that are due at once, the most urgent first, within limits by place (see
/// PlaceLimits). [thread-safe]
class Scheduler
{
public:
	virtual ~Scheduler() = default;

	/// Runs `job` at `at`, instead of at any time armed before. Armed while it runs, it runs again afterwards.
	/// `urgency`: the end of the token that it keeps alive; the earlier, the sooner its turn. unknownUrgency comes
	/// first. A due job waits for a place that does not answer no longer than an eighth of its remaining time; then the
	/// place may exceed its limit. Does nothing while a run that halt() has cancelled still goes on: a halted job
	/// cannot bring itself back. Throws std::bad_alloc with nothing changed; never from inside the job's own run().
	virtual void arm(Job& job, Instant at, Instant urgency) = 0;

	/// Disarms `job`, cancels its run and waits for the run's end, at most `timeout`; with a timeout of zero it only
	/// begins, and calling it again polls.
	/// Returns true if the job does not run and will not, until armed again; false if it still runs: it is disarmed and
	/// cancelled all the same. Not from inside the job's own run().
	[[nodiscard]] virtual bool halt(Job& job, Duration timeout) = 0;
};

} // namespace issuer::vault::runtime
