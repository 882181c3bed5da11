#include "runtime/place_limits.h"

#include <algorithm>
#include <bit>

namespace issuer::vault::runtime {

PlaceLimits::PlaceLimits(const Options& options)
	: _options(options), _free(std::min(options.slots, mostSlots)), _keptFree(options.kept)
{
}

std::size_t PlaceLimits::heapIndex(std::uint32_t inFlight) noexcept
{
	if (inFlight < exact) {
		return inFlight;
	}
	const auto power = static_cast<std::uint32_t>(std::bit_width(inFlight)) - 1;
	return exact + (power - 4) * 4 + (inFlight >> (power - 2) & 3U);
}

std::uint32_t PlaceLimits::leastInFlight(std::size_t heap) noexcept
{
	if (heap < exact) {
		return static_cast<std::uint32_t>(heap);
	}
	const auto step = static_cast<std::uint32_t>(heap - exact);
	return (4 + step % 4) << (step / 4 + 2);
}

PlaceQueue& PlaceLimits::join(const void* place, std::uint32_t atMost)
{
	const auto limit = atMost != 0 ? atMost : _options.perPlace;
	PlaceQueue& queue = _queues.try_emplace(place, place, limit, atMost != 0).first->second;
	try {
		if (queue._members == 0) {
			makeRoom(_queues.size());
		}
		queue._due.makeRoom(queue._members + 1);
	}
	catch (...) {
		if (queue._members == 0) {
			_queues.erase(place);
		}
		throw;
	}
	++queue._members;
	return queue;
}

/// At most slots / n places can have n jobs in flight.
void PlaceLimits::makeRoom(std::size_t places)
{
	_offered.front().makeRoom(places);
	for (std::size_t heap = 1; heap < heaps && leastInFlight(heap) <= _options.slots; ++heap) {
		_offered.at(heap).makeRoom(std::min<std::size_t>(places, _options.slots / leastInFlight(heap)));
	}
}

void PlaceLimits::leave(PlaceQueue& queue) noexcept
{
	if (--queue._members == 0) {
		_queues.erase(queue._place);
	}
}

void PlaceLimits::push(Job& job, bool impatient) noexcept
{
	PlaceQueue& queue = *job.notes().queue;
	job.notes().impatient = impatient;
	queue._impatient += impatient ? 1U : 0U;
	queue._due.push(job, {job.notes().urgency, job.notes().at});
	refresh(queue);
}

void PlaceLimits::erase(Job& job) noexcept
{
	PlaceQueue& queue = *job.notes().queue;
	queue._impatient -= std::exchange(job.notes().impatient, false) ? 1U : 0U;
	queue._due.erase(job);
	refresh(queue);
}

void PlaceLimits::setImpatient(Job& job, bool impatient) noexcept
{
	if (std::exchange(job.notes().impatient, impatient) != impatient) {
		PlaceQueue& queue = *job.notes().queue;
		queue._impatient += impatient ? 1U : -1U;
		refresh(queue);
	}
}

void PlaceLimits::stalled(PlaceQueue& queue, std::int64_t looks) noexcept
{
	constexpr std::int64_t most = 8;
	const auto limit = _options.perPlace * static_cast<std::uint32_t>(std::min(1 + looks, most));
	if (limit > queue._limit && !queue._fixed) {
		queue._limit = limit;
		refresh(queue);
	}
}

/// Returns the most urgent job whose place has fewer in flight than slots are free; failing that, the most urgent of
/// all, if its urgency has passed.
std::optional<PlaceLimits::Choice> PlaceLimits::choose(Instant now) const noexcept
{
	const Heap* first = nullptr;
	std::uint64_t left = _occupied;
	for (; left != 0; left &= left - 1) {
		const auto heap = static_cast<std::size_t>(std::countr_zero(left));
		if (leastInFlight(heap + 1) > _free) { // of the next heap: all in this one have fewer
			break;
		}
		if (first == nullptr || _offered[heap].topKey() < first->topKey()) {
			first = &_offered[heap];
		}
	}
	if (first != nullptr) {
		return Choice{&first->top(), false};
	}
	if (_keptFree == 0) {
		return std::nullopt;
	}
	for (; left != 0; left &= left - 1) {
		const Heap& heap = _offered[static_cast<std::size_t>(std::countr_zero(left))];
		const Instant urgency = heap.topKey().urgency;
		if (urgency != unknownUrgency && urgency <= now && (first == nullptr || heap.topKey() < first->topKey())) {
			first = &heap;
		}
	}
	return first != nullptr ? std::optional(Choice{&first->top(), true}) : std::nullopt;
}

Job* PlaceLimits::take(Instant now) noexcept
{
	const auto choice = choose(now);
	if (!choice) {
		return nullptr;
	}
	PlaceQueue& queue = *choice->queue;
	withdraw(queue);
	Job& job = queue._due.top();
	queue._due.erase(job);
	queue._impatient -= std::exchange(job.notes().impatient, false) ? 1U : 0U;
	job.notes().inKeptFlight = choice->keptFlight;
	if (choice->keptFlight) {
		--_keptFree;
	}
	else {
		++queue._inFlight;
		--_free;
	}
	refresh(queue);
	return &job;
}

void PlaceLimits::landed(Job& job, bool progress, Instant now) noexcept
{
	PlaceQueue& queue = *job.notes().queue;
	if (progress) {
		queue._lastProgress = now;
		queue._limit = queue._fixed ? queue._limit : _options.perPlace;
	}
	if (std::exchange(job.notes().inKeptFlight, false)) {
		++_keptFree;
		refresh(queue);
		return;
	}
	withdraw(queue);
	--queue._inFlight;
	++_free;
	refresh(queue);
}

PlaceLimits::Heap& PlaceLimits::heapOf(const PlaceQueue& queue) noexcept
{
	return _offered.at(heapIndex(queue._inFlight));
}

/// Adds the queue to the offered ones, moves or removes it, as its due jobs now demand. Its number in flight is
/// unchanged.
void PlaceLimits::refresh(PlaceQueue& queue) noexcept
{
	if (!mayRun(queue)) {
		withdraw(queue);
	}
	else if (!queue._offered) {
		offer(queue);
	}
	else if (queue._due.topKey() != queue._offeredAs) {
		queue._offeredAs = queue._due.topKey();
		heapOf(queue).update(queue, queue._offeredAs);
	}
}

bool PlaceLimits::mayRun(const PlaceQueue& queue) noexcept
{
	return !queue._due.empty() && (queue._inFlight < queue._limit || (queue._impatient > 0 && !queue._fixed));
}

void PlaceLimits::offer(PlaceQueue& queue) noexcept
{
	queue._offered = true;
	queue._offeredAs = queue._due.topKey();
	heapOf(queue).push(queue, queue._offeredAs);
	_occupied |= std::uint64_t{1} << heapIndex(queue._inFlight);
}

void PlaceLimits::withdraw(PlaceQueue& queue) noexcept
{
	if (std::exchange(queue._offered, false)) {
		Heap& heap = heapOf(queue);
		heap.erase(queue);
		if (heap.empty()) {
			_occupied &= ~(std::uint64_t{1} << heapIndex(queue._inFlight));
		}
	}
}

} // namespace issuer::vault::runtime
