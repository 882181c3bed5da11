#include "base/sanitize.h"
#include "wire/echo.h"
#include "wire/reply_content.h"
#include "wire/verdicts.h"
#include "wire/wire.h"

#include <algorithm>
#include <charconv>

namespace issuer::vault::wire {
namespace {

using renewal::Answer;
using renewal::Operation;
using renewal::Reason;
using renewal::Trouble;

Trouble malformed(std::string text)
{
	return {Trouble::Kind::malformed, Reason::malformed, std::nullopt, std::move(text)};
}

/// Returns whether a warning says that the token's life was cut. A cut period does not count: a period above the
/// mount's maximum is granted again and again.
bool tellsOfCap(std::string_view warning)
{
	return warning.find("exceeded the effective max_ttl") != std::string_view::npos &&
		   !warning.starts_with("period of");
}

std::string statusOf(const HttpReply& reply)
{
	return "HTTP " + std::to_string(reply.status);
}

/// Returns the reply's words for the operator, in one line; empty if it has none.
std::string saidIn(const HttpReply& reply, const ReplyContent& content)
{
	if (!reply.coding.empty()) {
		return "compressed (" + sanitize(reply.coding, 20) + "): something before the server does that";
	}
	std::string all;
	for (const auto& word : content.words) {
		all += (all.empty() ? "" : "; ") + word;
	}
	return sanitize(all);
}

Answer classifySuccess(Operation operation, const HttpReply& reply, const ReplyContent& content)
{
	const auto butNot = [&](std::string_view text) {
		return malformed(statusOf(reply) + ", but " + std::string(text));
	};
	if (!content.object) {
		const auto said = saidIn(reply, content);
		return butNot("not with an answer of Vault's; check that the address is that of Vault itself" +
					  (said.empty() ? "" : " (" + said + ")"));
	}
	switch (operation) {
	case Operation::lookUp:
		if (content.token) {
			return *content.token;
		}
		return butNot("the look-up does not tell the token's TTL; check proxies and gateways before the server");
	case Operation::renew:
		if (content.lease && *content.lease > Duration::zero()) {
			return renewal::Grant{*content.lease, std::ranges::any_of(content.warnings, tellsOfCap), content.renewable};
		}
		if (!content.lease && content.wrapped) {
			return renewal::WrappedGrant{};
		}
		return butNot("the renewal names no lease; check proxies and gateways before the server");
	}
	return malformed({}); // unreachable: the switch names every operation
}

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

/// Classifies a redirect that arrives here: it was not followed, or its target did not take the request.
Trouble classifyRedirect(Operation operation, HttpReply& reply, std::string_view token)
{
	hideToken(reply.location, token);
	const auto status = statusOf(reply);
	if (reply.location.empty()) {
		return malformed(status + " without a target; check proxies and gateways before the server");
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
	if (keepsMethod && target->path.ends_with(pathOf(operation))) {
		return {Trouble::Kind::serverAway, Reason::server, std::nullopt,
			status + " to " + sanitize(origin) +
				", which did not answer or is not trusted; a cluster says this while its leader is away"};
	}
	const std::string_view relative(reply.location);
	const auto path = target ? target->path : relative.substr(0, relative.find_first_of("?#"));
	return configuration(status + " to " + sanitize(origin + std::string(path)) +
						 ", not followed: no server of Vault's sends a renewal there, but the sign-on page of a proxy; "
						 "check proxies and gateways before the server");
}

/// Returns the seconds of Retry-After, if they are a whole number above 0. A date is ignored: it is meant for another
/// clock, and Vault sends none.
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

Trouble classifyRefusal(const HttpReply& reply, const ReplyContent& content)
{
	Words words;
	// A 204 has no body, and no proxy answers with one.
	words.vaults = content.vaultsWords || reply.status == 204;
	std::ranges::transform(content.words, std::back_inserter(words.texts), normalised);

	const auto& verdict = findVerdict(reply.status, words);
	Trouble trouble{verdict.kind, verdict.reason, std::nullopt, std::string(verdict.advice)};
	if (trouble.kind == Trouble::Kind::throttled || trouble.kind == Trouble::Kind::serverAway) {
		trouble.retryAfter = retryAfter(reply);
	}
	const auto said = saidIn(reply, content);
	trouble.detail += " (" + statusOf(reply) + (said.empty() ? "" : ": " + said) + ")";
	return trouble;
}

} // namespace

Answer classify(Operation operation, HttpReply& reply, std::string_view token)
{
	const auto content = readReply(reply.body, token);
	// 204 is a valid answer to a renewal, never to a look-up.
	if (reply.status == 200 || (reply.status == 204 && operation == Operation::lookUp)) {
		return classifySuccess(operation, reply, content);
	}
	if (reply.status >= 300 && reply.status < 400) {
		return classifyRedirect(operation, reply, token);
	}
	return classifyRefusal(reply, content);
}

Answer classify(const ExchangeError& error)
{
	using Kind = ExchangeError::Kind;
	Trouble trouble{Trouble::Kind::transport, Reason::network, std::nullopt, error.text, error.unsent};
	switch (error.kind) {
	case Kind::cancelled:
		trouble.kind = Trouble::Kind::cancelled;
		trouble.reason = Reason::none;
		break;
	case Kind::timeout:
		trouble.reason = Reason::timeout;
		break;
	case Kind::network:
		break;
	case Kind::tls:
		trouble.kind = Trouble::Kind::configuration;
		trouble.reason = Reason::tls;
		break;
	case Kind::malformed:
		trouble.kind = Trouble::Kind::malformed;
		trouble.reason = Reason::malformed;
		break;
	case Kind::configuration:
		trouble.kind = Trouble::Kind::configuration;
		trouble.reason = Reason::config;
		break;
	}
	return trouble;
}

} // namespace issuer::vault::wire
