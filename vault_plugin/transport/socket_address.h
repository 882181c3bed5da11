#pragma once

#include "transport/settings.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace issuer::vault::transport {

/// A socket address of any family.
struct SocketAddress
{
	sockaddr_storage address{};
	socklen_t size = 0;

	[[nodiscard]] int family() const noexcept { return address.ss_family; }
	void setPort(std::uint16_t port) noexcept; ///< no effect on a unix socket's

	/// Returns the bytes by which Places knows it.
	[[nodiscard]] std::string bytes() const;
	[[nodiscard]] static SocketAddress from(std::string_view bytes) noexcept;
	[[nodiscard]] static SocketAddress ofUnixSocket(std::string_view path) noexcept;

	/// Returns it for messages, without the port: "192.0.2.1"; of a unix socket, empty.
	[[nodiscard]] std::string text() const;
};

/// Returns the addresses of a numeric host, with port 0; none for a name. Never blocks.
[[nodiscard]] std::vector<SocketAddress> numericAddresses(const std::string& host);

/// Returns the addresses in the order to be tried: families alternate, the first one's first, so that an unreachable
/// family costs one attempt and not one for each of its addresses (RFC 8305, section 4).
[[nodiscard]] std::vector<std::string> inOrder(const std::vector<SocketAddress>& addresses, std::uint16_t port);

} // namespace issuer::vault::transport
