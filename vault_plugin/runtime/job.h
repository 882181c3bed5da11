#pragma once

#include "base/task.h"

#include <cstdint>
#include <optional>

namespace issuer::vault::runtime {

class PlaceQueue;
struct Flight;

/// The urgency of a job whose token's end is not known: comes first, but is never overdue.
constexpr Instant unknownUrgency = Instant::min();

/// Urgencies from here on come after all others: work that can wait for every token's renewal, ordered among itself by
/// the time added.
constexpr Instant afterRenewals{Duration(std::chrono::years(100'000))};

/// The scheduler's notes about a job. Stored in the job, so that arming one allocates nothing.
struct JobNotes
{
	enum class State : std::uint8_t
	{
		idle,
		armed, ///< not yet due
		ready, ///< due, waits for its turn
		again, ///< became due while it runs: runs again afterwards
	};

	Instant at;
	Instant urgency;
	PlaceQueue* queue = nullptr; ///< null if neither armed nor running
	Flight* flight = nullptr;    ///< of its run, while there is one
	std::uint32_t timerPosition = 0;
	std::uint32_t turnPosition = 0;
	State state = State::idle;
	bool timed = false; ///< has a timer
	bool running = false;
	bool impatient = false;    ///< has waited for its turn so long that its place may exceed the limit
	bool inKeptFlight = false; ///< runs without a slot
};

/// Work that is run now and then on worker threads, never twice at once.
class Job
{
public:
	/// [worker-thread] Begins a run, or continues one that waited. Returns the next wait, or nullopt when the run has
	/// ended. `wake`: how the last wait ended; `ready` at the beginning. Once halt() has cancelled the run, this wait
	/// and any later one end as `cancelled`.
	[[nodiscard]] virtual std::optional<Wait> run(Wake wake) noexcept = 0;

	/// Returns the id of the place that its runs wait for, such as one server. Limits hold by place, so that no place
	/// can keep the jobs of others from running. Compared, never dereferenced; asked when the job is armed.
	/// [thread-safe]
	[[nodiscard]] virtual const void* place() const noexcept { return nullptr; }

	/// Returns the most runs at once among the jobs of its place, which then is a place of their own; it never grows,
	/// whether or not the place answers. 0: the scheduler's own limits. Equal for all jobs of a place; asked when the
	/// job is armed. [thread-safe]
	[[nodiscard]] virtual std::uint32_t atMost() const noexcept { return 0; }

	/// Gives the scheduler its notes, under its lock.
	[[nodiscard]] JobNotes& notes() noexcept { return _notes; }

	Job() = default;
	Job(const Job&) = delete;
	Job& operator=(const Job&) = delete;

protected:
	~Job() = default; ///< not virtual: never destroyed through Job; its owner has halted it before

private:
	JobNotes _notes;
};

inline std::uint32_t& timerPosition(Job& job) noexcept
{
	return job.notes().timerPosition;
}

} // namespace issuer::vault::runtime
