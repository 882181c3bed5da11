#include "transport/proxy.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>

namespace issuer::vault::transport {
namespace {

/// A numeric address as bits: 4 or 16 bytes.
struct Numeric
{
	std::array<unsigned char, 16> bytes{};
	unsigned bits = 0;
};

std::optional<Numeric> numeric(const std::string& text)
{
	Numeric result;
	if (::inet_pton(AF_INET, text.c_str(), result.bytes.data()) == 1) {
		result.bits = 32;
		return result;
	}
	if (::inet_pton(AF_INET6, text.c_str(), result.bytes.data()) == 1) {
		result.bits = 128;
		return result;
	}
	return std::nullopt;
}

bool shareFirstBits(const Numeric& a, const Numeric& b, unsigned bits)
{
	const auto whole = static_cast<std::ptrdiff_t>(bits / 8);
	const unsigned rest = bits % 8;
	if (a.bits != b.bits || !std::equal(a.bytes.begin(), a.bytes.begin() + whole, b.bytes.begin())) {
		return false;
	}
	const auto last = static_cast<std::size_t>(whole);
	return rest == 0 || (a.bytes[last] >> (8 - rest)) == (b.bytes[last] >> (8 - rest));
}

template <class Number>
std::optional<Number> wholeNumber(std::string_view digits)
{
	Number value = 0;
	const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
	return error == std::errc() && end == digits.data() + digits.size() ? std::optional(value) : std::nullopt;
}

bool isLoopback(const std::string& host)
{
	const auto number = numeric(host);
	if (!number) {
		return host == "localhost" || host.ends_with(".localhost");
	}
	return shareFirstBits(*number, *numeric("127.0.0.0"), 8) || shareFirstBits(*number, *numeric("::1"), 128);
}

bool isInBlock(const std::string& host, const std::string& block)
{
	const auto slash = block.find('/');
	const auto address = numeric(host);
	const auto base = numeric(block.substr(0, slash));
	if (!address || !base) {
		return false;
	}
	const auto bits =
		slash == block.npos ? base->bits : wholeNumber<unsigned>(std::string_view(block).substr(slash + 1));
	return bits && *bits <= base->bits && shareFirstBits(*address, *base, *bits);
}

/// One entry of NO_PROXY.
bool covers(std::string entry, const Address& target)
{
	if (entry == "*") {
		return true;
	}
	const bool bracketed = entry.starts_with('[');
	const auto colon = entry.rfind(':');
	const bool hasPort = colon != entry.npos && (bracketed ? entry[colon - 1] == ']' : entry.find(':') == colon);
	if (hasPort) {
		if (wholeNumber<std::uint16_t>(std::string_view(entry).substr(colon + 1)) != target.port) {
			return false;
		}
		entry.resize(colon);
	}
	if (bracketed && entry.ends_with(']')) {
		entry = entry.substr(1, entry.size() - 2);
	}
	if (isInBlock(target.host, entry)) {
		return true;
	}
	const auto name = entry.substr(entry.find_first_not_of("*.") == entry.npos ? 0 : entry.find_first_not_of("*."));
	return !name.empty() && (target.host == name || target.host.ends_with("." + name));
}

std::vector<std::string> listOf(const std::string& text)
{
	std::vector<std::string> entries;
	std::string entry;
	for (const char c : text + ",") {
		if (c != ',' && c != ' ' && c != '\t') {
			entry += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
		}
		else if (!entry.empty()) {
			entries.push_back(std::move(entry));
			entry.clear();
		}
	}
	return entries;
}

Result<std::optional<Address>> proxyAddress(std::string text, const std::string& origin)
{
	if (text.empty()) {
		return std::nullopt;
	}
	if (text.find("://") == text.npos) {
		text.insert(0, "http://"); // as curl and Go read "proxy:3128"
	}
	auto address = Address::parse(text);
	if (!address) {
		return failure(origin + ": " + address.error().text);
	}
	if (address->scheme != Address::Scheme::http) {
		return failure(origin + " is " + address->text() + "; a proxy is reached by http://host:port");
	}
	address->prefix.clear();
	return std::optional(std::move(*address));
}

} // namespace

Result<Proxies> Proxies::from(const std::string& setting, const Environment& environment)
{
	Proxies proxies;
	if (setting.empty()) {
		return proxies;
	}
	if (setting != "environment") {
		auto address = proxyAddress(setting, "proxy");
		if (!address) {
			return tl::unexpected(address.error());
		}
		proxies._http = proxies._https = *address;
		return proxies;
	}

	const auto either = [&](const char* lower, const char* upper) {
		const auto value = environment(lower);
		return value ? *value : environment(upper).value_or("");
	};
	auto http = proxyAddress(either("http_proxy", "HTTP_PROXY"), "environment variable HTTP_PROXY");
	auto https = proxyAddress(either("https_proxy", "HTTPS_PROXY"), "environment variable HTTPS_PROXY");
	if (!http || !https) {
		return tl::unexpected(!http ? http.error() : https.error());
	}
	proxies._http = std::move(*http);
	proxies._https = std::move(*https);
	proxies._exceptions = listOf(either("no_proxy", "NO_PROXY"));
	proxies._exceptLoopback = true;
	return proxies;
}

std::optional<Address> Proxies::between(const Address& target) const
{
	switch (target.scheme) {
	case Address::Scheme::unixSocket:
		return std::nullopt;
	case Address::Scheme::http:
		return isExcepted(target) ? std::nullopt : _http;
	case Address::Scheme::https:
		return isExcepted(target) ? std::nullopt : _https;
	}
	return std::nullopt;
}

bool Proxies::isExcepted(const Address& target) const
{
	return (_exceptLoopback && isLoopback(target.host)) ||
		   std::any_of(
			   _exceptions.begin(), _exceptions.end(), [&](const std::string& entry) { return covers(entry, target); });
}

} // namespace issuer::vault::transport
