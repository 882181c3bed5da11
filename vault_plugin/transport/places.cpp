#include "transport/places.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace issuer::vault::transport {
namespace {

template <class Values, class Value>
bool contains(const Values& values, const Value& value)
{
	return std::ranges::find(values, value) != values.end();
}

} // namespace

Places::PlaceId Places::add(Place place)
{
	if (_free.empty()) {
		_free.reserve(_places.size() + 1); // so that remove() need not allocate
		_places.push_back(std::move(place));
		return static_cast<PlaceId>(_places.size() - 1);
	}
	const auto id = _free.back();
	_free.pop_back();
	_places[id] = std::move(place);
	return id;
}

Places::PlaceId Places::addNamed()
{
	return add({});
}

Places::PlaceId Places::addFixed(std::span<const std::string> addresses)
{
	Place place;
	place.name = Name::fixed;
	for (const auto& address : addresses) {
		auto& endpoint = place.endpoints.emplace_back();
		endpoint.number = ++_lastNumber;
		endpoint.address = address;
	}
	return add(std::move(place));
}

void Places::remove(PlaceId place) noexcept
{
	_places[place] = {};
	_free.push_back(place);
}

std::vector<Places::EndpointId> Places::endpoints(PlaceId place) const
{
	std::vector<EndpointId> ids;
	for (const auto& endpoint : _places[place].endpoints) {
		ids.push_back({place, endpoint.number});
	}
	return ids;
}

Places::Attempt Places::begin(std::span<const PlaceId> places, Identity identity, Instant deadline, bool repeatable)
{
	Attempt attempt;
	attempt.places = places;
	attempt.identity = identity;
	attempt.deadline = deadline;
	attempt.mayReuse = repeatable;
	return attempt;
}

Instant Places::markOf(const Endpoint& endpoint, Identity identity)
{
	Instant mark = std::max(endpoint.badReplyAt, endpoint.dialFailedAt);
	for (const auto& failed : endpoint.handshakesFailed) {
		if (failed.identity == identity) {
			mark = std::max(mark, failed.at);
		}
	}
	return mark;
}

/// Returns whether a new connection may go to an endpoint. Endpoints that the name no longer gives are used only when
/// it gives nothing at all.
bool Places::isDialable(const Place& place, const Endpoint& endpoint)
{
	return endpoint.named || place.name == Name::failing || place.name == Name::slow;
}

/// Returns whether candidate `a` is tried before `b`; of equal ones the configured order counts.
bool Places::isBefore(const Candidate& a, const Candidate& b)
{
	if (a.mark != b.mark) {
		return a.mark < b.mark; // `never` is the smallest
	}
	return a.mark == never && a.lastGood && !b.lastGood;
}

/// Returns whether the candidate is dialled beside others: it is unmarked, or connecting failed last, so that nothing
/// is known of its replies. Each of those one by one would leave no time to the next. One that connects quickly and
/// gives bad replies does not race: it would win each time.
bool Places::races(const Candidate& candidate)
{
	return candidate.endpoint != nullptr &&
		   (candidate.mark == never || candidate.mark == candidate.endpoint->dialFailedAt);
}

template <class Visit>
void Places::eachCandidate(std::span<const PlaceId> places, Identity identity, Visit&& visit) const
{
	for (const auto id : places) {
		const Place& place = _places[id];
		if (place.endpoints.empty()) {
			visit(Candidate{id, nullptr, place.resolvingFailedAt, false});
		}
		for (const auto& endpoint : place.endpoints) {
			visit(Candidate{id, &endpoint, markOf(endpoint, identity), false});
		}
	}
}

/// Returns the candidates that this attempt can still dial, and the names that it can still resolve, in their order.
std::vector<Places::Candidate> Places::toDial(const Attempt& attempt) const
{
	std::vector<Candidate> candidates;
	Candidate* lastGood = nullptr;
	std::size_t most = 0;
	for (const auto id : attempt.places) {
		most += std::max<std::size_t>(_places[id].endpoints.size(), 1);
	}
	candidates.reserve(most); // `lastGood` points into it
	eachCandidate(attempt.places, attempt.identity, [&](const Candidate& candidate) {
		const bool isLeft = candidate.endpoint != nullptr ? isDialable(_places[candidate.place], *candidate.endpoint) &&
																!contains(attempt.dialled, candidate.id())
														  : !contains(attempt.resolved, candidate.place);
		if (!isLeft) {
			return;
		}
		candidates.push_back(candidate);
		if (candidate.endpoint != nullptr && candidate.endpoint->lastGood != never &&
			(lastGood == nullptr || candidate.endpoint->lastGood > lastGood->endpoint->lastGood)) {
			lastGood = &candidates.back();
		}
	});
	if (lastGood != nullptr) {
		lastGood->lastGood = true;
	}
	std::ranges::stable_sort(candidates, isBefore);
	return candidates;
}

