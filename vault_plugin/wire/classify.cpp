#include "wire/reply_content.h"
#include "wire/reply_parts.h"
#include "wire/verdicts.h"
#include "wire/wire.h"

#include <algorithm>

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

Answer classifySuccess(Operation operation, const HttpReply& reply, const ReplyContent& content)
{
	const auto butNot = [&](std::string_view text) {
		return malformed(statusOf(reply) + ", but " + std::string(text));
	};
	if (!content.object) {
		const auto said = saidIn(reply, content.words);
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
	const auto said = saidIn(reply, content.words);
	trouble.detail += " (" + statusOf(reply) + (said.empty() ? "" : ": " + said) + ")";
	return trouble;
}

Answer meaningOf(Operation operation, HttpReply& reply, std::string_view token)
{
	const auto content = readReply(reply.body, token);
	// 204 is a valid answer to a renewal, never to a look-up.
	if (reply.status == 200 || (reply.status == 204 && operation == Operation::lookUp)) {
		return classifySuccess(operation, reply, content);
	}
	if (reply.status >= 300 && reply.status < 400) {
		return classifyRedirect(pathOf(operation), reply, {&token, 1});
	}
	return classifyRefusal(reply, content);
}

} // namespace

Answer classify(Operation operation, HttpReply& reply, std::string_view token)
{
	auto answer = meaningOf(operation, reply, token);
	if (auto* const trouble = std::get_if<Trouble>(&answer)) {
		trouble->sentBefore = reply.sentBefore;
	}
	return answer;
}

Answer classify(const ExchangeError& error)
{
	using Kind = ExchangeError::Kind;
	// Where the latest connection failed before the request, a request before may have left.
	Trouble trouble{Trouble::Kind::transport, Reason::network, std::nullopt, error.text, error.unsent, !error.unsent};
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
