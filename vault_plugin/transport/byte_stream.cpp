#include "transport/byte_stream.h"

#include <cerrno>
#include <sys/socket.h>

namespace issuer::vault::transport {

namespace {

bool wouldBlock() noexcept
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

} // namespace

ByteStream::ByteStream(Descriptor connected) : StreamSocketImpl(connected.release())
{
	setBlocking(false);
}

bool ByteStream::isQuiet() const noexcept
{
	char byte = 0;
	return ::recv(sockfd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

int ByteStream::receiveBytes(void* buffer, int length, int flags)
{
	const auto received = ::recv(sockfd(), buffer, static_cast<std::size_t>(length), flags);
	if (received < 0 && !wouldBlock()) {
		error();
	}
	return static_cast<int>(received);
}

int ByteStream::sendBytes(const void* buffer, int length, int flags)
{
	const auto sent = ::send(sockfd(), buffer, static_cast<std::size_t>(length), flags | MSG_NOSIGNAL);
	if (sent < 0 && !wouldBlock()) {
		error();
	}
	return static_cast<int>(sent);
}

} // namespace issuer::vault::transport
