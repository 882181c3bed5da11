#pragma once

#include "base/time.h"
#include "runtime/job.h"

namespace issuer::vault::runtime {

/// Runs jobs when they are due; among those due at once, the one with the most urgent life first. [thread-safe]
class Scheduler
{
public:
	virtual ~Scheduler() = default;

	/// Run `job` at `at`, instead of at any time armed before. Armed while it runs, it runs again after.
	/// `urgency`: the earlier, the sooner its turn when more jobs are due than may run at once.
	/// Void while a run that halt() has cancelled still goes on: a halted job cannot bring itself back.
	virtual void arm(Job& job, Instant at, Instant urgency) = 0;

	/// Disarms `job`, cancels its run and waits for the run's end, at most `timeout`; with a timeout of zero it only
	/// begins, and calling it again polls.
	/// True: it does not run and will not, until armed again. False: it still runs; it is disarmed and cancelled all
	/// the same. Not from inside the job's own run().
	[[nodiscard]] virtual bool halt(Job& job, Duration timeout) = 0;
};

} // namespace issuer::vault::runtime
