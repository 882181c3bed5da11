#include "transport/proxy.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <initializer_list>

namespace issuer::vault::transport {
namespace {

/// A numeric address as bytes: 4 or 16.
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

/// Returns the host of a target as NO_PROXY lists it: without the dot behind a complete name, and without a zone.
std::string listedHost(const Address& target)
{
	auto host = target.host.substr(0, target.host.find('%'));
	if (host.ends_with('.')) {
		host.pop_back();
	}
	return host;
}

/// Returns whether one entry of NO_PROXY covers the target.
bool covers(std::string entry, const Address& target)
{
	const auto host = listedHost(target);
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
	if (isInBlock(host, entry)) {
		return true;
	}
	if (entry.starts_with('*')) {
		entry.erase(0, 1);
	}
	const bool isWhole = !entry.starts_with('.');
	const auto below = (isWhole ? "." : "") + entry;
	return below.size() > 1 && ((isWhole && host == entry) || host.ends_with(below));
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

} // namespace

Proxies Proxies::fromEnvironment(const Environment& environment)
{
	std::string found; ///< name of the variable
	const auto value = [&](std::initializer_list<const char*> names) {
		for (const auto* name : names) {
			if (const auto* const text = environment(name); text != nullptr && *text != '\0') {
				found = name;
				return std::string_view(text);
			}
		}
		return std::string_view();
	};
	const auto proxyIn = [&](std::initializer_list<const char*> names) -> Choice {
		const auto text = value(names);
		if (text.empty()) {
			return std::nullopt;
		}
		return Address::parseProxy(text)
			.map([](Address address) { return std::optional(std::move(address)); })
			.map_error([&](const Error& error) { return Error{"environment variable " + found + " " + error.text}; });
	};

	Proxies proxies;
	auto everywhere = proxyIn({"BAO_PROXY_ADDR", "VAULT_PROXY_ADDR", "BAO_HTTP_PROXY", "VAULT_HTTP_PROXY"});
	if (!everywhere || *everywhere) {
		proxies._http = proxies._https = std::move(everywhere);
		return proxies;
	}
	proxies._http = proxyIn({"HTTP_PROXY", "http_proxy"});
	proxies._https = proxyIn({"HTTPS_PROXY", "https_proxy"});
	proxies._exceptions = listOf(std::string(value({"NO_PROXY", "no_proxy"})));
	proxies._exceptLoopback = true;
	return proxies;
}

Result<Proxies> Proxies::from(const Settings& settings, const Proxies& environment)
{
	if (settings.proxy.empty()) {
		return Proxies();
	}
	if (settings.proxy == "environment") {
		return environment;
	}
	auto address = Address::parseProxy(settings.proxy);
	if (!address) {
		return failure("proxy " + address.error().text);
	}
	if (!settings.proxyAuthorization.empty()) {
		address->authorization = settings.proxyAuthorization;
	}
	Proxies proxies;
	proxies._http = proxies._https = std::optional(std::move(*address));
	return proxies;
}

Result<std::optional<Address>> Proxies::proxyFor(const Address& target) const
{
	switch (target.scheme) {
	case Address::Scheme::unixSocket:
		return std::nullopt;
	case Address::Scheme::http:
		return isExcepted(target) ? std::nullopt : _http;
	case Address::Scheme::https:
		return isExcepted(target) ? std::nullopt : _https;
	}
	return std::nullopt; // unreachable: there is no other scheme
}

bool Proxies::isExcepted(const Address& target) const
{
	return (_exceptLoopback && isLoopback(listedHost(target))) ||
		   std::any_of(
			   _exceptions.begin(), _exceptions.end(), [&](const std::string& entry) { return covers(entry, target); });
}

} // namespace issuer::vault::transport
