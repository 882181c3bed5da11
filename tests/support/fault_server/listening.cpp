#include "fault_server/listening.h"

#include <arpa/inet.h>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>

namespace issuer::test {

void require(bool condition, const char* what)
{
	if (!condition) {
		throw std::runtime_error(std::string("fault server: ") + what);
	}
}

int listenOnLoopback(const std::string& host, int backlog, std::uint16_t& port)
{
	sockaddr_storage address{};
	socklen_t size = 0;
	if (host.find(':') != host.npos) {
		auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
		v6.sin6_family = AF_INET6;
		::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr);
		size = sizeof(v6);
	}
	else {
		auto& v4 = reinterpret_cast<sockaddr_in&>(address);
		v4.sin_family = AF_INET;
		::inet_pton(AF_INET, host.c_str(), &v4.sin_addr);
		size = sizeof(v4);
	}
	reinterpret_cast<sockaddr_in&>(address).sin_port = htons(port); // at the same place in both families
	const int fd = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(fd, backlog) == 0,
		"cannot listen");
	::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
	port = ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
	return fd;
}

int listenOnUnix(const std::filesystem::path& path)
{
	sockaddr_un address{};
	address.sun_family = AF_UNIX;
	path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
	const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 && ::listen(fd, 64) == 0,
		"cannot listen on a unix socket");
	return fd;
}

} // namespace issuer::test
