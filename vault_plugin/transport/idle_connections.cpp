#include "transport/idle_connections.h"

#include <algorithm>
#include <iterator>

namespace issuer::vault::transport {
namespace {

/// Where the bytes go: the prefix is only part of the path.
bool isSamePlace(const Address& a, const Address& b)
{
	return a.scheme == b.scheme && a.port == b.port && a.host == b.host && a.socketPath == b.socketPath;
}

} // namespace

std::unique_ptr<Connection> IdleConnections::take(const Address& address, unsigned generation, Time now)
{
	for (;;) {
		std::vector<Idle> old; // closed on the way out, without the lock
		Idle candidate;
		{
			const std::lock_guard lock(_mutex);
			old = removeOld(now);
			const auto found = std::find_if(_idle.rbegin(), _idle.rend(),
				[&](const Idle& idle) { return isSamePlace(idle.connection->address(), address); });
			if (found == _idle.rend()) {
				return nullptr;
			}
			candidate = std::move(*found);
			_idle.erase(std::next(found).base());
		}
		const bool isFit = now - candidate.since < fresh || candidate.connection->isQuiet();
		if (isFit && candidate.connection->generation() == generation) {
			return std::move(candidate.connection);
		}
	}
}

void IdleConnections::keep(std::unique_ptr<Connection> connection, Time now)
{
	std::vector<Idle> old;
	const std::lock_guard lock(_mutex);
	old = removeOld(now);
	if (_idle.size() >= most) {
		old.push_back(std::move(_idle.front()));
		_idle.erase(_idle.begin());
	}
	_idle.push_back({std::move(connection), now});
}

void IdleConnections::clear()
{
	const std::lock_guard lock(_mutex);
	_idle.clear();
}

std::vector<IdleConnections::Idle> IdleConnections::removeOld(Time now)
{
	const auto young =
		std::find_if(_idle.begin(), _idle.end(), [now](const Idle& idle) { return now - idle.since <= longestIdle; });
	std::vector<Idle> old(std::make_move_iterator(_idle.begin()), std::make_move_iterator(young));
	_idle.erase(_idle.begin(), young);
	return old;
}

} // namespace issuer::vault::transport
