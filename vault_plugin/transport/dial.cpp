#include "transport/dial.h"

#include "transport/wait.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <system_error>

namespace issuer::vault::transport {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto nextAttemptAfter = std::chrono::milliseconds(250);
/// Interval of retries when the queue of a unix socket's listener is full: no event tells when it has room.
constexpr auto queueFullRetry = std::chrono::milliseconds(10);

bool meansOutOfDescriptors(int error)
{
	return error == EMFILE || error == ENFILE;
}

/// The connects under way.
class Race
{
public:
	explicit Race(Dialled& result) : _result(result) {}

	/// Starts the connect that has been counted already.
	void start(const SocketAddress& address, bool alone)
	{
		const auto index = _result.begun - 1;
		Descriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
		if (!socket) {
			fail(index, errno);
			return;
		}
		const int on = 1;
		::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.address), address.size) != 0 &&
			errno != EINPROGRESS) {
			fail(index, errno);
			return;
		}
		if (!alone && !join(socket.get())) {
			fail(index, errno);
			return;
		}
		_runners.push_back({std::move(socket), index});
	}

	/// Returns a descriptor that becomes ready for POLLOUT or POLLIN when one of the connects has ended.
	[[nodiscard]] int fd() const noexcept { return _all ? _all.get() : _runners.front().socket.get(); }

	/// Removes those that have failed, and the winner, if there is one by now: then returns true.
	[[nodiscard]] bool settle()
	{
		std::erase_if(_runners, [&](Runner& runner) {
			pollfd state{runner.socket.get(), POLLOUT, 0};
			if (_result.socket || ::poll(&state, 1, 0) <= 0) {
				return false;
			}
			int error = 0;
			socklen_t size = sizeof(error);
			::getsockopt(runner.socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
			if (error == 0) {
				_result.socket = std::move(runner.socket);
				_result.winner = runner.index;
			}
			else {
				fail(runner.index, error);
			}
			return true;
		});
		if (_result.socket && _all) {
			::epoll_ctl(_all.get(), EPOLL_CTL_DEL, _result.socket.get(), nullptr);
		}
		return static_cast<bool>(_result.socket);
	}

	[[nodiscard]] bool empty() const noexcept { return _runners.empty(); }

private:
	struct Runner
	{
		Descriptor socket;
		std::size_t index;
	};

	void fail(std::size_t index, int error)
	{
		if (meansOutOfDescriptors(error)) {
			_result.outOfDescriptors = true;
			--_result.begun;
			return;
		}
		_result.failed.emplace_back(index, error);
	}

	bool join(int socket)
	{
		if (!_all) {
			_all = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
		}
		epoll_event event{};
		event.events = EPOLLOUT;
		return _all && ::epoll_ctl(_all.get(), EPOLL_CTL_ADD, socket, &event) == 0;
	}

	Dialled& _result;
	Descriptor _all; ///< an epoll over several connects; with one alone, its own socket is waited for
	std::vector<Runner> _runners;
};

Task<Dialled> dialUnix(const SocketAddress& address, Deadline deadline)
{
	Dialled result;
	for (;;) {
		Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
		if (socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.address), address.size) == 0) {
			result.socket = std::move(socket);
			co_return result;
		}
		if (meansOutOfDescriptors(errno)) {
			result.outOfDescriptors = true;
			co_return result;
		}
		result.begun = 1;
		if (errno != EAGAIN) {
			result.failed.emplace_back(0, errno);
			co_return result;
		}
		const auto again = std::min(deadline, Clock::now() + queueFullRetry);
		const Wake wake = co_await ready(-1, 0, again);
		if (wake == Wake::cancelled || again == deadline) {
			result.wake = wake;
			co_return result;
		}
	}
}

} // namespace

Task<Dialled> dial(const std::vector<SocketAddress>& addresses, Deadline deadline)
{
	const bool alone = addresses.size() == 1;
	if (alone && addresses.front().family() == AF_UNIX) {
		co_return co_await dialUnix(addresses.front(), deadline);
	}
	Dialled result;
	Race race(result);
	for (;;) {
		auto until = deadline;
		if (!result.outOfDescriptors && result.begun < addresses.size()) {
			race.start(addresses[result.begun++], alone);
			if (race.empty()) {
				continue;
			}
			if (!result.outOfDescriptors && result.begun < addresses.size()) {
				until = std::min(deadline, Clock::now() + nextAttemptAfter);
			}
		}
		else if (race.empty()) {
			co_return result;
		}
		const Wake wake = co_await ready(race.fd(), alone ? POLLOUT : POLLIN, until);
		if (wake == Wake::cancelled || (wake == Wake::timedOut && until == deadline)) {
			result.wake = wake;
			co_return result;
		}
		if (race.settle()) {
			co_return result;
		}
	}
}

bool isOutOfDescriptors() noexcept
{
	const Descriptor probe(::eventfd(0, EFD_CLOEXEC));
	return !probe && meansOutOfDescriptors(errno);
}

std::string connectError(int error)
{
	auto text = std::generic_category().message(error);
	if (!text.empty()) {
		text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
	}
	return text;
}

} // namespace issuer::vault::transport
