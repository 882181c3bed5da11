#include "wire/login_content.h"
#include "wire/login_verdicts.h"
#include "wire/logins.h"
#include "wire/reply_parts.h"
#include "wire/times.h"
#include "wire/wire.h"

#include <algorithm>

namespace issuer::vault::wire {
namespace {

using renewal::LoginMethod;
using renewal::LoginOperation;
using renewal::LoginTrouble;
using renewal::Reason;
using renewal::Trouble;
using Kind = LoginTrouble::Kind;

/// Returns the trouble that any request may meet, as one of a login.
LoginTrouble ofLogin(Trouble trouble)
{
	const auto kindOf = [](Trouble::Kind kind) {
		switch (kind) {
		case Trouble::Kind::throttled:
		case Trouble::Kind::serverAway:
		case Trouble::Kind::malformed:
		case Trouble::Kind::transport:
			return Kind::passes;
		case Trouble::Kind::configuration:
			return Kind::configuration;
		case Trouble::Kind::cancelled:
			return Kind::cancelled;
		case Trouble::Kind::denied: // verdicts on a token in use: not what a login is told
		case Trouble::Kind::refused:
		case Trouble::Kind::unclearRefusal:
		case Trouble::Kind::gone:
		case Trouble::Kind::pastMaxTtl:
		case Trouble::Kind::notRenewable:
		case Trouble::Kind::batch:
		case Trouble::Kind::noLease:
			return Kind::ambiguous;
		}
		return Kind::ambiguous; // unreachable: the switch names every kind
	};
	return {kindOf(trouble.kind), trouble.reason, trouble.retryAfter, std::move(trouble.detail), trouble.unsent};
}

bool isRedirect(const HttpReply& reply)
{
	return reply.status >= 300 && reply.status < 400;
}

/// A reply with its request.
struct Exchange
{
	const LoginRequest& request;
	const HttpReply& reply;
	const LoginContent& content;
};

/// Returns what the reply says, for the operator.
std::string said(const Exchange& exchange)
{
	return saidIn(exchange.reply, withoutSecrets(exchange.content.forPeople, exchange.request.secrets));
}

/// Appends the status and the words of a reply.
std::string withWords(std::string_view advice, const Exchange& exchange)
{
	const auto words = said(exchange);
	return std::string(advice) + " (" + statusOf(exchange.reply) + (words.empty() ? "" : ": " + words) + ")";
}

/// Returns the trouble behind a reply that no verdict on logins fits.
LoginTrouble generalTrouble(const Exchange& exchange)
{
	const auto& verdict = findVerdict(exchange.reply.status, exchange.content.words);
	auto trouble = ofLogin({verdict.kind, verdict.reason, std::nullopt, {}});
	trouble.retryAfter = trouble.kind == Kind::passes ? retryAfter(exchange.reply) : std::nullopt;
	trouble.detail = withWords(
		trouble.kind == Kind::ambiguous ? "the server refuses without a reason that is known" : verdict.advice,
		exchange);
	return trouble;
}

LoginTrouble classifyRefusal(const Exchange& exchange)
{
	const auto& [request, reply, content] = exchange;
	const auto* const verdict = findLoginVerdict(request.operation, request.method, reply.status, content.words);
	if (verdict == nullptr) {
		return generalTrouble(exchange);
	}
	LoginTrouble trouble{verdict->kind, verdict->reason, std::nullopt, {}};
	if (trouble.kind == Kind::passes) {
		trouble.retryAfter = retryAfter(reply);
	}
	// A password may be a word of the server's sentence: the gap where it is hidden would tell it.
	const bool mayTellPassword = trouble.kind == Kind::material && !verdict->text.empty() &&
								 (request.method == LoginMethod::userpass || request.method == LoginMethod::ldap);
	trouble.detail = mayTellPassword ? std::string(verdict->advice) + " (" + statusOf(reply) + ")"
									 : withWords(verdict->advice, exchange);
	return trouble;
}

/// Returns the trouble of a 200 that does not bring what was asked for.
LoginReply butNot(Kind kind, Reason reason, std::string_view text, const Exchange& exchange)
{
	const auto words = said(exchange);
	auto detail = statusOf(exchange.reply) + ", but " + std::string(text) + (words.empty() ? "" : " (" + words + ")");
	return {LoginTrouble{kind, reason, std::nullopt, std::move(detail)}, {}};
}

/// Returns the trouble of a 200 that is not Vault's.
LoginReply notVaults(std::string_view missing, const Exchange& exchange)
{
	return butNot(Kind::configuration, Reason::malformed,
		"without " + std::string(missing) + "; check that the address is that of Vault itself", exchange);
}

/// Returns a limit of uses; 0 stands for none.
std::optional<std::int64_t> limitOf(double uses)
{
	return uses > 0 ? std::optional(static_cast<std::int64_t>(std::min(uses, 1e15))) : std::nullopt;
}

LoginReply loggedIn(const LoginContent& content)
{
	const auto& auth = *content.auth;
	renewal::LoggedIn facts;
	facts.lease = secondsOf(*auth.lease);
	facts.renewable = auth.renewable && !auth.batch;
	facts.batch = auth.batch;
	facts.cappedAtBirth = std::ranges::any_of(content.warnings, tellsOfCap);
	facts.usesLeft = limitOf(auth.usesLeft).value_or(0);
	facts.roleName = auth.roleName;
	facts.policies = auth.policies;
	return {std::move(facts), credential::Secret(auth.token)};
}

bool hasToken(const LoginContent& content)
{
	return content.auth && !content.auth->token.empty() && content.auth->lease;
}

LoginReply classifyLoginSuccess(const Exchange& exchange)
{
	const auto& content = exchange.content;
	if (hasToken(content)) {
		return loggedIn(content);
	}
	if (content.auth && content.auth->wantsMfa) {
		return butNot(Kind::configuration, Reason::config,
			"without a token: the server wants the login confirmed by MFA, which no machine can do; exempt this auth "
			"mount or role from it",
			exchange);
	}
	if (content.wrapped) {
		return butNot(Kind::configuration, Reason::config,
			"the token is wrapped: something before the server adds X-Vault-Wrap-TTL to the login; let it not do so",
			exchange);
	}
	return notVaults("a token and its lease", exchange);
}

LoginReply classifyUnwrapped(const Exchange& exchange)
{
	const auto& content = exchange.content;
	const bool wantsToken = exchange.request.method == LoginMethod::wrappedToken;
	if (!content.object) {
		return notVaults("what was wrapped", exchange);
	}
	if (wantsToken && hasToken(content)) {
		return loggedIn(content);
	}
	if (!wantsToken && content.data && !content.data->secretId.empty()) {
		renewal::SecretIdFacts facts;
		const auto life = secondsOf(content.data->ttl.value_or(0));
		if (exchange.request.made && life > Duration::zero()) {
			facts.ends = *exchange.request.made + life;
		}
		facts.usesLeft = limitOf(content.data->uses.value_or(0));
		return {facts, credential::Secret(content.data->secretId)};
	}
	return butNot(Kind::spent, Reason::refused,
		wantsToken ? "what was wrapped is no token; wrap the answer to auth/token/create or to a login"
				   : "what was wrapped is no secret_id; wrap the answer to auth/<mount>/role/<role>/secret-id",
		exchange);
}

LoginReply classifyWrapping(const Exchange& exchange)
{
	const auto& data = exchange.content.data;
	if (!data || data->creationPath.empty()) {
		return notVaults("the facts of a wrapping token", exchange);
	}
	renewal::WrappingFacts facts;
	facts.creationPath = data->creationPath;
	facts.made = timeOf(data->creationTime);
	if (facts.made && data->creationTtl) {
		facts.ends = *facts.made + secondsOf(*data->creationTtl);
	}
	return {std::move(facts), {}};
}

LoginReply classifySecretId(const Exchange& exchange)
{
	const auto& data = exchange.content.data;
	renewal::SecretIdFacts facts;
	facts.gone = exchange.reply.status == 204;
	if (facts.gone) {
		return {facts, {}};
	}
	if (!data || !data->uses) {
		return notVaults("the facts of a secret_id", exchange);
	}
	facts.ends = timeOf(data->expirationTime);
	facts.usesLeft = limitOf(*data->uses);
	return {facts, {}};
}

LoginReply classifySuccess(const Exchange& exchange)
{
	switch (exchange.request.operation) {
	case LoginOperation::logIn:
		return classifyLoginSuccess(exchange);
	case LoginOperation::unwrap:
		return classifyUnwrapped(exchange);
	case LoginOperation::lookUpWrapping:
		return classifyWrapping(exchange);
	case LoginOperation::lookUpSecretId:
		return classifySecretId(exchange);
	case LoginOperation::revoke:
		return {renewal::Revoked(), {}};
	}
	return {LoginTrouble(), {}}; // unreachable: the switch names every operation
}

/// Returns whether the refusal of a revocation says that nothing is left to revoke: the token is dead, or a batch
/// token, which ends by itself.
bool isGone(const Exchange& exchange)
{
	const auto& words = exchange.content.words;
	switch (exchange.reply.status) {
	case 400:
		return words.vaults && fits(Verdict::Match::contains, "batch tokens cannot be revoked", words);
	case 403:
		return words.vaults && fits(Verdict::Match::equals, "permission denied", words);
	default:
		return false;
	}
}

} // namespace

LoginReply classify(const LoginRequest& request, HttpReply& reply)
{
	const auto content = readLoginReply(reply.body);
	const Exchange exchange{request, reply, content};
	if (isRedirect(reply)) {
		return {ofLogin(classifyRedirect(request.http.path, reply, request.secrets)), {}};
	}
	if (reply.status == 200 || reply.status == 204) {
		return classifySuccess(exchange);
	}
	if (request.operation == LoginOperation::revoke && isGone(exchange)) {
		return {renewal::Revoked(), {}};
	}
	return {classifyRefusal(exchange), {}};
}

LoginTrouble classifyLogin(const ExchangeError& error)
{
	return ofLogin(std::get<Trouble>(classify(error)));
}

std::variant<MountKind, LoginTrouble> classifyProbe(HttpReply& reply)
{
	struct Sign
	{
		std::string_view text;
		MountKind kind;
	};
	static constexpr Sign signs[] = {
		{"missing role_id", MountKind::appRole}, // before the next, which it contains
		{"missing role", MountKind::jwtOrKubernetes},
		{"missing password", MountKind::userpass},
		{"password cannot be of zero length", MountKind::ldap},
		{"no client certificate found", MountKind::certificate},
	};
	const auto content = readLoginReply(reply.body);
	if (isRedirect(reply)) {
		return ofLogin(classifyRedirect("/login", reply, {}));
	}
	const auto* const sign = std::ranges::find_if(
		signs, [&](const Sign& each) { return fits(Verdict::Match::contains, each.text, content.words); });
	if (sign != std::end(signs)) {
		return sign->kind;
	}
	if (reply.status == 403 && content.words.vaults) {
		return MountKind::none;
	}
	auto trouble = generalTrouble({LoginRequest(), reply, content});
	const bool tells = trouble.kind == Kind::passes || reply.status == 404;
	return tells ? std::variant<MountKind, LoginTrouble>(std::move(trouble)) : MountKind::other;
}

} // namespace issuer::vault::wire
