#include "diagnosis.h"

#include "credential/token_file.h"
#include "renewal/format.h"
#include "transport/blocking.h"
#include "wire/wire.h"

namespace issuer::vault {

using renewal::TokenFacts;
using renewal::Trouble;
namespace format = renewal::format;
using enum Finding::Level;

namespace {

constexpr const char* letItRenew = "give it a policy that may update auth/token/renew-self, as \"default\" does";
constexpr const char* usePeriodic = "a periodic token (period=…) has no such end";

/// Returns the topic of a failed exchange: the address, the way to it, or the server's proof of its identity.
const char* topicOf(ExchangeError::Kind kind)
{
	switch (kind) {
	case ExchangeError::Kind::tls:
		return "tls";
	case ExchangeError::Kind::configuration:
		return "config";
	case ExchangeError::Kind::cancelled:
	case ExchangeError::Kind::timeout:
	case ExchangeError::Kind::network:
	case ExchangeError::Kind::malformed:
		return "address";
	}
	return "address"; // unreachable: the switch names every kind
}

const char* adviceFor(ExchangeError::Kind kind)
{
	switch (kind) {
	case ExchangeError::Kind::tls:
		return "check tls.ca_file, tls.server_name and the client certificate";
	case ExchangeError::Kind::configuration:
		return "mend the configuration";
	case ExchangeError::Kind::malformed:
		return "check that the address is that of Vault, and proxies or gateways before it";
	case ExchangeError::Kind::cancelled:
	case ExchangeError::Kind::timeout:
	case ExchangeError::Kind::network:
		return "check the address, the name, firewalls and proxies, and whether the server runs";
	}
	return ""; // unreachable: the switch names every kind
}

} // namespace

void Diagnosis::run(const Result<credential::Secret>& secret, const credential::Source& source,
	std::chrono::steady_clock::time_point deadline)
{
	_deadline = deadline;
	if (!secret) {
		tell(problem, "credential", secret.error().text, "put a token there");
		return;
	}
	tell(ok, "credential", source.describe() + " holds a token");
	if (!source.file().empty() && credential::allUsersMayRead(source.file())) {
		tell(warn, "credential", "all users of this machine may read " + source.describe(), "chmod o-r it");
	}
	const auto token = secret->view();
	if (!reachServer(token)) {
		return;
	}
	if (!_facts || (_facts->expires && _facts->usesLeft == 0 && _facts->renewable && !_facts->batch)) {
		judgePolicy(token);
	}
	if (_facts) {
		judgeLifetime(*_facts);
	}
}

transport::ExchangeResult Diagnosis::send(const HttpRequest& request)
{
	return transport::blockingly(_exchange.carry(request, _deadline));
}

/// Looks the token up, the request whose answer tells most.
bool Diagnosis::reachServer(std::string_view token)
{
	const auto asked = _clock.boot();
	auto reply = send(wire::lookUpSelf(token, _namespace));
	if (!reply) {
		tell(problem, topicOf(reply.error().kind), reply.error().text, adviceFor(reply.error().kind));
		return false;
	}
	const auto waited = std::chrono::ceil<std::chrono::milliseconds>(_clock.boot() - asked);
	tell(ok, "address", "the server answered within " + std::to_string(waited.count()) + " ms");
	for (const auto& line : reply->advice) {
		tell(warn, "tls", line);
	}
	const auto answer = wire::classify(renewal::Operation::lookUp, *reply, token);
	if (const auto* facts = std::get_if<TokenFacts>(&answer)) {
		_facts = *facts;
		return true;
	}
	const auto& trouble = std::get<Trouble>(answer);
	judgeTrouble(trouble);
	return trouble.kind == Trouble::Kind::denied;
}

void Diagnosis::judgeTrouble(const Trouble& trouble)
{
	switch (trouble.kind) {
	case Trouble::Kind::denied:
		tell(warn, "policy", "the token may not look itself up: its lifetime is only known once it has been renewed",
			"give it a policy that may read auth/token/lookup-self, as \"default\" does");
		break;
	case Trouble::Kind::refused:
	case Trouble::Kind::unclearRefusal:
	case Trouble::Kind::gone:
		tell(problem, "credential", trouble.detail, "replace the token, unless the named cause is at fault");
		break;
	case Trouble::Kind::throttled:
	case Trouble::Kind::serverAway:
		tell(problem, "server", trouble.detail, "ask again when the server is well");
		break;
	case Trouble::Kind::pastMaxTtl:
	case Trouble::Kind::notRenewable:
	case Trouble::Kind::batch:
	case Trouble::Kind::noLease:
	case Trouble::Kind::malformed:
	case Trouble::Kind::configuration:
	case Trouble::Kind::transport:
	case Trouble::Kind::cancelled:
		tell(problem, "address", trouble.detail,
			"check the address, the namespace, and proxies or gateways before the server");
		break;
	}
}

void Diagnosis::judgePolicy(std::string_view token)
{
	auto reply = send(wire::capabilitiesSelf(token, _namespace));
	if (!reply) {
		tell(problem, topicOf(reply.error().kind), reply.error().text, adviceFor(reply.error().kind));
		return;
	}
	const auto allowed = wire::mayRenew(*reply);
	if (!allowed && _facts) {
		tell(note, "policy",
			"whether the token may renew itself is not told (HTTP " + std::to_string(reply->status) + ")");
	}
	else if (!allowed) {
		tell(
			problem, "policy", "the token may do nothing for itself, so that renewals will be denied, too", letItRenew);
	}
	else if (*allowed) {
		tell(ok, "policy", "the token may renew itself");
	}
	else {
		tell(problem, "policy", "the token may not renew itself", letItRenew);
	}
}

void Diagnosis::judgeLifetime(const TokenFacts& facts)
{
	const auto now = _clock.now().wall;
	const auto end = format::until(now + facts.ttl, now);
	if (!facts.expires) {
		tell(note, "lifetime", "lives for ever: a root token, nothing to renew",
			"let an issuer have a token of its own, that can do less");
	}
	else if (facts.usesLeft != 0) {
		tell(problem, "lifetime", "each request uses up one of its uses (num_uses), so it is not renewed: dies " + end,
			"use a token without num_uses");
	}
	else if (facts.batch) {
		tell(problem, "lifetime", "a batch token, which cannot be renewed: dies " + end, "use a service token");
	}
	else if (!facts.renewable) {
		tell(problem, "lifetime", "was created as not renewable: dies " + end, "use a renewable token");
	}
	else if (facts.explicitMaxTtl > Duration::zero() && facts.creationTime) {
		const auto death = format::until(*facts.creationTime + facts.explicitMaxTtl, now);
		tell(warn, "lifetime", "capped by its explicit max TTL: dies " + death + ", however often it is renewed",
			std::string("replace it before then; ") + usePeriodic);
	}
	else if (facts.period > Duration::zero()) {
		tell(ok, "lifetime", "periodic: each renewal brings " + format::lifeInWords(facts.period) + ", for ever");
	}
	else {
		tell(note, "lifetime",
			"alive until " + end + ", and renewed; its role, mount or server may set a max TTL that no look-up shows",
			std::string("the first renewal that is cut short tells the end; ") + usePeriodic);
	}
}

void Diagnosis::tell(Finding::Level level, const char* topic, std::string text, std::string advice)
{
	_find({level, topic, std::move(text), std::move(advice)});
}

} // namespace issuer::vault
