#include "transport/base64.h"
#include "transport/settings.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace issuer::vault::transport {
namespace {

constexpr std::string_view unixPrefix = "unix://";

/// Most bytes of a path in sun_path of sockaddr_un, without its closing zero.
constexpr std::size_t longestSocketPath = 107;

tl::unexpected<Error> refuse(std::string_view why)
{
	return failure(std::string(why) + "; an address looks like https://vault.example:8200 or unix:///run/vault.sock");
}

tl::unexpected<Error> refuseProxy(std::string_view why)
{
	return failure(std::string(why) + "; a proxy's address looks like http://proxy.example:3128");
}

bool isVisibleAscii(char c)
{
	return c > ' ' && c < '\x7f';
}

std::optional<std::uint16_t> portOf(std::string_view digits)
{
	std::uint16_t port = 0;
	const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
	if (error != std::errc() || end != digits.data() + digits.size() || port == 0) {
		return std::nullopt;
	}
	return port;
}

std::string lowerCase(std::string_view text)
{
	std::string lower(text);
	std::transform(lower.begin(), lower.end(), lower.begin(),
		[](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
	return lower;
}

bool isHostCharacter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool isIpv6Character(char c)
{
	// '%' begins the zone of a link-local address: fe80::1%eth0.
	return isHostCharacter(c) || c == ':' || c == '%';
}

/// Returns `fe80::1%eth0` for `fe80::1%25eth0`, the way a URL writes a zone (RFC 6874), and for the common
/// `fe80::1%eth0`.
std::string withPlainZone(std::string host)
{
	constexpr std::string_view escaped = "%25";
	const auto zone = host.find('%');
	if (zone != host.npos && host.compare(zone, escaped.size(), escaped) == 0 && zone + escaped.size() < host.size()) {
		host.erase(zone + 1, escaped.size() - 1);
	}
	return host;
}

int hexDigit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
		   : c >= 'a' && c <= 'f' ? c - 'a' + 10
		   : c >= 'A' && c <= 'F' ? c - 'A' + 10
								  : -1;
}

/// Replaces the escapes of a URL. Returns nothing if one is malformed.
std::optional<WipedString> unescaped(std::string_view text)
{
	WipedString plain;
	plain.reserve(text.size() + 16); // at once, and long enough to live on the heap, where it is wiped
	for (std::size_t at = 0; at < text.size(); ++at) {
		if (text[at] != '%') {
			plain += text[at];
			continue;
		}
		const int high = at + 2 < text.size() ? hexDigit(text[at + 1]) : -1;
		const int low = at + 2 < text.size() ? hexDigit(text[at + 2]) : -1;
		if (high < 0 || low < 0) {
			return std::nullopt;
		}
		plain += static_cast<char>(high * 16 + low);
		at += 2;
	}
	return plain;
}

/// Returns the header line that presents `user`, "name:password" as written in a URL (RFC 7617).
std::optional<WipedString> basicAuthorization(std::string_view user)
{
	if (!std::all_of(user.begin(), user.end(), isVisibleAscii)) {
		return std::nullopt;
	}
	const auto colon = std::min(user.find(':'), user.size());
	const auto name = unescaped(user.substr(0, colon));
	const auto password = unescaped(user.substr(std::min(colon + 1, user.size())));
	if (!name || !password) {
		return std::nullopt;
	}
	WipedString pair;
	pair.reserve(name->size() + password->size() + 16);
	pair.append(*name).append(":").append(*password);
	WipedString line;
	line.reserve(64 + pair.size() * 2); // at once: growing would leave copies behind
	line.append("Proxy-Authorization: Basic ");
	appendBase64(line, pair);
	line.append("\r\n");
	return line;
}

} // namespace

Result<Address> Address::parse(std::string_view text)
{
	if (!std::all_of(text.begin(), text.end(), isVisibleAscii)) {
		return refuse("holds a blank, a control or a non-ASCII character");
	}
	Address address;
	if (text.starts_with(unixPrefix)) {
		address.scheme = Scheme::unixSocket;
		address.socketPath = text.substr(unixPrefix.size());
		if (!address.socketPath.starts_with('/') || address.socketPath.size() < 2) {
			return refuse("names no absolute socket path");
		}
		if (address.socketPath.size() > longestSocketPath) {
			return refuse("is longer than a socket path may be (107 characters)");
		}
		return address;
	}

	const auto schemeEnd = text.find("://");
	if (schemeEnd == text.npos) {
		return refuse("has no scheme");
	}
	const auto scheme = lowerCase(text.substr(0, schemeEnd));
	if (scheme != "https" && scheme != "http") {
		return refuse("has a scheme other than https, http and unix");
	}
	address.scheme = scheme == "https" ? Scheme::https : Scheme::http;

	std::string_view rest = text.substr(schemeEnd + 3);
	if (rest.find_first_of("?#") != rest.npos) {
		return refuse("has a query or a fragment");
	}
	const auto authority = rest.substr(0, rest.find('/'));
	if (authority.find('@') != authority.npos) {
		return refuse("holds a user name or a password");
	}
	std::string_view prefix = rest.substr(authority.size());
	while (prefix.ends_with('/')) {
		prefix.remove_suffix(1);
	}
	address.prefix = prefix;

	std::string_view port;
	bool portGiven = false;
	if (authority.starts_with('[')) {
		const auto close = authority.find(']');
		if (close == authority.npos) {
			return refuse("opens a bracket and does not close it");
		}
		address.host = withPlainZone(lowerCase(authority.substr(1, close - 1)));
		const auto after = authority.substr(close + 1);
		if (!after.empty() && after.front() != ':') {
			return refuse("has something other than a port after the bracket");
		}
		portGiven = !after.empty();
		port = after.substr(portGiven ? 1 : 0);
		if (address.host.find(':') == address.host.npos ||
			!std::all_of(address.host.begin(), address.host.end(), isIpv6Character)) {
			return refuse("has no IPv6 address between its brackets");
		}
	}
	else {
		const auto colon = authority.find(':');
		portGiven = colon != authority.npos;
		address.host = lowerCase(authority.substr(0, colon));
		port = portGiven ? authority.substr(colon + 1) : std::string_view();
		if (port.find(':') != port.npos) {
			return refuse("has several colons in its host; an IPv6 address stands in brackets");
		}
		if (!std::all_of(address.host.begin(), address.host.end(), isHostCharacter)) {
			return refuse("has a character in its host that no host name has");
		}
	}
	if (address.host.empty() || address.host == ".") {
		return refuse("names no host");
	}
	if (!portGiven) {
		address.port = address.scheme == Scheme::https ? 443 : 80;
		return address;
	}
	const auto number = portOf(port);
	if (!number) {
		return refuse("has a port that is not a number from 1 to 65535");
	}
	address.port = *number;
	return address;
}

Result<Address> Address::parseProxy(std::string_view text)
{
	const auto schemeEnd = text.find("://");
	const auto scheme = schemeEnd == text.npos ? "http" : lowerCase(text.substr(0, schemeEnd));
	if (scheme.starts_with("socks")) {
		return refuseProxy("names a SOCKS proxy, which is not supported");
	}
	if (scheme != "http") {
		return refuseProxy("names a proxy that is not reached over plain http, which is not supported");
	}
	auto rest = schemeEnd == text.npos ? text : text.substr(schemeEnd + 3);
	const auto authority = rest.substr(0, rest.find_first_of("/?#"));
	const auto at = authority.rfind('@');
	WipedString authorization;
	if (at != authority.npos) {
		auto line = basicAuthorization(authority.substr(0, at));
		if (!line) {
			return refuseProxy(
				"has a user name or a password that is not written as in a URL: as visible ASCII, the rest as %XX");
		}
		authorization = std::move(*line);
		rest.remove_prefix(at + 1);
	}
	while (rest.ends_with('/')) {
		rest.remove_suffix(1);
	}
	auto proxy = parse("http://" + std::string(rest));
	if (!proxy || !proxy->prefix.empty()) {
		return refuseProxy(
			proxy ? "has a path" : std::string_view(proxy.error().text).substr(0, proxy.error().text.find(';')));
	}
	proxy->authorization = std::move(authorization);
	return proxy;
}

std::string Address::text() const
{
	if (scheme == Scheme::unixSocket) {
		return std::string(unixPrefix) + socketPath;
	}
	auto shown = host;
	if (host.find(':') != host.npos) {
		const auto zone = host.find('%');
		shown = "[" + (zone == host.npos ? host : host.substr(0, zone) + "%25" + host.substr(zone + 1)) + "]";
	}
	return (scheme == Scheme::https ? "https://" : "http://") + shown + ":" + std::to_string(port) + prefix;
}

} // namespace issuer::vault::transport
