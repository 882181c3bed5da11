#include "wire/reply_parts.h"

#include "base/sanitize.h"
#include "wire/echo.h"

#include <algorithm>
#include <charconv>

namespace issuer::vault::wire {
namespace {

using renewal::Reason;
using renewal::Trouble;

/// The parts of an absolute address, without user info and query.
struct Location
{
	std::string_view scheme; ///< with "://"
	std::string_view authority;
	std::string_view path;
};

/// Splits an absolute address. Returns nothing for one that is relative or empty.
std::optional<Location> absolute(std::string_view location)
{
	const auto schemeEnd = location.find_first_of(":/?#");
	if (schemeEnd == std::string_view::npos || !location.substr(schemeEnd).starts_with("://")) {
		return std::nullopt;
	}
	const auto rest = location.substr(schemeEnd + 3);
	const auto authority = rest.substr(0, rest.find_first_of("/?#"));
	const auto behind = rest.substr(authority.size());
	return Location{location.substr(0, schemeEnd + 3), authority.substr(authority.rfind('@') + 1), // npos + 1 is 0
		behind.substr(0, behind.find_first_of("?#"))};
}

} // namespace

std::string statusOf(const HttpReply& reply)
{
	return "HTTP " + std::to_string(reply.status);
}

std::string saidIn(const HttpReply& reply, std::span<const std::string> words)
{
	if (!reply.coding.empty()) {
		return "compressed (" + sanitize(reply.coding, 20) + "): something before the server does that";
	}
	std::string all;
	for (const auto& word : words) {
		all += (all.empty() ? "" : "; ") + word;
	}
	return sanitize(all);
}

bool tellsOfCap(std::string_view warning)
{
	return warning.find("exceeded the effective max_ttl") != std::string_view::npos &&
		   !warning.starts_with("period of");
}

std::optional<Duration> retryAfter(const HttpReply& reply)
{
	std::int64_t seconds = 0;
	const std::string_view text = reply.retryAfter;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
	if (error != std::errc() || end != text.data() + text.size() || seconds <= 0) {
		return std::nullopt;
	}
	constexpr std::int64_t longest = std::chrono::seconds(std::chrono::days(1)).count();
	return std::chrono::seconds(std::min(seconds, longest));
}

renewal::Trouble classifyRedirect(std::string_view path, HttpReply& reply, std::span<const std::string_view> secrets)
{
	const auto asSent = absolute(reply.location);
	const bool toOtherServer = asSent && asSent->path.ends_with(path);
	for (const auto secret : secrets) {
		hideToken(reply.location, secret);
	}
	const auto status = statusOf(reply);
	if (reply.location.empty()) {
		return {Trouble::Kind::malformed, Reason::malformed, std::nullopt,
			status + " without a target; check proxies and gateways before the server"};
	}
	const auto configuration = [](std::string text) {
		return Trouble{Trouble::Kind::configuration, Reason::config, std::nullopt, std::move(text)};
	};
	const bool keepsMethod = reply.status == 307 || reply.status == 308;
	const auto target = absolute(reply.location);
	if (!target && keepsMethod) {
		return configuration(status +
							 " to another path of the same server: the path of the address is not clean; check it for "
							 "// and ..");
	}
	const auto origin = target ? std::string(target->scheme) + std::string(target->authority) : std::string();
	if (keepsMethod && toOtherServer) {
		return {Trouble::Kind::serverAway, Reason::server, std::nullopt,
			status + " to " + sanitize(origin) +
				", which did not answer or is not trusted; a cluster says this while its leader is away"};
	}
	const std::string_view relative(reply.location);
	const auto wrongPath = target ? target->path : relative.substr(0, relative.find_first_of("?#"));
	return configuration(
		status + " to " + sanitize(origin + std::string(wrongPath)) +
		", not followed: no server of Vault's sends this request there, but the sign-on page of a proxy; "
		"check proxies and gateways before the server");
}

} // namespace issuer::vault::wire
