#include "transport/dial.h"

#include "transport/wait.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <system_error>

namespace issuer::vault::transport {
namespace {

constexpr auto nextAttemptAfter = std::chrono::milliseconds(250);
constexpr std::size_t mostAttempts = 16;

std::string reason(int error)
{
	auto text = std::generic_category().message(error);
	if (!text.empty()) {
		text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
	}
	return text;
}

/// The attempts at one peer that are under way.
class Race
{
public:
	/// Starts an attempt. False: it failed at once, see lastError().
	bool start(const Endpoint& endpoint)
	{
		Descriptor socket(::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
		if (!socket) {
			_lastError = errno;
			return false;
		}
		const int on = 1;
		::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.size) != 0 &&
			errno != EINPROGRESS) {
			_lastError = errno;
			return false;
		}
		_polls.push_back({socket.get(), POLLOUT, 0});
		_sockets.push_back(std::move(socket));
		return true;
	}

	/// Waits for an answer. The winner, if there is one; those that lost are gone afterwards.
	Expected<Descriptor, Wake> wait(const Limits& limits, std::chrono::steady_clock::time_point until)
	{
		const auto wake = waitFor(_polls, limits, until);
		if (wake != Wake::ready) {
			return tl::unexpected(wake);
		}
		for (std::size_t i = _polls.size(); i-- > 0;) {
			if (_polls[i].revents == 0) {
				continue;
			}
			int error = 0;
			socklen_t size = sizeof(error);
			::getsockopt(_polls[i].fd, SOL_SOCKET, SO_ERROR, &error, &size);
			if (error == 0) {
				return std::move(_sockets[i]);
			}
			_lastError = error;
			_polls.erase(_polls.begin() + static_cast<std::ptrdiff_t>(i));
			_sockets.erase(_sockets.begin() + static_cast<std::ptrdiff_t>(i));
		}
		return Descriptor();
	}

	[[nodiscard]] bool empty() const noexcept { return _sockets.empty(); }
	[[nodiscard]] int lastError() const noexcept { return _lastError; }

private:
	std::vector<Descriptor> _sockets;
	std::vector<pollfd> _polls;
	int _lastError = 0;
};

} // namespace

Expected<Descriptor, ExchangeError> dial(
	const std::vector<Endpoint>& endpoints, const std::string& peer, const Limits& limits)
{
	using std::chrono::steady_clock;
	Race race;
	const auto end = endpoints.begin() + static_cast<std::ptrdiff_t>(std::min(endpoints.size(), mostAttempts));
	auto next = endpoints.begin();
	while (next != end || !race.empty()) {
		auto until = steady_clock::time_point::max();
		if (next != end) {
			if (!race.start(*next++)) {
				continue;
			}
			if (next != end) {
				until = steady_clock::now() + nextAttemptAfter;
			}
		}
		auto winner = race.wait(limits, until);
		if (!winner) {
			return tl::unexpected(endedBy(winner.error(), peer, "connecting"));
		}
		if (*winner) {
			return std::move(*winner);
		}
	}
	return tl::unexpected(ExchangeError{ExchangeError::Kind::network, peer + ": " + reason(race.lastError())});
}

Expected<Descriptor, ExchangeError> dialUnix(const std::string& path, const std::string& peer, const Limits& limits)
{
	constexpr auto tryAgainAfter = std::chrono::milliseconds(10);
	sockaddr_un address{};
	address.sun_family = AF_UNIX;
	path.copy(address.sun_path, sizeof(address.sun_path) - 1);
	for (;;) {
		Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
		if (socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
			return socket;
		}
		if (errno != EAGAIN) {
			return tl::unexpected(ExchangeError{ExchangeError::Kind::network, peer + ": " + reason(errno)});
		}
		// The listener's queue is full, and no event tells when it has room.
		const auto wake = waitFor({}, limits, std::chrono::steady_clock::now() + tryAgainAfter);
		if (wake != Wake::ready) {
			return tl::unexpected(endedBy(wake, peer, "connecting"));
		}
	}
}

} // namespace issuer::vault::transport
