#include "transport/request_writer.h"

#include "transport/characters.h"

namespace issuer::vault::transport {
namespace {

using characters::isClean;
using characters::isToken;
using characters::isWord;

bool wantsLength(const HttpRequest& request)
{
	return !request.body.empty() || (request.method != "GET" && request.method != "HEAD");
}

std::string hostName(const Address& address)
{
	auto host = address.host.substr(0, address.host.find('%'));
	if (host.ends_with('.')) {
		host.pop_back();
	}
	const bool isIpv6 = host.find(':') != host.npos;
	return isIpv6 ? "[" + host + "]" : host;
}

} // namespace

std::string hostHeader(const Address& address)
{
	if (address.scheme == Address::Scheme::unixSocket) {
		return "localhost";
	}
	const std::uint16_t usual = address.scheme == Address::Scheme::https ? 443 : 80;
	auto host = hostName(address);
	if (address.port != usual) {
		host.append(":").append(std::to_string(address.port));
	}
	return host;
}

WipedString writeConnect(const Address& address, const Address& proxy)
{
	const auto target = hostName(address) + ":" + std::to_string(address.port);
	WipedString bytes;
	bytes.reserve(64 + 2 * target.size() + proxy.authorization.size());
	bytes.append("CONNECT ").append(target).append(" HTTP/1.1\r\nHost: ").append(target).append("\r\n");
	bytes.append(proxy.authorization).append("\r\n");
	return bytes;
}

Result<WipedString> writeRequest(
	const HttpRequest& request, const Address& address, std::string_view userAgent, const Address* forwarder)
{
	const bool isPrefixClean = address.prefix.empty() || isWord(address.prefix);
	if (!isPrefixClean || !isWord(request.method) || !isWord(request.path) || !request.path.starts_with('/')) {
		return failure("the request's method or path holds a blank or a control character");
	}
	const auto host = hostHeader(address);
	std::size_t size = 288 + address.prefix.size() + request.path.size() + host.size() * 2 + userAgent.size() +
					   request.secretHeader.size() + request.secret.size() + request.body.size() +
					   (forwarder != nullptr ? forwarder->authorization.size() : 0);
	for (const auto& [name, value] : request.headers) {
		size += name.size() + value.size() + 4;
	}

	WipedString bytes;
	bytes.reserve(size); // at once: growing would leave copies behind
	bool clean = true;
	const auto header = [&](std::string_view name, std::string_view value) {
		clean = clean && isToken(name) && isClean(value);
		bytes.append(name).append(": ").append(value).append("\r\n");
	};

	bytes.append(request.method).append(" ");
	if (forwarder != nullptr) {
		bytes.append("http://").append(host);
	}
	bytes.append(address.prefix).append(request.path).append(" HTTP/1.1\r\n");
	header("Host", host);
	if (forwarder != nullptr) {
		bytes.append(forwarder->authorization);
	}
	if (!userAgent.empty()) {
		header("User-Agent", userAgent);
	}
	header("Accept-Encoding", "identity"); // no coding can be unpacked here
	for (const auto& [name, value] : request.headers) {
		header(name, value);
	}
	if (!clean) {
		return failure("a header of the request holds a control character");
	}
	if (!request.secretHeader.empty()) {
		header(request.secretHeader, request.secret);
	}
	if (!clean) {
		return failure("the token holds a control character; is the right file configured?");
	}
	if (wantsLength(request)) {
		header("Content-Length", std::to_string(request.body.size()));
	}
	bytes.append("\r\n").append(request.body);
	return bytes;
}

} // namespace issuer::vault::transport
