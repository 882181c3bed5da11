#include "transport/socket_address.h"

#include "transport/resolver.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace issuer::vault::transport {

void SocketAddress::setPort(std::uint16_t port) noexcept
{
	if (family() == AF_INET) {
		reinterpret_cast<sockaddr_in&>(address).sin_port = htons(port);
	}
	else if (family() == AF_INET6) {
		reinterpret_cast<sockaddr_in6&>(address).sin6_port = htons(port);
	}
}

std::string SocketAddress::bytes() const
{
	return {reinterpret_cast<const char*>(&address), size};
}

SocketAddress SocketAddress::from(std::string_view bytes) noexcept
{
	SocketAddress result;
	result.size = static_cast<socklen_t>(std::min(bytes.size(), sizeof(result.address)));
	std::memcpy(&result.address, bytes.data(), result.size);
	return result;
}

SocketAddress SocketAddress::ofUnixSocket(std::string_view path) noexcept
{
	SocketAddress result;
	auto& address = reinterpret_cast<sockaddr_un&>(result.address);
	address.sun_family = AF_UNIX;
	path.copy(address.sun_path, sizeof(address.sun_path) - 1);
	result.size = sizeof(address);
	return result;
}

std::string SocketAddress::text() const
{
	char host[NI_MAXHOST] = "";
	if (family() != AF_UNIX) {
		static_cast<void>(::getnameinfo(
			reinterpret_cast<const sockaddr*>(&address), size, host, sizeof(host), nullptr, 0, NI_NUMERICHOST));
	}
	return host;
}

std::vector<SocketAddress> numericAddresses(const std::string& host)
{
	return Resolver::askSystem(host, AI_NUMERICHOST).addresses;
}

std::vector<std::string> inOrder(const std::vector<SocketAddress>& addresses, std::uint16_t port)
{
	std::deque<SocketAddress> favourite;
	std::deque<SocketAddress> other;
	for (const auto& address : addresses) {
		(address.family() == addresses.front().family() ? favourite : other).push_back(address);
	}
	std::vector<std::string> result;
	while (!favourite.empty() || !other.empty()) {
		for (auto* queue : {&favourite, &other}) {
			if (!queue->empty()) {
				queue->front().setPort(port);
				result.push_back(queue->front().bytes());
				queue->pop_front();
			}
		}
	}
	return result;
}

} // namespace issuer::vault::transport
