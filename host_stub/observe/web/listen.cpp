#include "observe/web/listen.h"

#include "common/text.h"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <netinet/in.h>

namespace issuer::observe::web {

namespace {

Result<std::uint16_t> parsePort(std::string_view text)
{
	std::uint16_t port = 0;
	const auto [end, error] = std::from_chars(text.begin(), text.end(), port);
	if (error != std::errc() || end != text.end()) {
		return failure("\"" + sanitize(text) + "\" is not a port");
	}
	return port;
}

bool isAddress(const std::string& host)
{
	std::array<unsigned char, sizeof(in6_addr)> ignored{};
	return ::inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
		   ::inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

} // namespace

bool ListenAddress::isLoopback() const
{
	in_addr four{};
	in6_addr six{};
	return (::inet_pton(AF_INET, host.c_str(), &four) == 1 && ::ntohl(four.s_addr) >> 24 == 127) ||
		   (::inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
}

std::string ListenAddress::text() const
{
	const std::string number = ':' + std::to_string(port);
	return host.find(':') == std::string::npos ? host + number : '[' + host + ']' + number;
}

Result<ListenAddress> parseListenAddress(std::string_view text)
{
	const std::size_t colon = text.rfind(':');
	std::string_view host = colon == std::string_view::npos ? "127.0.0.1" : text.substr(0, colon);
	const Result<std::uint16_t> port = parsePort(colon == std::string_view::npos ? text : text.substr(colon + 1));
	if (!port) {
		return failure(port.error().text + "; an address such as 127.0.0.1:9464 is wanted");
	}
	if (host.starts_with('[') && host.ends_with(']')) {
		host = host.substr(1, host.size() - 2);
	}
	else if (host == "localhost") {
		host = "127.0.0.1";
	}
	else if (host.empty()) {
		host = "0.0.0.0";
	}
	if (!isAddress(std::string(host))) {
		return failure("\"" + sanitize(host) + "\" is not an IP address; one such as 127.0.0.1:9464 is wanted");
	}
	return ListenAddress{std::string(host), *port};
}

Result<void> mayListen(const Settings& settings)
{
	if (settings.listen.isLoopback() || settings.tls || settings.plainPublic) {
		return {};
	}
	return failure("http would be open to the network on " + settings.listen.text() +
				   " without TLS; give it \"tls\", listen on 127.0.0.1, or write \"plain_public\": true");
}

} // namespace issuer::observe::web
