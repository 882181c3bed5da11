#pragma once

#include "runtime/indexed_heap.h"
#include "runtime/job.h"

#include <array>
#include <compare>
#include <optional>
#include <unordered_map>

namespace issuer::vault::runtime {

/// Orders due jobs: by urgency, then by the time they were due.
struct Turn
{
	Instant urgency;
	Instant at;

	friend auto operator<=>(const Turn&, const Turn&) = default;
};

inline std::uint32_t& turnPosition(Job& job) noexcept
{
	return job.notes().turnPosition;
}

/// The due jobs of one place, and how many of its jobs are in flight. See PlaceLimits.
class PlaceQueue
{
public:
	PlaceQueue(const void* place, std::uint32_t limit, bool fixed) : _place(place), _limit(limit), _fixed(fixed) {}

	[[nodiscard]] const void* place() const noexcept { return _place; }
	/// Returns when a run of this place last ended with an answer; Instant::min(): never yet.
	[[nodiscard]] Instant lastProgress() const noexcept { return _lastProgress; }

private:
	friend class PlaceLimits;
	static std::uint32_t& position(PlaceQueue& queue) noexcept { return queue._position; }

	const void* const _place;
	std::size_t _members = 0;     ///< jobs that are armed or running
	std::uint32_t _inFlight = 0;  ///< in slots; flights that are kept for overdue jobs are not counted
	std::uint32_t _limit;         ///< most jobs in flight, while no job is impatient
	const bool _fixed;            ///< the limit is the jobs' own, and never exceeded
	std::uint32_t _impatient = 0; ///< due jobs that may go ahead of the limit
	std::uint32_t _position = 0;
	Instant _lastProgress = Instant::min();
	bool _offered = false; ///< is an element of one of PlaceLimits' heaps
	Turn _offeredAs{};     ///< its key in that heap
	IndexedHeap<Job, Turn, turnPosition> _due;
};

/// The due jobs, by the place that their requests go to, and which of them may run next. Holds no lock: the
/// scheduler's guards it. take() costs O(log n), whatever the number of slots.
///
/// The most urgent job of all runs first, within these limits:
/// - A place has at most `perPlace` jobs in flight, so that a fast server gets a burst over few connections.
/// - Once a due job of a place is impatient, the place may exceed its limit, most urgent job first. So a server that
///   hangs delays the other jobs of its place by no more than their patience.
/// - The limit of a place that hangs grows (see stalled()), so that jobs that have time look for a way, too, but
///   not all of them at once.
/// - A place never has as many jobs in flight as slots are free. So one dead server leaves half of the slots to the
///   others, and as long as fewer servers are dead than there are slots, one remains for a server that lives.
/// - A job whose urgency has passed needs no slot: some flights are kept for those. Its token may be dead already, and
///   its owner waits to be told.
class PlaceLimits
{
public:
	struct Options
	{
		std::uint32_t slots = 128; ///< jobs in flight at once; at most mostSlots
		std::uint32_t perPlace = 16;
		std::uint32_t kept = 8; ///< flights beside the slots, for jobs whose urgency has passed
	};
	static constexpr std::uint32_t mostSlots = 1U << 16U;

	explicit PlaceLimits(const Options& options);

	/// Returns the queue of `place`, with one more member. `atMost`: as Job::atMost(). Allocates, so that nothing else
	/// has to; throws std::bad_alloc with nothing changed.
	[[nodiscard]] PlaceQueue& join(const void* place, std::uint32_t atMost = 0);
	void leave(PlaceQueue& queue) noexcept;

	/// Adds a due job that is a member of a queue and not in flight. `impatient`: as setImpatient().
	void push(Job& job, bool impatient) noexcept;
	void erase(Job& job) noexcept;
	/// Sets whether the due job's place may exceed its limit until the job runs.
	void setImpatient(Job& job, bool impatient) noexcept;

	/// Raises the limit of a place that has given no answer during `looks` looks of a job: by `perPlace` for each look,
	/// to eight times that at most. The place's next answer resets it.
	void stalled(PlaceQueue& queue, std::int64_t looks) noexcept;

	/// Returns whether take() would return a job.
	[[nodiscard]] bool hasNext(Instant now) const noexcept { return choose(now).has_value(); }
	/// Takes the job that may run now; null if there is none. It is in flight until landed().
	[[nodiscard]] Job* take(Instant now) noexcept;
	/// Releases the job's slot. `progress`: its place has answered.
	void landed(Job& job, bool progress, Instant now) noexcept;

private:
	using Heap = IndexedHeap<PlaceQueue, Turn, PlaceQueue::position>;

	struct Choice
	{
		PlaceQueue* queue;
		bool keptFlight;
	};

	[[nodiscard]] std::optional<Choice> choose(Instant now) const noexcept;
	[[nodiscard]] Heap& heapOf(const PlaceQueue& queue) noexcept;
	void makeRoom(std::size_t places);
	[[nodiscard]] static bool mayRun(const PlaceQueue& queue) noexcept;
	void refresh(PlaceQueue& queue) noexcept;
	void offer(PlaceQueue& queue) noexcept;
	void withdraw(PlaceQueue& queue) noexcept;

	/// Jobs in flight up to 16 have a heap each, above that there are four heaps to a power of two.
	static constexpr std::size_t exact = 16;
	static constexpr std::size_t heaps = 64;
	[[nodiscard]] static std::size_t heapIndex(std::uint32_t inFlight) noexcept;
	[[nodiscard]] static std::uint32_t leastInFlight(std::size_t heap) noexcept;

	const Options _options;
	std::unordered_map<const void*, PlaceQueue> _queues;
	std::array<Heap, heaps> _offered; ///< queues with a job that the limit lets run, by how many they have in flight
	std::uint64_t _occupied = 0;      ///< bit i: _offered[i] is not empty
	std::uint32_t _free;              ///< slots
	std::uint32_t _keptFree;
};

} // namespace issuer::vault::runtime
