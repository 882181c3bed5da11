#pragma once

#include "runtime/indexed_heap.h"
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

/// A place for one worker thread; stays when the thread goes. Guarded by the scheduler's lock.
struct Worker
{
	Thread thread;
	bool employed = false; ///< has a thread
	bool busy = false;     ///< runs a step of a job
	bool seen = false;     ///< to be so at the last patrol, and has not finished that step since
	bool stuck = false;    ///< and so at the one after: it does not count as busy any more
};

/// A run of a job, from launch to landing: a step now and then on some worker, and waits between them. Guarded by the
/// scheduler's lock.
struct Flight
{
	enum class State : std::uint8_t
	{
		none,
		woken, ///< wants a worker for its next step
		stepping,
		waiting, ///< for its descriptor, its time, or a halt
	};

	Job* job = nullptr;
	State state = State::none;
	Wake wake = Wake::ready; ///< for its next step
	bool cancelled = false;
	Worker* worker = nullptr;      ///< of its step
	std::uint32_t number = 0;      ///< of its waits, so that an event that comes too late is known for what it is
	std::uint32_t position = 0;    ///< among those that wait, by their time
	HaltWaiter* waiters = nullptr; ///< for its end
	Flight* next = nullptr;        ///< among those that are woken, or free
};

inline std::uint32_t& flightPosition(Flight& flight) noexcept
{
	return flight.position;
}

/// Those that wait, by the time until which they do.
using Waiting = IndexedHeap<Flight, Instant, flightPosition>;

/// First come, first served. Allocates nothing.
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
