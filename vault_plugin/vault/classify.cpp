#include "vault/reply_content.h"
#include "vault/verdicts.h"
#include "vault/wire.h"

#include <algorithm>
#include <charconv>

namespace issuer::vault::wire {
namespace {

using renewal::Answer;
using renewal::Operation;
using renewal::Reason;
using renewal::Trouble;

constexpr std::size_t longestBody = std::size_t{64} * 1024;

Trouble malformed(std::string text)
{
	return {Trouble::Kind::malformed, Reason::malformed, std::nullopt, std::move(text)};
}

/// The cut of a life, not that of a period: a period above the mount's maximum is granted anew for ever.
bool tellsOfCap(std::string_view warning)
{
	return warning.find("exceeded the effective max_ttl") != std::string_view::npos && !warning.starts_with("period of");
}

Answer classifySuccess(Operation operation, const ReplyContent& content)
{
	if (!content.object) {
		return malformed("HTTP 200, but not with an answer of Vault's; check that the address is that of Vault itself");
	}
	switch (operation) {
	case Operation::lookUp:
		if (content.token) {
			return *content.token;
		}
		return malformed("HTTP 200, but the look-up does not tell the token's TTL; check what stands before the server");
	case Operation::renew:
		if (content.lease && *content.lease > Duration::zero()) {
			return renewal::Grant{*content.lease, std::ranges::any_of(content.warnings, tellsOfCap)};
		}
		if (!content.lease && content.wrapped) {
			return renewal::WrappedGrant{};
		}
		return malformed("HTTP 200, but the renewal names no lease; check what stands before the server");
	}
	return malformed({}); // no other operation
}

/// Scheme and authority of an absolute address, without user info; empty for a relative one.
std::string originOf(std::string_view location)
{
	const auto scheme = location.find("://");
	if (scheme == std::string_view::npos || location.starts_with('/')) {
		return {};
	}
	const auto authority = location.substr(scheme + 3, location.substr(scheme + 3).find_first_of("/?#"));
	const auto host = authority.substr(authority.find('@') == std::string_view::npos ? 0 : authority.rfind('@') + 1);
	return std::string(location.substr(0, scheme + 3)) + std::string(host);
}

/// One that arrives here was not followed, or its target did not take the request.
Trouble classifyRedirect(const HttpReply& reply)
{
	const auto status = "HTTP " + std::to_string(reply.status);
	if (!reply.location || reply.location->empty()) {
		return malformed(status + " without a target; check what stands before the server");
	}
	if (const auto origin = originOf(*reply.location); !origin.empty()) {
		return {Trouble::Kind::serverAway, Reason::server, std::nullopt,
			status + " to " + forPeople(origin) +
				", which did not answer or is not trusted; a cluster says this while its leader is away"};
	}
	return {Trouble::Kind::configuration, Reason::config, std::nullopt,
		status + " to another path of the same server: the path of the address is not clean; check it for // and .."};
}

/// Whole seconds > 0. A date is ignored: the clock it is meant for is not ours, and Vault sends none.
std::optional<Duration> retryAfter(const HttpReply& reply)
{
	std::int64_t seconds = 0;
	const auto text = std::string_view(reply.retryAfter ? *reply.retryAfter : std::string_view());
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
	if (error != std::errc() || end != text.data() + text.size() || seconds <= 0) {
		return std::nullopt;
	}
	constexpr std::int64_t longest = std::chrono::seconds(std::chrono::days(1)).count();
	return std::chrono::seconds(std::min(seconds, longest));
}

Trouble classifyRefusal(const HttpReply& reply, const ReplyContent& content)
{
	std::vector<std::string> texts;
	std::ranges::transform(content.errors, std::back_inserter(texts), normalised);
	if (!content.object) {
		texts.push_back(normalised(std::string_view(reply.body).substr(0, 1024)));
	}

	const auto& verdict = findVerdict(reply.status, texts);
	Trouble trouble{verdict.kind, verdict.reason, std::nullopt, std::string(verdict.advice)};
	if (trouble.kind == Trouble::Kind::throttled || trouble.kind == Trouble::Kind::serverAway) {
		trouble.retryAfter = retryAfter(reply);
	}
	trouble.detail += " (HTTP " + std::to_string(reply.status);
	for (const auto& error : content.errors) {
		trouble.detail += ": " + forPeople(error);
	}
	trouble.detail += ")";
	return trouble;
}

} // namespace

Answer classify(Operation operation, HttpReply& reply)
{
	const auto content = readReply(reply.body);
	if (reply.status == 200) {
		return classifySuccess(operation, content);
	}
	if (reply.status >= 300 && reply.status < 400) {
		return classifyRedirect(reply);
	}
	return classifyRefusal(reply, content);
}

Answer classify(const ExchangeError& error)
{
	using Kind = ExchangeError::Kind;
	switch (error.kind) {
	case Kind::cancelled:
		return Trouble{Trouble::Kind::cancelled, Reason::none, std::nullopt, error.text};
	case Kind::timeout:
		return Trouble{Trouble::Kind::transport, Reason::timeout, std::nullopt, error.text};
	case Kind::network:
		return Trouble{Trouble::Kind::transport, Reason::network, std::nullopt, error.text};
	case Kind::tls:
		return Trouble{Trouble::Kind::configuration, Reason::tls, std::nullopt, error.text};
	case Kind::malformed:
		return malformed(error.text);
	case Kind::configuration:
		return Trouble{Trouble::Kind::configuration, Reason::config, std::nullopt, error.text};
	}
	return malformed(error.text); // no other kind
}

} // namespace issuer::vault::wire
