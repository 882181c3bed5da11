#include "observe/web/connections.h"

#include <algorithm>
#include <fcntl.h>
#include <issuer/kit/signals_blocked.h>
#include <sys/socket.h>

namespace issuer::observe::web {

Connections::Connections(const Limits& limits) : _limits(limits)
{
	const kit::SignalsBlocked blocked;
	_thread = std::thread([this] { watch(); });
}

Connections::~Connections()
{
	{
		const std::lock_guard lock(_mutex);
		_closing = true;
	}
	_changed.notify_all();
	_thread.join();
}

bool Connections::admit(const void* key, int fd)
{
	Descriptor own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
	const std::lock_guard lock(_mutex);
	if (_closing || !own.valid() || (_all.size() >= _limits.most && !makeRoom())) {
		return false;
	}
	_all.insert_or_assign(key, Connection{std::move(own), false, Clock::now()});
	_changed.notify_all();
	return true;
}

void Connections::answering(const void* key)
{
	const std::lock_guard lock(_mutex);
	if (const auto found = _all.find(key); found != _all.end()) {
		found->second.isAnswering = true;
		found->second.since = Clock::now();
	}
}

void Connections::answered(const void* key)
{
	const std::lock_guard lock(_mutex);
	if (const auto found = _all.find(key); found != _all.end()) {
		found->second.isAnswering = false;
		found->second.since = Clock::now();
	}
}

void Connections::ended(const void* key)
{
	const std::lock_guard lock(_mutex);
	_all.erase(key);
}

void Connections::shutDownAll()
{
	const std::lock_guard lock(_mutex);
	while (!_all.empty()) {
		shutDown(_all.begin());
	}
	_closing = true;
}

/// Shuts a connection down and removes it from the list: its thread ends by itself.
void Connections::shutDown(All::iterator connection)
{
	::shutdown(connection->second.socket.get(), SHUT_RDWR);
	_all.erase(connection);
}

/// Shuts down the connection that has waited longest for a request, or else has been answered longest, but not one that
/// has just begun. Returns false if there is none.
bool Connections::makeRoom()
{
	constexpr std::chrono::seconds patience{2};
	const auto oldest = std::ranges::min_element(
		_all, {}, [](const auto& entry) { return std::pair(entry.second.isAnswering, entry.second.since); });
	if (oldest == _all.end() || (oldest->second.isAnswering && Clock::now() - oldest->second.since < patience)) {
		return false;
	}
	shutDown(oldest);
	return true;
}

void Connections::watch()
{
	const auto pause = std::min({_limits.request, _limits.answer, std::chrono::milliseconds(2'000)}) / 2;
	std::unique_lock lock(_mutex);
	while (!_closing) {
		if (_all.empty()) {
			_changed.wait(lock, [this] { return _closing || !_all.empty(); });
		}
		_changed.wait_for(lock, pause, [this] { return _closing; });
		const Clock::time_point now = Clock::now();
		for (auto entry = _all.begin(); entry != _all.end();) {
			const auto current = entry++;
			const Connection& connection = current->second;
			if (now - connection.since > (connection.isAnswering ? _limits.answer : _limits.request)) {
				shutDown(current);
			}
		}
	}
}

} // namespace issuer::observe::web
