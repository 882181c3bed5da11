#pragma once

#include "runtime/indexed_heap.h"
#include "runtime/job.h"
#include "runtime/thread.h"

#include <condition_variable>

namespace issuer::vault::runtime {

/// A halt() that waits for the end of a run. Lives on the stack of its caller.
struct HaltWaiter
{
	std::condition_variable ended;
	bool done = false;
	HaltWaiter* next = nullptr;
};

/// Room for one worker thread; stays when the thread exits. Guarded by the scheduler's lock.
struct Worker
{
	Thread thread;
	bool exists = false;  ///< has a thread
	bool busy = false;    ///< runs a step of a job
	bool checked = false; ///< was busy at the last check, and has not finished that step since
	bool stuck = false;   ///< was still at the same step one check later: not counted as busy any more
};

/// A run of a job, from launch to landing: steps on some worker, and waits between them. Guarded by the scheduler's
/// lock.
struct Flight
{
	enum class State : std::uint8_t
	{
		none,
		woken, ///< waits for a worker to run its next step
		stepping,
		waiting, ///< for its descriptor, its time, or a halt
	};

	explicit Flight(std::uint32_t index_) noexcept : index(index_) {}

	const std::uint32_t index;
	Job* job = nullptr;
	State state = State::none;
	Wake wake = Wake::ready; ///< how its last wait ended, for its next step
	bool cancelled = false;
	bool waited = false;           ///< has waited at least once in this run
	short events = 0;              ///< events of poll() that it waits for
	int fd = -1;                   ///< the descriptor that it waits for; -1: only for time
	Instant until;                 ///< end of its wait
	Duration pollPause{};          ///< between two polls of a descriptor that epoll has refused
	Worker* worker = nullptr;      ///< the one that runs its step; null: none does
	std::uint32_t waitNumber = 0;  ///< tells an event of this wait from a late one of an earlier wait
	std::uint32_t position = 0;    ///< in Waiting
	HaltWaiter* waiters = nullptr; ///< the halts that wait for its end
	Flight* next = nullptr;        ///< in the queue of woken flights, or in the list of free ones
};

inline std::uint32_t& flightPosition(Flight& flight) noexcept
{
	return flight.position;
}

/// The flights that wait, by the time of the next look at them.
using Waiting = IndexedHeap<Flight, Instant, flightPosition>;

/// A first-in, first-out queue of flights. Allocates nothing.
class FlightQueue
{
public:
	[[nodiscard]] std::size_t size() const noexcept { return _size; }

	void push(Flight& flight) noexcept
	{
		++_size;
		flight.next = nullptr;
		(_first == nullptr ? _first : _last->next) = &flight;
		_last = &flight;
	}

	[[nodiscard]] Flight& pop() noexcept
	{
		--_size;
		Flight& flight = *_first;
		_first = flight.next;
		return flight;
	}

private:
	Flight* _first = nullptr;
	Flight* _last = nullptr;
	std::size_t _size = 0;
};

} // namespace issuer::vault::runtime
