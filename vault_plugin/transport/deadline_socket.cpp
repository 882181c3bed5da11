#include "transport/deadline_socket.h"

#include <Poco/Exception.h>

#include <cerrno>
#include <sys/socket.h>

namespace issuer::vault::transport {

DeadlineSocket::DeadlineSocket(Descriptor connected) : StreamSocketImpl(connected.release()) {}

void DeadlineSocket::limitTo(const Limits& limits)
{
	_limits = limits;
	_wake = Wake::ready;
}

bool DeadlineSocket::isQuiet() const noexcept
{
	char byte = 0;
	return ::recv(sockfd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool DeadlineSocket::poll(const Poco::Timespan&, int mode)
{
	const auto events =
		static_cast<short>(((mode & SELECT_READ) != 0 ? POLLIN : 0) | ((mode & SELECT_WRITE) != 0 ? POLLOUT : 0));
	_wake = waitFor(sockfd(), events, _limits);
	return _wake == Wake::ready;
}

int DeadlineSocket::receiveBytes(void* buffer, int length, int flags)
{
	for (;;) {
		// Waiting first saves the failing recv: a reply is never there already.
		if (!poll({}, SELECT_READ)) {
			throw Poco::TimeoutException();
		}
		const auto received = ::recv(sockfd(), buffer, static_cast<std::size_t>(length), flags | MSG_DONTWAIT);
		if (received >= 0) {
			return static_cast<int>(received);
		}
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
			error();
		}
	}
}

int DeadlineSocket::sendBytes(const void* buffer, int length, int flags)
{
	for (;;) {
		const auto sent =
			::send(sockfd(), buffer, static_cast<std::size_t>(length), flags | MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent >= 0) {
			return static_cast<int>(sent);
		}
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
			error();
		}
		if (!poll({}, SELECT_WRITE)) {
			throw Poco::TimeoutException();
		}
	}
}

} // namespace issuer::vault::transport
