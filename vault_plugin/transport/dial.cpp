#include "transport/dial.h"

#include "transport/wait.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
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
		if (!socket || !_all) {
			_lastError = errno;
			return false;
		}
		const int on = 1;
		::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		epoll_event event{};
		event.events = EPOLLOUT;
		if ((::connect(socket.get(), reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.size) != 0 &&
				errno != EINPROGRESS) ||
			::epoll_ctl(_all.get(), EPOLL_CTL_ADD, socket.get(), &event) != 0) {
			_lastError = errno;
			return false;
		}
		_sockets.push_back(std::move(socket));
		return true;
	}

	/// Readable when one of them has come to something.
	[[nodiscard]] int fd() const noexcept { return _all.get(); }

	/// The winner, if there is one by now; those that have failed are gone afterwards.
	[[nodiscard]] Descriptor winner()
	{
		Descriptor winner;
		std::erase_if(_sockets, [&](Descriptor& socket) {
			pollfd state{socket.get(), POLLOUT, 0};
			if (winner || ::poll(&state, 1, 0) <= 0) {
				return false;
			}
			int error = 0;
			socklen_t size = sizeof(error);
			::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
			if (error == 0) {
				winner = std::move(socket);
			}
			else {
				_lastError = error;
			}
			return true;
		});
		if (winner) {
			::epoll_ctl(_all.get(), EPOLL_CTL_DEL, winner.get(), nullptr);
		}
		return winner;
	}

	[[nodiscard]] bool empty() const noexcept { return _sockets.empty(); }
	[[nodiscard]] int lastError() const noexcept { return _lastError; }

private:
	Descriptor _all{::epoll_create1(EPOLL_CLOEXEC)}; ///< so that they can be waited for as one
	std::vector<Descriptor> _sockets;
	int _lastError = 0;
};

} // namespace

Task<Expected<Descriptor, ExchangeError>> dial(
	const std::vector<Endpoint>& endpoints, const std::string& peer, Deadline deadline)
{
	Race race;
	const auto end = endpoints.begin() + static_cast<std::ptrdiff_t>(std::min(endpoints.size(), mostAttempts));
	auto next = endpoints.begin();
	while (next != end || !race.empty()) {
		auto until = deadline;
		if (next != end) {
			if (!race.start(*next++)) {
				continue;
			}
			if (next != end) {
				until = std::min(deadline, std::chrono::steady_clock::now() + nextAttemptAfter);
			}
		}
		const Wake wake = co_await ready(race.fd(), POLLIN, until);
		if (wake == Wake::cancelled || (wake == Wake::timedOut && until == deadline)) {
			co_return tl::unexpected(endedBy(wake, peer, "connecting"));
		}
		if (auto winner = race.winner()) {
			co_return std::move(winner);
		}
	}
	co_return tl::unexpected(ExchangeError{ExchangeError::Kind::network, peer + ": " + reason(race.lastError())});
}

Task<Expected<Descriptor, ExchangeError>> dialUnix(const std::string& path, const std::string& peer, Deadline deadline)
{
	constexpr auto tryAgainAfter = std::chrono::milliseconds(10);
	sockaddr_un address{};
	address.sun_family = AF_UNIX;
	path.copy(address.sun_path, sizeof(address.sun_path) - 1);
	for (;;) {
		Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
		if (socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
			co_return std::move(socket);
		}
		if (errno != EAGAIN) {
			co_return tl::unexpected(ExchangeError{ExchangeError::Kind::network, peer + ": " + reason(errno)});
		}
		// The listener's queue is full, and no event tells when it has room.
		const auto again = std::min(deadline, std::chrono::steady_clock::now() + tryAgainAfter);
		const Wake wake = co_await ready(-1, 0, again);
		if (wake == Wake::cancelled || again == deadline) {
			co_return tl::unexpected(endedBy(wake, peer, "connecting"));
		}
	}
}

} // namespace issuer::vault::transport
