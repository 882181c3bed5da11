#include "wire/verdicts.h"

#include <algorithm>

namespace issuer::vault::wire {
namespace {

using renewal::Reason;
using Kind = renewal::Trouble::Kind;
using enum Verdict::Match;

// clang-format off
/// First match wins. Seen at OpenBao 2.6.2, unless a comment names another origin.
constexpr Verdict verdicts[] = {
	{204, 204, contains, "", Kind::denied, Reason::refused,
		"not renewed: the user or role that this token came from is gone; restore it, or replace the token before its TTL ends"},

	{400, 400, contains, "lease is not renewable", Kind::notRenewable, Reason::notRenewable,
		"the token was created as not renewable; replace it before its TTL ends"},
	{400, 400, contains, "batch tokens cannot be renewed", Kind::batch, Reason::batch,
		"batch tokens cannot be renewed; use a service token, or replace this one before its TTL ends"},
	{400, 400, contains, "invalid lease id", Kind::noLease, Reason::none,
		"the token has no lease and never expires, as the first root token does"},
	// Also the answer to the renewal that was the last use of a token with num_uses.
	{400, 400, contains, "token not found", Kind::gone, Reason::refused,
		"the server has no such token any more; replace the token"},
	// OpenBao's source; not seen.
	{400, 400, contains, "lease not found", Kind::gone, Reason::refused,
		"the server has no lease for this token any more; replace the token"},
	{400, 400, contains, "lease expired", Kind::gone, Reason::expired,
		"the token has expired; replace it"},
	{400, 400, contains, "no client certificate found", Kind::configuration, Reason::config,
		"the token came from a certificate login and is renewed only with that certificate; set tls.client_cert and tls.client_key"},
	{400, 400, contains, "no chain matching all constraints", Kind::configuration, Reason::config,
		"the client certificate does not meet the constraints of the role that this token came from; check tls.client_cert"},
	{400, 400, contains, "client sent an http request to an https server", Kind::configuration, Reason::config,
		"the server speaks TLS; write https:// in the address"},
	// nginx.
	{400, 400, contains, "plain http request was sent to https port", Kind::configuration, Reason::config,
		"the server speaks TLS; write https:// in the address"},
	{400, 400, contains, "cannot write to a path ending in '/'", Kind::configuration, Reason::config,
		"the path was changed on its way; check the address, and proxies that rewrite paths"},
	{400, 400, contains, "field \"increment\"", Kind::configuration, Reason::config,
		"the server does not accept the increment; check renewal.increment"},
	{400, 400, contains, "", Kind::configuration, Reason::config,
		"the server does not understand the request; check the address, and proxies that change requests"},

	{403, 403, equals, "permission denied", Kind::refused, Reason::refused,
		"the server does not accept the token: expired, revoked, sent from an address it is not bound to, or its entity or auth mount is disabled"},
	// HashiCorp Vault 1.13 and later: "2 errors occurred: * permission denied * invalid token". Not seen.
	{403, 403, contains, "invalid token", Kind::refused, Reason::refused,
		"the server does not accept the token: expired, revoked, or sent from an address it is not bound to"},
	{403, 403, contains, "bad token", Kind::refused, Reason::refused,
		"the server does not know the token; replace it"},
	{403, 403, contains, "1 error occurred: * permission denied", Kind::denied, Reason::refused,
		"the token's policies do not allow this; let them update auth/token/renew-self and read auth/token/lookup-self, as the policy \"default\" does; a wrong path in the address and a wrapping token in place of a token look the same"},
	{403, 403, contains, "", Kind::unclearRefusal, Reason::refused,
		"the server refused with an unrecognised message"},
	{403, 403, contains, "", Kind::malformed, Reason::malformed,
		"refused by something before the server, not by Vault; check proxies, gateways and firewalls on the way"},

	{404, 404, contains, "namespace not found", Kind::configuration, Reason::config,
		"the server has no such namespace; check \"namespace\""},
	{404, 404, contains, "", Kind::configuration, Reason::config,
		"nothing there; check that the address is that of Vault itself, without /v1 and without a path that only a proxy knows"},
	{405, 405, contains, "", Kind::configuration, Reason::config,
		"the server does not allow the request's method; check the address, and proxies that change requests"},
	{407, 407, contains, "", Kind::configuration, Reason::config,
		"the proxy wants a login; check \"proxy\""},
	{408, 408, contains, "", Kind::serverAway, Reason::server,
		"the request did not reach the server in time"},
	{412, 412, contains, "", Kind::serverAway, Reason::server,
		"the server does not have the newest state yet"},
	{425, 425, contains, "", Kind::serverAway, Reason::server,
		"the server wants the request again later"},
	{429, 429, contains, "", Kind::throttled, Reason::throttled,
		"a rate limit of the server holds requests back; raise the quota if this lasts"},
	{472, 473, contains, "", Kind::serverAway, Reason::server,
		"this server is a standby that does not answer; ask the active cluster, or check the load balancer"},
	{400, 499, contains, "", Kind::configuration, Reason::config,
		"the request is not accepted; check the address, and proxies before the server"},

	{500, 500, contains, "past the max ttl", Kind::pastMaxTtl, Reason::maxTtl,
		"the token has reached its max TTL; replace it before its TTL ends"},
	{500, 500, contains, "does not exist during renewal", Kind::denied, Reason::refused,
		"the role that this token came from is gone; restore it, or replace the token before its TTL ends"},
	{500, 500, contains, "could not be found, not renewing", Kind::denied, Reason::refused,
		"the role that this token came from is gone; restore it, or replace the token before its TTL ends"},
	{500, 500, contains, "policies have changed, not renewing", Kind::denied, Reason::refused,
		"the policies behind this token have changed; replace the token before its TTL ends"},
	{500, 500, contains, "client identity during renewal not matching", Kind::denied, Reason::refused,
		"the client certificate was replaced since this token's login; present the one of the login again, or replace the token before its TTL ends"},
	{500, 500, contains, "failed to verify client's certificate", Kind::configuration, Reason::config,
		"the server does not accept the client certificate: it has expired or is not yet valid; renew tls.client_cert"},
	// RustyVault 0.2.1, which has no renew-self.
	{500, 500, contains, "path not supported", Kind::configuration, Reason::config,
		"this server cannot renew tokens"},
	{500, 500, contains, "active cluster node not found", Kind::serverAway, Reason::server,
		"the cluster is between two leaders"},
	{500, 500, contains, "leadership lost", Kind::serverAway, Reason::server,
		"the cluster lost its leader during the request"},
	// Not initialised servers say the same.
	{503, 503, contains, "is sealed", Kind::serverAway, Reason::sealed,
		"the server is sealed; unseal it before the token's TTL ends"},
	{503, 503, contains, "no active vault instance", Kind::serverAway, Reason::server,
		"the cluster is between two leaders"},
	{503, 503, contains, "namespace has been locked", Kind::serverAway, Reason::server,
		"an administrator has locked the namespace's API; unlock it before the token's TTL ends"},
	// "internal error" too: one token used in parallel beyond its num_uses gets it, and so does every failing storage.
	{500, 599, contains, "", Kind::serverAway, Reason::server,
		"the server, or a proxy before it, cannot answer now"},

	{0, 999, contains, "", Kind::malformed, Reason::malformed,
		"not an answer of Vault's; check the address, and proxies or gateways before the server"},
};
// clang-format on

/// Returns whether a verdict of this kind is about the token itself.
bool judgesToken(Kind kind)
{
	switch (kind) {
	case Kind::denied:
	case Kind::refused:
	case Kind::unclearRefusal:
	case Kind::gone:
	case Kind::pastMaxTtl:
	case Kind::notRenewable:
	case Kind::batch:
	case Kind::noLease:
		return true;
	case Kind::throttled:
	case Kind::serverAway:
	case Kind::malformed:
	case Kind::configuration:
	case Kind::transport:
	case Kind::cancelled:
		return false;
	}
	return false; // unreachable: the switch names every kind
}

bool fits(const Verdict& verdict, const Words& words)
{
	if (judgesToken(verdict.kind) && !words.vaults) {
		return false;
	}
	return fits(verdict.match, verdict.text, words);
}

} // namespace

bool fits(Verdict::Match match, std::string_view text, const Words& words)
{
	return text.empty() || std::ranges::any_of(words.texts, [&](std::string_view said) {
		return match == Verdict::Match::equals ? said == text : said.find(text) != std::string_view::npos;
	});
}

WipedString normalised(std::string_view text)
{
	WipedString line;
	line.reserve(text.size() + 16); // in one piece of memory, and not inside the object
	for (const char c : text) {
		if (static_cast<unsigned char>(c) > ' ') {
			line += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
		}
		else if (!line.empty() && line.back() != ' ') {
			line += ' ';
		}
	}
	line.erase(line.find_last_not_of(" .") + 1);
	return line;
}

const Verdict& findVerdict(int status, const Words& words)
{
	return *std::ranges::find_if(verdicts, [&](const Verdict& verdict) {
		const auto last = &verdict == std::end(verdicts) - 1;
		return last || (verdict.from <= status && status <= verdict.to && fits(verdict, words));
	});
}

} // namespace issuer::vault::wire
