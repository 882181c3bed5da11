#include "connection.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <sys/socket.h>

namespace issuer::bench {
namespace {

std::size_t bodySize(std::string_view head)
{
	constexpr std::string_view name = "Content-Length: ";
	const auto at = head.find(name);
	std::size_t size = 0;
	if (at != head.npos) {
		std::from_chars(head.data() + at + name.size(), head.data() + head.size(), size);
	}
	return size;
}

} // namespace

Connection::Connection(vault::Descriptor fd, SSL_CTX* tls) : _fd(std::move(fd))
{
	if (tls != nullptr) {
		_ssl.reset(SSL_new(tls));
		SSL_set_fd(_ssl.get(), _fd.get());
		SSL_set_accept_state(_ssl.get());
	}
}

bool Connection::receive()
{
	std::array<char, 4096> room;
	for (;;) {
		ssize_t count = 0;
		if (_ssl) {
			count = SSL_read(_ssl.get(), room.data(), room.size());
			if (count <= 0) {
				return SSL_get_error(_ssl.get(), static_cast<int>(count)) == SSL_ERROR_WANT_READ;
			}
		}
		else {
			count = ::recv(_fd.get(), room.data(), room.size(), 0);
			if (count <= 0) {
				return count < 0 && errno == EAGAIN;
			}
		}
		_received.append(room.data(), static_cast<std::size_t>(count));
		if (static_cast<std::size_t>(count) < room.size()) {
			return true; // epoll tells when there is more
		}
	}
}

std::string_view Connection::nextRequest()
{
	_received.erase(0, std::exchange(_taken, 0));
	const auto end = _received.find("\r\n\r\n");
	if (end == _received.npos) {
		return {};
	}
	const auto head = std::string_view(_received).substr(0, end + 4);
	const auto size = head.size() + bodySize(head);
	if (_received.size() < size) {
		return {};
	}
	_taken = size;
	return std::string_view(_received).substr(0, size);
}

void Connection::send(std::string_view reply)
{
	if (_ssl) {
		SSL_write(_ssl.get(), reply.data(), static_cast<int>(reply.size()));
	}
	else {
		static_cast<void>(::send(_fd.get(), reply.data(), reply.size(), MSG_NOSIGNAL));
	}
}

} // namespace issuer::bench
