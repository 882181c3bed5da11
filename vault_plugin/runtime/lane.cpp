#include "runtime/lane.h"

#include <algorithm>

namespace issuer::vault::runtime {

Lanes::Lanes(std::uint32_t slots, std::uint32_t perLane) : _byInFlight(perLane), _free(slots)
{
	for (std::uint32_t inFlight = 1; inFlight < perLane; ++inFlight) {
		_byInFlight[inFlight].makeRoom(slots / inFlight); // there cannot be more of them
	}
}

Lane& Lanes::join(const void* id)
{
	Lane& lane = _lanes.try_emplace(id, id).first->second;
	try {
		_byInFlight.front().makeRoom(_lanes.size());
		lane._ready.makeRoom(lane._members + 1);
	}
	catch (...) {
		if (lane._members == 0) {
			_lanes.erase(id);
		}
		throw;
	}
	++lane._members;
	return lane;
}

void Lanes::leave(Lane& lane) noexcept
{
	if (--lane._members == 0) {
		_lanes.erase(lane._id);
	}
}

void Lanes::push(Job& job, Turn turn) noexcept
{
	Lane& lane = *job.notes().lane;
	withdraw(lane);
	lane._ready.push(job, turn);
	offer(lane);
}

void Lanes::erase(Job& job) noexcept
{
	Lane& lane = *job.notes().lane;
	withdraw(lane);
	lane._ready.erase(job);
	offer(lane);
}

Lane* Lanes::next() const noexcept
{
	const Heap* first = nullptr;
	for (std::size_t inFlight = 0; inFlight < std::min<std::size_t>(_free, _byInFlight.size()); ++inFlight) {
		const Heap& lanes = _byInFlight[inFlight];
		if (!lanes.empty() && (first == nullptr || lanes.topKey() < first->topKey())) {
			first = &lanes;
		}
	}
	return first != nullptr ? &first->top() : nullptr;
}

Job& Lanes::launch(Lane& lane) noexcept
{
	withdraw(lane);
	Job& job = lane._ready.top();
	lane._ready.erase(job);
	++lane._inFlight;
	--_free;
	offer(lane);
	return job;
}

void Lanes::landed(Lane& lane) noexcept
{
	withdraw(lane);
	--lane._inFlight;
	++_free;
	offer(lane);
}

void Lanes::offer(Lane& lane) noexcept
{
	if (!lane._ready.empty() && lane._inFlight < _byInFlight.size()) {
		_byInFlight[lane._inFlight].push(lane, lane._ready.topKey());
		lane._offered = true;
	}
}

void Lanes::withdraw(Lane& lane) noexcept
{
	if (lane._offered) {
		_byInFlight[lane._inFlight].erase(lane);
		lane._offered = false;
	}
}

} // namespace issuer::vault::runtime
