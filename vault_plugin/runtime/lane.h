#pragma once

#include "runtime/indexed_heap.h"
#include "runtime/job.h"

#include <compare>
#include <unordered_map>
#include <vector>

namespace issuer::vault::runtime {

/// Among jobs that are due: who comes first. The one due for longer, where the urgency is the same.
struct Turn
{
	Instant urgency;
	Instant at;

	friend auto operator<=>(const Turn&, const Turn&) = default;
};

inline std::uint32_t& jobPosition(Job& job) noexcept
{
	return job.notes().position;
}

/// The jobs that may hang on the same thing.
class Lane
{
public:
	explicit Lane(const void* id) : _id(id) {}

private:
	friend class Lanes;
	static std::uint32_t& position(Lane& lane) noexcept { return lane._position; }

	const void* const _id;
	std::size_t _members = 0; ///< jobs that are armed or running
	std::uint32_t _inFlight = 0;
	std::uint32_t _position = 0;
	bool _offered = false; ///< stands in one of the heaps of lanes
	IndexedHeap<Job, Turn, jobPosition> _ready;
};

/// The jobs that are due, lane by lane, and who of them is next. Holds no lock: the scheduler's guards it.
///
/// Urgency decides, within one limit: a lane has at most `perLane` jobs in flight, and starts another only while it has
/// fewer in flight than slots are free. So one dead server leaves most of the slots to the others, and however many
/// are dead, each gets a smaller share and a slot remains for one that lives.
class Lanes
{
public:
	/// `slots`: how many jobs can be in flight at once.
	Lanes(std::uint32_t slots, std::uint32_t perLane);

	/// The lane `id`, with one more member. Allocates, so that nothing else has to.
	[[nodiscard]] Lane& join(const void* id);
	void leave(Lane& lane) noexcept;
	[[nodiscard]] static const void* idOf(const Lane& lane) noexcept { return lane._id; }

	/// `job`, a member of a lane and not in flight, is due.
	void push(Job& job, Turn turn) noexcept;
	void erase(Job& job) noexcept;

	/// The lane whose first job has its turn now; null if none may start.
	[[nodiscard]] Lane* next() const noexcept;
	/// Takes the first job out of `lane`: it is in flight until landed().
	[[nodiscard]] Job& launch(Lane& lane) noexcept;
	void landed(Lane& lane) noexcept;

private:
	using Heap = IndexedHeap<Lane, Turn, Lane::position>;

	void offer(Lane& lane) noexcept;
	void withdraw(Lane& lane) noexcept;

	std::unordered_map<const void*, Lane> _lanes;
	std::vector<Heap> _byInFlight; ///< lanes with a job that is due and room for it, by how many they have in flight
	std::uint32_t _free;
};

} // namespace issuer::vault::runtime
