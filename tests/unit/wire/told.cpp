#include "told.h"

#include "base/duration_text.h"

namespace issuer::vault::wire {
namespace {

using namespace renewal;

std::string_view name(Trouble::Kind kind)
{
	switch (kind) {
	case Trouble::Kind::denied:
		return "denied";
	case Trouble::Kind::refused:
		return "refused";
	case Trouble::Kind::unclearRefusal:
		return "unclear refusal";
	case Trouble::Kind::gone:
		return "gone";
	case Trouble::Kind::pastMaxTtl:
		return "past max TTL";
	case Trouble::Kind::notRenewable:
		return "not renewable";
	case Trouble::Kind::batch:
		return "batch";
	case Trouble::Kind::noLease:
		return "no lease";
	case Trouble::Kind::throttled:
		return "throttled";
	case Trouble::Kind::serverAway:
		return "server away";
	case Trouble::Kind::malformed:
		return "malformed";
	case Trouble::Kind::configuration:
		return "configuration";
	case Trouble::Kind::transport:
		return "transport";
	case Trouble::Kind::cancelled:
		return "cancelled";
	}
	return "?";
}

std::string_view name(Reason reason)
{
	switch (reason) {
	case Reason::none:
		return "none";
	case Reason::network:
		return "network";
	case Reason::timeout:
		return "timeout";
	case Reason::tls:
		return "tls";
	case Reason::sealed:
		return "sealed";
	case Reason::throttled:
		return "throttled";
	case Reason::server:
		return "server";
	case Reason::refused:
		return "refused";
	case Reason::malformed:
		return "malformed";
	case Reason::config:
		return "config";
	case Reason::maxTtl:
		return "max TTL";
	case Reason::notRenewable:
		return "not renewable";
	case Reason::batch:
		return "batch";
	case Reason::limitedUses:
		return "limited uses";
	case Reason::expired:
		return "expired";
	case Reason::credentialChanged:
		return "credential changed";
	case Reason::credentialUnreadable:
		return "credential unreadable";
	case Reason::loggedIn:
		return "logged in";
	case Reason::loginRefused:
		return "login refused";
	case Reason::loginEnds:
		return "login ends";
	}
	return "?";
}

std::string_view name(LoginTrouble::Kind kind)
{
	switch (kind) {
	case LoginTrouble::Kind::passes:
		return "passes";
	case LoginTrouble::Kind::material:
		return "material";
	case LoginTrouble::Kind::configuration:
		return "configuration";
	case LoginTrouble::Kind::ambiguous:
		return "ambiguous";
	case LoginTrouble::Kind::spent:
		return "spent";
	case LoginTrouble::Kind::forbidden:
		return "forbidden";
	case LoginTrouble::Kind::cancelled:
		return "cancelled";
	}
	return "?";
}

std::string seconds(Duration duration)
{
	const auto whole = duration / std::chrono::seconds(1);
	return duration % std::chrono::seconds(1) == Duration::zero() ? std::to_string(whole) + "s"
																  : durationText(duration);
}

/// In seconds, with a fraction where there is one.
std::string dateText(WallTime time)
{
	const auto micros = time.time_since_epoch().count();
	const auto fraction = std::to_string(1'000'000 + micros % 1'000'000).substr(1);
	return std::to_string(micros / 1'000'000) + (micros % 1'000'000 == 0 ? "" : "." + fraction);
}

struct Words
{
	std::string operator()(const TokenFacts& token) const
	{
		auto text = "ttl " + seconds(token.ttl);
		const auto add = [&](bool said, const std::string& what) { text += said ? ", " + what : ""; };
		add(token.creationTtl > Duration::zero(), "lease " + seconds(token.creationTtl));
		add(token.period > Duration::zero(), "period " + seconds(token.period));
		add(token.explicitMaxTtl > Duration::zero(), "max " + seconds(token.explicitMaxTtl));
		add(token.usesLeft != 0, "uses " + std::to_string(token.usesLeft));
		add(!token.renewable, "not renewable");
		add(token.batch, "batch");
		add(!token.expires, "never expires");
		add(token.creationTime.has_value(), "created " + dateText(token.creationTime.value_or(WallTime())));
		add(token.expireTime.has_value(), "expires " + dateText(token.expireTime.value_or(WallTime())));
		return text;
	}
	std::string operator()(const Grant& grant) const
	{
		return "grant " + seconds(grant.lease) + (grant.capWarning ? " capped" : "") +
			   (grant.renewable ? "" : " not renewable");
	}
	std::string operator()(const WrappedGrant&) const { return "wrapped grant"; }
	std::string operator()(const Trouble& trouble) const
	{
		const auto after = trouble.retryAfter ? ", retry after " + seconds(*trouble.retryAfter) : "";
		return std::string(name(trouble.kind)) + " (" + std::string(name(trouble.reason)) + ")" + after;
	}
};

struct LoginWords
{
	std::string operator()(const LoggedIn& login) const
	{
		auto text = "logged in for " + seconds(login.lease);
		const auto add = [&](bool said, const std::string& what) { text += said ? ", " + what : ""; };
		add(!login.renewable, "not renewable");
		add(login.batch, "batch");
		add(login.cappedAtBirth, "capped");
		add(login.usesLeft != 0, "uses " + std::to_string(login.usesLeft));
		add(!login.roleName.empty(), "role " + login.roleName);
		for (const auto& policy : login.policies) {
			text += ", " + policy;
		}
		return text;
	}
	std::string operator()(const WrappingFacts& wrapping) const
	{
		return wrapping.creationPath + ", made " + dateText(wrapping.made.value_or(WallTime())) + ", ends " +
			   dateText(wrapping.ends.value_or(WallTime()));
	}
	std::string operator()(const SecretIdFacts& secretId) const
	{
		return std::string(secretId.gone ? "no such secret_id" : "secret_id") +
			   (secretId.usesLeft ? ", uses " + std::to_string(*secretId.usesLeft) : "") +
			   (secretId.ends ? ", ends " + dateText(*secretId.ends) : "");
	}
	std::string operator()(const Revoked&) const { return "revoked"; }
	std::string operator()(const LoginTrouble& trouble) const
	{
		const auto after = trouble.retryAfter ? ", retry after " + seconds(*trouble.retryAfter) : "";
		return std::string(name(trouble.kind)) + " (" + std::string(name(trouble.reason)) + ")" + after;
	}
};

} // namespace

std::string told(const Answer& answer)
{
	return std::visit(Words(), answer);
}

std::string detailOf(const Answer& answer)
{
	const auto* const trouble = std::get_if<Trouble>(&answer);
	return trouble != nullptr ? trouble->detail : "";
}

std::string told(const LoginReply& reply)
{
	return std::visit(LoginWords(), reply.answer) +
		   (reply.secret.empty() ? "" : "; " + std::string(reply.secret.view()));
}

std::string detailOf(const LoginReply& reply)
{
	const auto* const trouble = std::get_if<LoginTrouble>(&reply.answer);
	return trouble != nullptr ? trouble->detail : "";
}

} // namespace issuer::vault::wire
