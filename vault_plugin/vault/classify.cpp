#include "base/for_people.h"
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

Trouble malformed(std::string text)
{
	return {Trouble::Kind::malformed, Reason::malformed, std::nullopt, std::move(text)};
}

/// The server's words for people. A proxy that repeats the request does not get the token into a log.
std::string quoted(std::string words, std::string_view token)
{
	constexpr std::string_view hidden = "…";
	for (auto at = token.empty() ? words.npos : words.find(token); at != words.npos;
		 at = words.find(token, at + hidden.size())) {
		words.replace(at, token.size(), hidden);
	}
	return forPeople(words);
}

/// The cut of a life, not that of a period: a period above the mount's maximum is granted anew for ever.
bool tellsOfCap(std::string_view warning)
{
	return warning.find("exceeded the effective max_ttl") != std::string_view::npos &&
		   !warning.starts_with("period of");
}

std::string statusOf(const HttpReply& reply)
{
	return "HTTP " + std::to_string(reply.status);
}

Answer classifySuccess(Operation operation, const HttpReply& reply, const ReplyContent& content)
{
	const auto butNot = [&](std::string_view text) {
		return malformed(statusOf(reply) + ", but " + std::string(text));
	};
	if (!content.object) {
		return butNot("not with an answer of Vault's; check that the address is that of Vault itself");
	}
	switch (operation) {
	case Operation::lookUp:
		if (content.token) {
			return *content.token;
		}
		return butNot("the look-up does not tell the token's TTL; check what stands before the server");
	case Operation::renew:
		if (content.lease && *content.lease > Duration::zero()) {
			return renewal::Grant{*content.lease, std::ranges::any_of(content.warnings, tellsOfCap), content.renewable};
		}
		if (!content.lease && content.wrapped) {
			return renewal::WrappedGrant{};
		}
		return butNot("the renewal names no lease; check what stands before the server");
	}
	return malformed({}); // no other operation
}

/// Scheme and authority of an absolute address, without user info; empty for a relative one.
std::string originOf(std::string_view location)
{
	const auto schemeEnd = location.find_first_of(":/?#");
	if (schemeEnd == std::string_view::npos || !location.substr(schemeEnd).starts_with("://")) {
		return {};
	}
	const auto rest = location.substr(schemeEnd + 3);
	const auto authority = rest.substr(0, rest.find_first_of("/?#"));
	const auto host = authority.substr(authority.rfind('@') + 1); // npos + 1 is 0
	return std::string(location.substr(0, schemeEnd + 3)) + std::string(host);
}

/// One that arrives here was not followed, or its target did not take the request.
Trouble classifyRedirect(const HttpReply& reply, std::string_view token)
{
	const auto status = statusOf(reply);
	if (reply.location.empty()) {
		return malformed(status + " without a target; check what stands before the server");
	}
	if (const auto origin = originOf(reply.location); !origin.empty()) {
		return {Trouble::Kind::serverAway, Reason::server, std::nullopt,
			status + " to " + quoted(origin, token) +
				", which did not answer or is not trusted; a cluster says this while its leader is away"};
	}
	return {Trouble::Kind::configuration, Reason::config, std::nullopt,
		status + " to another path of the same server: the path of the address is not clean; check it for // and .."};
}

/// Whole seconds > 0. A date is ignored: the clock it is meant for is not ours, and Vault sends none.
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

Trouble classifyRefusal(const HttpReply& reply, const ReplyContent& content, std::string_view token)
{
	std::vector<std::string> texts;
	std::ranges::transform(content.errors, std::back_inserter(texts), normalised);
	if (!content.object) {
		// Marked, so that a firewall's "permission denied" does not equal Vault's.
		texts.push_back("page: " + normalised(std::string_view(reply.body).substr(0, 1024)));
	}

	const auto& verdict = findVerdict(reply.status, texts);
	Trouble trouble{verdict.kind, verdict.reason, std::nullopt, std::string(verdict.advice)};
	if (trouble.kind == Trouble::Kind::throttled || trouble.kind == Trouble::Kind::serverAway) {
		trouble.retryAfter = retryAfter(reply);
	}
	std::string all;
	for (const auto& error : content.errors) {
		all += (all.empty() ? "" : "; ") + error;
	}
	const auto said = quoted(std::move(all), token);
	trouble.detail += " (" + statusOf(reply) + (said.empty() ? "" : ": " + said) + ")";
	return trouble;
}

} // namespace

Answer classify(Operation operation, HttpReply& reply, std::string_view token)
{
	const auto content = readReply(reply.body);
	// 204 is what a renewal may get; nobody looks up nothing.
	if (reply.status == 200 || (reply.status == 204 && operation == Operation::lookUp)) {
		return classifySuccess(operation, reply, content);
	}
	if (reply.status >= 300 && reply.status < 400) {
		return classifyRedirect(reply, token);
	}
	return classifyRefusal(reply, content, token);
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