Places::Step Places::next(const Attempt& attempt, Instant now) const
{
	if (now >= attempt.deadline) {
		return GiveUp{};
	}
	if (attempt.mayReuse && attempt.looked.empty() && attempt.dialled.empty()) {
		// The usual case, without a list: the last good one, if it is unmarked.
		std::optional<Candidate> best;
		eachCandidate(attempt.places, attempt.identity, [&](const Candidate& candidate) {
			if (candidate.endpoint != nullptr && candidate.mark == never && candidate.endpoint->lastGood != never &&
				(!best || candidate.endpoint->lastGood > best->endpoint->lastGood)) {
				best = candidate;
			}
		});
		if (best) {
			return reuse(attempt, *best, now);
		}
	}

	const auto candidates = toDial(attempt);
	const bool anyUnmarked = !candidates.empty() && candidates.front().mark == never;
	if (!anyUnmarked && attempt.mayReuse) {
		// Connecting fails, or would: a kept connection that has worked is tried first.
		std::optional<Candidate> kept;
		eachCandidate(attempt.places, attempt.identity, [&](const Candidate& candidate) {
			if (!kept && candidate.endpoint != nullptr && candidate.endpoint->badReplyAt == never &&
				candidate.endpoint->lastGood != never && !contains(attempt.looked, candidate.id())) {
				kept = candidate;
			}
		});
		if (kept) {
			return reuse(attempt, *kept, now);
		}
	}
	if (candidates.empty()) {
		return GiveUp{};
	}
	const auto& front = candidates.front();
	if (mustResolve(attempt, front.place, now)) {
		return resolve(attempt, front.place, candidates.size(), now);
	}

	Dial dial;
	for (const auto& candidate : candidates) {
		const bool joins =
			dial.order.empty() || (races(front) && races(candidate) && !mustResolve(attempt, candidate.place, now));
		if (joins) {
			dial.order.push_back(candidate.id());
		}
	}
	// Half of the remaining time: an even share of a short budget may be less than any connect takes, each time.
	const auto left = attempt.deadline - now;
	dial.until = dial.order.size() == candidates.size() ? attempt.deadline : now + left / 2;
	return dial;
}

Places::Step Places::reuse(const Attempt& attempt, const Candidate& candidate, Instant now) const
{
	const auto latency = candidate.endpoint->latency;
	const auto usual = std::max(_options.leastPatience, latency * _options.latencies);
	const auto left = attempt.deadline - now;
	const auto share = left / _options.patienceShare;
	// Not less than an answer takes, or no kept connection would ever bring one; but half is left for a fresh one, and
	// more where an answer takes more.
	const auto most = latency < left / 2 ? std::max(share, std::min(2 * latency, left / 2)) : share;
	return Reuse{candidate.id(), std::min(usual, most)};
}

/// Returns whether the place's name has to be resolved before one of its endpoints is dialled.
bool Places::mustResolve(const Attempt& attempt, PlaceId id, Instant now) const
{
	const Place& place = _places[id];
	if (place.name == Name::fixed || contains(attempt.resolved, id)) {
		return false;
	}
	if (place.resolvedAt == never || place.endpoints.empty()) {
		return true;
	}
	const auto age = now - place.resolvedAt;
	if (age >= _options.resolvedFor) {
		return true;
	}
	Instant lastMark = never;
	for (const auto& endpoint : place.endpoints) {
		const auto mark = isDialable(place, endpoint) ? markOf(endpoint, attempt.identity) : never;
		if (mark == never && endpoint.named) {
			return false;
		}
		lastMark = std::max(lastMark, mark);
	}
	return place.resolvedAt <= lastMark && age >= _options.resolvedAgainAfter;
}

Places::Step Places::resolve(const Attempt& attempt, PlaceId place, std::size_t left, Instant now) const
{
	const auto rest = attempt.deadline - now;
	if (_places[place].endpoints.empty()) {
		return Resolve{place, left == 1 ? attempt.deadline : now + rest / 2};
	}
	// A resolver that was slow is not waited for again: its answer counts when it comes.
	return Resolve{place, _places[place].name == Name::slow ? now : now + rest / _options.resolverShare};
}

void Places::nothingKept(Attempt& attempt, EndpointId endpoint) const
{
	attempt.looked.push_back(endpoint);
}

