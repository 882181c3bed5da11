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

} // namespace

std::string hostHeader(const Address& address)
{
	if (address.scheme == Address::Scheme::unixSocket) {
		return "localhost";
	}
	const bool isIpv6 = address.host.find(':') != address.host.npos;
	// A zone (fe80::1%eth0) means something on this machine only.
	const auto host = address.host.substr(0, address.host.find('%'));
	const std::uint16_t usual = address.scheme == Address::Scheme::https ? 443 : 80;
	return (isIpv6 ? "[" + host + "]" : host) + (address.port == usual ? "" : ":" + std::to_string(address.port));
}

Result<WipedString> writeRequest(
	const HttpRequest& request, const Address& address, std::string_view userAgent, bool throughProxy)
{
	const bool isPrefixClean = address.prefix.empty() || isWord(address.prefix);
	if (!isPrefixClean || !isWord(request.method) || !isWord(request.path) || !request.path.starts_with('/')) {
		return failure("the request's method or path holds a blank or a control character");
	}
	const auto host = hostHeader(address);
	std::size_t size = 288 + address.prefix.size() + request.path.size() + host.size() * 2 + userAgent.size() +
					   request.secretHeader.size() + request.secret.size() + request.body.size();
	for (const auto& [name, value] : request.headers) {
		size += name.size() + value.size() + 4;
	}

	WipedString bytes;
	bytes.reserve(size); // at once: what growing leaves behind would have to be wiped, too
	bool clean = true;
	const auto header = [&](std::string_view name, std::string_view value) {
		clean = clean && isToken(name) && isClean(value);
		bytes.append(name).append(": ").append(value).append("\r\n");
	};

	bytes.append(request.method).append(" ");
	if (throughProxy) {
		bytes.append("http://").append(host);
	}
	bytes.append(address.prefix).append(request.path).append(" HTTP/1.1\r\n");
	header("Host", host);
	if (!userAgent.empty()) {
		header("User-Agent", userAgent);
	}
	header("Accept-Encoding", "identity"); // nothing here can unpack a body
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
