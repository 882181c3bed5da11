#include "transport/socket_bio.h"

#include <cerrno>
#include <sys/socket.h>

namespace issuer::vault::transport {
namespace {

/// The type number of the BIO. BIO_get_new_index() would give a free one, but counts up to 127 in a process and never
/// down: a library that is loaded again and again would find none left. No code looks for a BIO by this number.
constexpr int kind = BIO_TYPE_SOURCE_SINK | 127;

BioSocket& socketOf(BIO* bio) noexcept
{
	return *static_cast<BioSocket*>(BIO_get_data(bio));
}

bool mayBeRepeated(int error) noexcept
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

int write(BIO* bio, const char* data, int size) noexcept
{
	auto& socket = socketOf(bio);
	BIO_clear_retry_flags(bio);
	const auto sent = ::send(socket.fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
	if (sent < 0) {
		mayBeRepeated(errno) ? BIO_set_retry_write(bio) : static_cast<void>(socket.error = errno);
	}
	return static_cast<int>(sent);
}

int read(BIO* bio, char* data, int size) noexcept
{
	auto& socket = socketOf(bio);
	BIO_clear_retry_flags(bio);
	const auto received = ::recv(socket.fd, data, static_cast<std::size_t>(size), 0);
	if (received < 0) {
		mayBeRepeated(errno) ? BIO_set_retry_read(bio) : static_cast<void>(socket.error = errno);
	}
	socket.atEnd = received == 0;
	return static_cast<int>(received);
}

long control(BIO* bio, int command, long, void*) noexcept
{
	switch (command) {
	case BIO_CTRL_EOF: // by this OpenSSL 3 tells a missing close_notify from an error of the socket
		return socketOf(bio).atEnd ? 1 : 0;
	case BIO_CTRL_FLUSH:
		return 1;
	default:
		return 0;
	}
}

} // namespace

BioMethodPtr makeSocketMethod() noexcept
{
	BioMethodPtr method(BIO_meth_new(kind, "socket without SIGPIPE"));
	if (method && (BIO_meth_set_write(method.get(), &write) != 1 || BIO_meth_set_read(method.get(), &read) != 1 ||
					  BIO_meth_set_ctrl(method.get(), &control) != 1)) {
		method.reset();
	}
	return method;
}

BioPtr makeSocketBio(const BIO_METHOD& method, BioSocket& socket) noexcept
{
	BioPtr bio(BIO_new(&method));
	if (bio) {
		BIO_set_data(bio.get(), &socket);
		BIO_set_init(bio.get(), 1);
	}
	return bio;
}

} // namespace issuer::vault::transport