std::vector<Places::EndpointId> Places::resolved(
	Attempt& attempt, PlaceId id, std::span<const std::string> addresses, Instant now)
{
	attempt.resolved.push_back(id);
	Place& place = _places[id];
	place.name = Name::known;
	place.resolvedAt = now;
	place.resolvingFailedAt = never;

	std::vector<Endpoint> before = std::move(place.endpoints);
	place.endpoints.clear();
	for (const auto& address : addresses.first(std::min(addresses.size(), _options.mostNamed))) {
		const auto known = std::ranges::find(before, address, &Endpoint::address);
		if (known != before.end()) {
			place.endpoints.push_back(std::move(*known));
			before.erase(known);
		}
		else if (!std::ranges::any_of(place.endpoints, [&](const auto& one) { return one.address == address; })) {
			auto& endpoint = place.endpoints.emplace_back();
			endpoint.number = ++_lastNumber;
			endpoint.address = address;
		}
	}

	for (auto& endpoint : place.endpoints) {
		endpoint.named = true;
	}

	// Other endpoints without a mark stay, for their kept connections, and for when the resolver fails.
	std::vector<EndpointId> gone;
	std::ranges::stable_sort(before, std::greater(), &Endpoint::lastGood);
	std::size_t remembered = 0;
	for (auto& endpoint : before) {
		const bool isWell =
			endpoint.lastGood != never && endpoint.badReplyAt == never && endpoint.dialFailedAt == never;
		if (isWell && remembered < _options.mostRemembered) {
			++remembered;
			endpoint.named = false;
			place.endpoints.push_back(std::move(endpoint));
		}
		else {
			gone.push_back({id, endpoint.number});
		}
	}
	return gone;
}

void Places::resolverFailed(Attempt& attempt, PlaceId place, Instant now)
{
	attempt.resolved.push_back(place);
	_places[place].name = Name::failing;
	_places[place].resolvingFailedAt = now;
}

void Places::resolverIsSlow(Attempt& attempt, PlaceId place, Instant now)
{
	attempt.resolved.push_back(place);
	_places[place].name = Name::slow;
	_places[place].resolvingFailedAt = now;
}

void Places::dialFailed(Attempt& attempt, EndpointId id, Instant now)
{
	attempt.dialled.push_back(id);
	if (auto* endpoint = find(id)) {
		endpoint->dialFailedAt = now;
	}
}

void Places::handshakeFailed(Attempt& attempt, EndpointId id, Instant now)
{
	attempt.dialled.push_back(id);
	if (auto* endpoint = find(id)) {
		auto& failed = endpoint->handshakesFailed;
		const auto known = std::ranges::find(failed, attempt.identity, &IdentityMark::identity);
		if (known != failed.end()) {
			known->at = now;
		}
		else {
			failed.push_back({attempt.identity, now});
		}
	}
}

Instant Places::openBy(const Attempt& attempt, Instant now) const
{
	return toDial(attempt).size() <= 1 ? attempt.deadline : now + (attempt.deadline - now) / 2;
}

void Places::goodReply(const Attempt& attempt, EndpointId id, Duration firstByteAfter, Instant now)
{
	auto* endpoint = find(id);
	if (endpoint == nullptr) {
		return;
	}
	endpoint->lastGood = now;
	endpoint->badReplyAt = never;
	endpoint->dialFailedAt = never;
	std::erase_if(endpoint->handshakesFailed,
		[&attempt](const IdentityMark& failed) { return failed.identity == attempt.identity; });
	// Rises at once, falls slowly.
	endpoint->latency = std::max(firstByteAfter, endpoint->latency - (endpoint->latency - firstByteAfter) / 8);
}

bool Places::badReply(EndpointId id, Instant now)
{
	auto* endpoint = find(id);
	if (endpoint != nullptr) {
		endpoint->badReplyAt = now;
	}
	return endpoint != nullptr;
}

bool Places::keptSilent(Attempt& attempt, EndpointId endpoint, Instant now)
{
	attempt.mayReuse = false;
	return badReply(endpoint, now);
}

Places::PlaceId Places::first(std::span<const PlaceId> places, Identity identity) const
{
	if (places.size() == 1) {
		return places.front();
	}
	std::optional<Candidate> first;
	eachCandidate(places, identity, [&](const Candidate& candidate) {
		const auto lastGood = [](const Candidate& one) {
			return one.endpoint != nullptr ? one.endpoint->lastGood : never;
		};
		if (!first || candidate.mark < first->mark ||
			(candidate.mark == never && first->mark == never && lastGood(candidate) > lastGood(*first))) {
			first = candidate;
		}
	});
	return first->place;
}

const std::string* Places::address(EndpointId id) const
{
	const auto* endpoint = find(id);
	return endpoint != nullptr ? &endpoint->address : nullptr;
}

bool Places::isNameInTrouble(PlaceId place) const
{
	return _places[place].name == Name::failing || _places[place].name == Name::slow;
}

Places::Endpoint* Places::find(EndpointId id)
{
	return const_cast<Endpoint*>(std::as_const(*this).find(id));
}

const Places::Endpoint* Places::find(EndpointId id) const
{
	if (id.place >= _places.size()) {
		return nullptr;
	}
	const auto& endpoints = _places[id.place].endpoints;
	const auto found = std::ranges::find(endpoints, id.number, &Endpoint::number);
	return found != endpoints.end() ? &*found : nullptr;
}

} // namespace issuer::vault::transport
