#pragma once

#include "base/descriptor.h"
#include "runtime/job.h"
#include "runtime/thread.h"

#include <condition_variable>

namespace issuer::vault::runtime {

/// A halt() that waits for a run to end; lives on the stack of who waits.
struct HaltWaiter
{
	std::condition_variable ended;
	bool done = false;
	HaltWaiter* next = nullptr;
};

/// A place for one worker thread; stays when the thread goes, so that whoever calls it finds something to call.
/// Guarded by the scheduler's lock, but for `summoned`, which is notified without.
class Worker
{
public:
	Thread thread;
	Descriptor cancel;              ///< readable: the run is to end. Opened with the thread
	std::condition_variable called; ///< `summoned`, or the scheduler closes
	Job* job = nullptr;
	HaltWaiter* waiters = nullptr; ///< for the end of the run
	bool employed = false;         ///< has a thread that takes jobs
	bool summoned = false;
	bool cancelled = false; ///< the run, by halt()
};

} // namespace issuer::vault::runtime
