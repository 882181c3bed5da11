#pragma once

#include "base/task.h"
#include "fleet/etcd/bell.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace issuer::fleet::etcd {

/// Runs a handful of tasks on one thread, each in a slot of its own: while one waits the others run, so that they share
/// data without a lock. Used on that thread, but for stop().
class Loop
{
public:
	static constexpr std::size_t slots = 5;

	/// Begins a task in a slot, in the place of the one there, which is destroyed wherever it waits. Not to be called
	/// for the slot of the running task.
	void begin(std::size_t slot, vault::Task<> task);

	/// Destroys the task of a slot. Not to be called for the running one.
	void end(std::size_t slot) { begin(slot, {}); }

	/// Runs the tasks until all have ended, or stop() was called. Throws what a task throws, whose slot is free then;
	/// may be called again.
	void run();

	/// Ends run(), now or when it is called. [thread-safe]
	void stop() const noexcept { _stop.ring(); }

	/// Waits in the place of run(). Returns false once stop() was called.
	[[nodiscard]] bool pause(std::chrono::milliseconds time) const noexcept;

private:
	using Clock = std::chrono::steady_clock;

	struct Run
	{
		vault::Task<> task;
		bool isNew = false;
		vault::Wait wait;
		Clock::time_point until = Clock::time_point::max();
	};

	void step(std::size_t slot, vault::Wake wake);
	[[nodiscard]] bool wait();

	Bell _stop;
	std::array<Run, slots> _runs;
};

} // namespace issuer::fleet::etcd
