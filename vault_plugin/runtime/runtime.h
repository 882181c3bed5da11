#pragma once

#include "runtime/clock.h"
#include "runtime/scheduler.h"

#include <memory>

namespace issuer::vault::runtime {

/// Runs the jobs of one library: worker threads that come and go with the work, and an alarm.
/// At rest it has two threads at most, whatever the number of jobs. [thread-safe]
class Runtime
{
public:
	/// Starts a first worker. Throws std::system_error where the machine has no thread or descriptor left.
	Runtime();
	/// Calls close(). Every job should be halted by now; those that are not never run again.
	~Runtime();
	Runtime(const Runtime&) = delete;
	Runtime& operator=(const Runtime&) = delete;

	[[nodiscard]] const Clock& clock() const noexcept;
	[[nodiscard]] Scheduler& scheduler() noexcept;

	/// Disarms all jobs, cancels the runs, and joins all threads. A job armed later never runs. Idempotent. In a child
	/// after fork, which has none of the threads, it does nothing. Called by a job that ends the process from inside
	/// run(), it waits for all threads but that one.
	void close() noexcept;

private:
	struct Parts;
	std::unique_ptr<Parts> _parts;
};

} // namespace issuer::vault::runtime
