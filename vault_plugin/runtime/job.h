#pragma once

#include "base/task.h"

#include <cstdint>
#include <optional>

namespace issuer::vault::runtime {

class Lane;
struct Flight;

/// What the scheduler notes about a job. Kept in the job, so that arming one allocates nothing.
struct JobNotes
{
	enum class Place : std::uint8_t
	{
		nowhere, ///< not armed
		timers,  ///< armed, not yet due
		ready,   ///< due, waits for its turn
		again,   ///< due while it runs: its turn comes after
	};

	Instant at;
	Instant urgency;
	Lane* lane = nullptr;     ///< where it belongs; null if neither armed nor running
	Flight* flight = nullptr; ///< its run, while there is one
	std::uint32_t position = 0;
	Place place = Place::nowhere;
	bool running = false;
};

/// Something that runs now and then on worker threads, never twice at once.
class Job
{
public:
	/// [worker-thread] Begins a run, or goes on with one that waits: until it has to wait again, or has ended, which is
	/// nullopt. `wake`: how the last wait ended; `ready` as it begins. A wait that halt() wants to end soon, and any
	/// after it, is `cancelled`.
	[[nodiscard]] virtual std::optional<Wait> run(Wake wake) noexcept = 0;

	/// Jobs that may hang on the same thing, such as one server, share a lane; no lane can keep the others from
	/// running. Compared, never dereferenced; asked when the job is armed. [thread-safe]
	[[nodiscard]] virtual const void* lane() const noexcept { return nullptr; }

	/// For the scheduler, under its lock.
	[[nodiscard]] JobNotes& notes() noexcept { return _notes; }

	Job() = default;
	Job(const Job&) = delete;
	Job& operator=(const Job&) = delete;

protected:
	~Job() = default; ///< its owner has halted it before

private:
	JobNotes _notes;
};

} // namespace issuer::vault::runtime
