#pragma once

#include "base/time.h"

namespace issuer::vault::runtime {

/// Something that runs now and then on a worker thread, never twice at once.
class Job
{
public:
	/// [worker-thread] `cancelFd` becomes readable when halt() wants the run to end soon.
	virtual void run(int cancelFd) noexcept = 0;

protected:
	~Job() = default; ///< its owner has halted it before
};

/// Runs jobs when they are due; among those due at once, the one with the most urgent life first. [thread-safe]
class Scheduler
{
public:
	virtual ~Scheduler() = default;

	/// Run `job` at `at`, instead of at any time armed before. Armed while it runs, it runs again after.
	/// `urgency`: the earlier, the sooner its turn when more jobs are due than workers are free.
	virtual void arm(Job& job, Instant at, Instant urgency) = 0;

	/// Disarms `job`, cancels its run and waits for the run's end, at most `timeout`.
	/// True: it does not run and will not, until armed again. False: it still runs; it is disarmed and cancelled all
	/// the same. Not from inside run().
	[[nodiscard]] virtual bool halt(Job& job, Duration timeout) = 0;
};

} // namespace issuer::vault::runtime
