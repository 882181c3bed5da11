#pragma once

#include "base/time.h"
#include "transport/places.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace issuer::vault::transport {

/// The way of a connection: an endpoint, and how its ends prove themselves. Only requests of the same way may use it.
struct Way
{
	Places::EndpointId endpoint;
	Places::Identity identity = 0;

	friend bool operator==(const Way&, const Way&) = default;
};

/// A connection between two requests, with its times. Allocated once for its whole life, so that using it again
/// allocates nothing.
template <class Connection>
struct KeptConnection
{
	Way way;
	unsigned generation = 0; ///< generation of the identity's files it was made with
	Instant retires;         ///< it is not kept after this time, however busy it is
	Instant since;           ///< time of its last use
	Connection connection;

	KeptConnection* older = nullptr; ///< while it is kept: the next one in order of age, whatever its way
	KeptConnection* newer = nullptr;
};

/// Idle connections, by their way, and by age over all of them: plain bookkeeping without socket, clock or lock. Of a
/// way, the one used last is used next, so that in quiet times the rest age and are closed. Connections to be closed
/// are returned, for a caller that closes them outside its lock.
template <class Connection>
class Kept
{
public:
	using One = KeptConnection<Connection>;
	using Ptr = std::unique_ptr<One>;
	using Some = std::vector<Ptr>;

	static constexpr std::size_t mostOfAWay = 64;

	/// Takes the connection of `way` that was used last; null: there is none. Those of another generation are given up
	/// in passing.
	[[nodiscard]] Ptr take(const Way& way, unsigned generation, Some& closed)
	{
		auto* const ways = find(way.endpoint);
		const auto found = ways != nullptr ? ways->find(way.identity) : typename Ways::iterator();
		if (ways == nullptr || found == ways->end()) {
			return nullptr;
		}
		auto& idle = found->second;
		while (!idle.empty()) {
			Ptr one = std::move(idle.back());
			idle.pop_back();
			unlink(*one);
			if (one->generation == generation) {
				return one;
			}
			closed.push_back(std::move(one));
		}
		return nullptr;
	}

	/// Keeps `one`, unless its time to retire has come.
	void keep(Ptr one, Instant now, Some& closed)
	{
		if (now >= one->retires) {
			closed.push_back(std::move(one));
			return;
		}
		auto& idle = _endpoints[one->way.endpoint][one->way.identity];
		if (idle.size() >= mostOfAWay) {
			closed.push_back(std::move(idle.front()));
			unlink(*closed.back());
			idle.erase(idle.begin());
		}
		idle.push_back(nullptr); // may throw: nothing is linked yet
		one->since = now;
		link(*one);
		idle.back() = std::move(one);
	}

	/// Gives up the connections of an endpoint, whatever their identity.
	void dropEndpoint(Places::EndpointId endpoint, Some& closed)
	{
		const auto found = _endpoints.find(endpoint);
		if (found != _endpoints.end()) {
			for (auto& [identity, idle] : found->second) {
				drop(idle, closed);
			}
			_endpoints.erase(found);
		}
	}

	/// Gives up the connections of an identity that is not used any more.
	void dropIdentity(Places::Identity identity, Some& closed)
	{
		for (auto& [endpoint, ways] : _endpoints) {
			const auto found = ways.find(identity);
			if (found != ways.end()) {
				drop(found->second, closed);
				ways.erase(found);
			}
		}
	}

	/// Gives up the oldest connections, `most` at most, that were last used before `before`.
	void dropOldest(std::size_t most, Instant before, Some& closed)
	{
		for (; most > 0 && _oldest != nullptr && _oldest->since < before; --most) {
			closed.push_back(remove(*_oldest));
		}
	}
	void dropOldest(std::size_t most, Some& closed) { dropOldest(most, Instant::max(), closed); }

	/// Calls `isFit` with up to `most` connections that were last used after `after`, oldest first, and gives up those
	/// for which it returns false. Returns the last use of the last one visited; Instant::max(): there are no more.
	template <class IsFit>
	[[nodiscard]] Instant dropUnfit(Instant after, std::size_t most, IsFit&& isFit, Some& closed)
	{
		One* one = _oldest;
		while (one != nullptr && one->since <= after) {
			one = one->newer;
		}
		for (; one != nullptr && most > 0; --most) {
			One* const next = one->newer;
			after = one->since;
			if (!isFit(*one)) {
				closed.push_back(remove(*one));
			}
			one = next;
		}
		return one != nullptr ? after : Instant::max();
	}

	/// Removes ways without connections.
	void tidy()
	{
		for (auto& [endpoint, ways] : _endpoints) {
			std::erase_if(ways, [](const auto& way) { return way.second.empty(); });
		}
		std::erase_if(_endpoints, [](const auto& endpoint) { return endpoint.second.empty(); });
	}

	[[nodiscard]] std::size_t size() const noexcept { return _size; }

private:
	struct HashEndpoint
	{
		std::size_t operator()(const Places::EndpointId& id) const noexcept { return id.number; }
	};
	using Ways = std::unordered_map<Places::Identity, Some>; ///< oldest first

	[[nodiscard]] Ways* find(Places::EndpointId endpoint)
	{
		const auto found = _endpoints.find(endpoint);
		return found != _endpoints.end() ? &found->second : nullptr;
	}

	void link(One& one) noexcept
	{
		one.older = _newest;
		one.newer = nullptr;
		(_newest != nullptr ? _newest->newer : _oldest) = &one;
		_newest = &one;
		++_size;
	}
	void unlink(One& one) noexcept
	{
		(one.older != nullptr ? one.older->newer : _oldest) = one.newer;
		(one.newer != nullptr ? one.newer->older : _newest) = one.older;
		one.older = one.newer = nullptr;
		--_size;
	}
	[[nodiscard]] Ptr remove(One& one)
	{
		auto& idle = _endpoints[one.way.endpoint][one.way.identity];
		const auto found = std::ranges::find(idle, &one, &Ptr::get);
		Ptr removed = std::move(*found);
		idle.erase(found);
		unlink(*removed);
		return removed;
	}
	void drop(Some& idle, Some& closed)
	{
		closed.reserve(closed.size() + idle.size()); // reserved first, so that the rest cannot fail half-way
		for (auto& one : idle) {
			unlink(*one);
			closed.push_back(std::move(one));
		}
		idle.clear();
	}

	std::unordered_map<Places::EndpointId, Ways, HashEndpoint> _endpoints;
	One* _oldest = nullptr;
	One* _newest = nullptr;
	std::size_t _size = 0;
};

} // namespace issuer::vault::transport
