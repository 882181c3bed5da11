#include "fault_server/dead_ports.h"

#include "fault_server/listening.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace issuer::test {

BlackHole::BlackHole()
{
	const int listener = listenOnLoopback("127.0.0.1", 0, _port);
	_sockets.push_back(listener);
	sockaddr_in address{};
	address.sin_family = AF_INET;
	address.sin_port = htons(_port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	// One more than the queue holds; those after it never hear back.
	for (int i = 0; i < 3; ++i) {
		const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
		_sockets.push_back(fd);
	}
}

BlackHole::~BlackHole()
{
	for (const int fd : _sockets) {
		::close(fd);
	}
}

std::uint16_t closedPort()
{
	std::uint16_t port = 0;
	::close(listenOnLoopback("127.0.0.1", 1, port));
	return port;
}

} // namespace issuer::test
