#include "transport/settings.h"

#include "base/for_people.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace issuer::vault::transport {
namespace {

constexpr std::string_view unixPrefix = "unix://";

/// What sun_path of sockaddr_un holds, less its closing zero.
constexpr std::size_t longestSocketPath = 107;

tl::unexpected<Error> refuse(std::string_view text, std::string_view why)
{
	// Between the scheme and an '@' may stand a password.
	const bool mayHoldPassword = text.find('@') != text.npos;
	return failure((mayHoldPassword ? std::string("(not shown)") : "\"" + forPeople(text, 80) + "\"") + " " +
				   std::string(why) + "; an address looks like https://vault.example:8200 or unix:///run/vault.sock");
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
	// With the zone of a link-local address: fe80::1%eth0.
	return isHostCharacter(c) || c == ':' || c == '%';
}

} // namespace

Result<Address> Address::parse(std::string_view text)
{
	if (!std::all_of(text.begin(), text.end(), isVisibleAscii)) {
		return refuse(text.substr(0, 0), "holds a blank, a control or a non-ASCII character");
	}
	Address address;
	if (text.starts_with(unixPrefix)) {
		address.scheme = Scheme::unixSocket;
		address.socketPath = text.substr(unixPrefix.size());
		if (!address.socketPath.starts_with('/') || address.socketPath.size() < 2) {
			return refuse(text, "names no absolute socket path");
		}
		if (address.socketPath.size() > longestSocketPath) {
			return refuse(text, "is longer than a socket path may be (107 characters)");
		}
		return address;
	}

	const auto schemeEnd = text.find("://");
	if (schemeEnd == text.npos) {
		return refuse(text, "has no scheme");
	}
	const auto scheme = lowerCase(text.substr(0, schemeEnd));
	if (scheme != "https" && scheme != "http") {
		return refuse(text, "has a scheme other than https, http and unix");
	}
	address.scheme = scheme == "https" ? Scheme::https : Scheme::http;

	std::string_view rest = text.substr(schemeEnd + 3);
	if (rest.find_first_of("?#") != rest.npos) {
		return refuse(text, "has a query or a fragment");
	}
	const auto authority = rest.substr(0, rest.find('/'));
	if (authority.find('@') != authority.npos) {
		return refuse(text, "holds a user name or a password");
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
			return refuse(text, "opens a bracket and does not close it");
		}
		address.host = lowerCase(authority.substr(1, close - 1));
		const auto after = authority.substr(close + 1);
		if (!after.empty() && after.front() != ':') {
			return refuse(text, "has something other than a port after the bracket");
		}
		portGiven = !after.empty();
		port = after.substr(portGiven ? 1 : 0);
		if (address.host.find(':') == address.host.npos ||
			!std::all_of(address.host.begin(), address.host.end(), isIpv6Character)) {
			return refuse(text, "has no IPv6 address between its brackets");
		}
	}
	else {
		const auto colon = authority.find(':');
		portGiven = colon != authority.npos;
		address.host = lowerCase(authority.substr(0, colon));
		port = portGiven ? authority.substr(colon + 1) : std::string_view();
		if (port.find(':') != port.npos) {
			return refuse(text, "has several colons in its host; an IPv6 address stands in brackets");
		}
		if (!std::all_of(address.host.begin(), address.host.end(), isHostCharacter)) {
			return refuse(text, "has a character in its host that no host name has");
		}
	}
	if (address.host.empty()) {
		return refuse(text, "names no host");
	}
	if (!portGiven) {
		address.port = address.scheme == Scheme::https ? 443 : 80;
		return address;
	}
	const auto number = portOf(port);
	if (!number) {
		return refuse(text, "has a port that is not a number from 1 to 65535");
	}
	address.port = *number;
	return address;
}

std::string Address::text() const
{
	if (scheme == Scheme::unixSocket) {
		return std::string(unixPrefix) + socketPath;
	}
	const bool isIpv6 = host.find(':') != host.npos;
	return (scheme == Scheme::https ? "https://" : "http://") + (isIpv6 ? "[" + host + "]" : host) + ":" +
		   std::to_string(port) + prefix;
}

} // namespace issuer::vault::transport
