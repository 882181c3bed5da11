#include "wire/login_verdicts.h"

#include <algorithm>

namespace issuer::vault::wire {
namespace {

using renewal::LoginMethod;
using renewal::LoginOperation;
using renewal::Reason;
using For = LoginVerdict::For;
using Kind = renewal::LoginTrouble::Kind;
using enum Verdict::Match;

// clang-format off
/// First match wins. Seen at OpenBao 2.6.2, unless a comment names another origin.
constexpr LoginVerdict verdicts[] = {
	{For::appRole, 400, 400, contains, "invalid role or secret id", Kind::material, Reason::refused,
		"the server does not know this role_id with this secret_id: wrong, used up, expired or destroyed, or made in another namespace; put a new secret_id in place"},
	{For::appRole, 400, 400, contains, "missing secret_id", Kind::configuration, Reason::config,
		"the role wants a secret_id; set \"secret_id\""},
	// 400 where user lockout is off.
	{For::appRole, 400, 500, contains, "missing role_id", Kind::configuration, Reason::config,
		"the login has no role_id; check \"role_id\""},
	{For::appRole, 400, 400, contains, "cidr restrictions", Kind::configuration, Reason::config,
		"the role or the secret_id is not for logins from the address of this machine; add it to their CIDR lists"},
	// OpenBao's source: two logins raced for the last use.
	{For::appRole, 400, 400, contains, "invalid secret_id", Kind::material, Reason::refused,
		"the secret_id is used up; put a new one in place"},

	{For::jwt, 400, 400, contains, "token is expired", Kind::material, Reason::refused,
		"the JWT has expired; find out why nothing refreshes its file"},
	{For::jwt, 400, 400, contains, "token not yet valid", Kind::passes, Reason::refused,
		"the JWT is not valid yet: the clocks of its issuer and of the server are more than a minute apart"},
	// Begins like the next but one.
	{For::jwt, 400, 400, contains, "fetching keys", Kind::passes, Reason::server,
		"the server cannot get the keys of the JWT's issuer; check the auth mount's jwks_url or oidc_discovery_url, and the network between them"},
	{For::jwt, 400, 400, contains, "no known key", Kind::material, Reason::refused,
		"the server knows no key that signed this JWT: it is of another issuer, or of a key that the server has not seen yet"},
	{For::jwt, 400, 400, contains, "compact jws format", Kind::material, Reason::refused,
		"the file does not hold a JWT"},
	{For::jwt, 400, 400, contains, "invalid audience (aud)", Kind::configuration, Reason::config,
		"the JWT's audience is not one of the role's bound_audiences"},
	{For::jwt, 400, 400, contains, "invalid issuer (iss)", Kind::configuration, Reason::config,
		"the JWT's issuer is not the bound_issuer of the auth mount"},
	{For::jwt, 400, 400, contains, "invalid subject (sub)", Kind::configuration, Reason::config,
		"the JWT's subject is not the bound_subject of the role"},
	{For::jwt, 400, 400, contains, "error validating claims", Kind::configuration, Reason::config,
		"the JWT lacks a claim that the role binds"},
	{For::jwt, 400, 400, contains, "missing token", Kind::configuration, Reason::config,
		"the login has no JWT; check \"jwt\""},
	{For::jwt, 400, 400, contains, "missing role", Kind::configuration, Reason::config,
		"the login names no role, and the auth mount has no default_role; set \"role\""},
	{For::jwt, 400, 400, contains, "could not be found", Kind::configuration, Reason::config,
		"the auth mount has no such role; check \"role\""},

	{For::kubernetes, 403, 403, contains, "namespace not authorized", Kind::configuration, Reason::config,
		"the role is not for service accounts of this Kubernetes namespace"},
	{For::kubernetes, 403, 403, contains, "service account name not authorized", Kind::configuration, Reason::config,
		"the role is not for this service account"},
	{For::kubernetes, 403, 403, contains, "invalid audience (aud)", Kind::configuration, Reason::config,
		"the service account token's audience is not the one that the role demands"},
	{For::kubernetes, 403, 403, contains, "token is expired", Kind::material, Reason::refused,
		"the service account token has expired; find out why nothing refreshes its file"},
	{For::kubernetes, 403, 403, equals, "permission denied", Kind::passes, Reason::server,
		"the server does not say why: the Kubernetes API may be away or refuse to review the service account token, or that is not valid; or there is no such auth mount in this namespace"},
	{For::kubernetes, 400, 400, contains, "invalid role name", Kind::configuration, Reason::config,
		"the auth mount has no such role; check \"role\""},
	{For::kubernetes, 400, 400, contains, "missing role", Kind::configuration, Reason::config,
		"the login names no role; set \"role\""},
	// OpenBao's source.
	{For::kubernetes, 500, 500, contains, "could not load backend configuration", Kind::configuration, Reason::config,
		"the auth mount is not configured"},

	{For::certificate, 400, 400, contains, "no client certificate found", Kind::configuration, Reason::config,
		"the server was shown no client certificate; set tls.client_cert and tls.client_key, and let no proxy end the TLS connection"},
	{For::certificate, 400, 400, contains, "invalid certificate or no client certificate supplied", Kind::configuration, Reason::config,
		"no certificate role of the auth mount accepts the client certificate, or there is no role of that name; check tls.client_cert and \"name\""},
	{For::certificate, 400, 400, contains, "no chain matching all constraints", Kind::configuration, Reason::config,
		"the client certificate does not meet the constraints of the certificate role; check tls.client_cert"},
	{For::certificate, 500, 500, contains, "failed to verify client's certificate", Kind::material, Reason::refused,
		"the client certificate has expired or is not yet valid; renew tls.client_cert"},

	{For::userpass, 400, 400, contains, "invalid username or password", Kind::material, Reason::refused,
		"the server does not know this user with this password"},
	{For::userpass, 400, 500, contains, "missing password", Kind::material, Reason::refused,
		"the password is empty"},

	// A directory that is away is a 400 too, and must not pass for a wrong password.
	{For::ldap, 400, 400, contains, "network error", Kind::passes, Reason::server,
		"the server cannot reach the LDAP directory"},
	{For::ldap, 400, 400, contains, "failed to bind as user", Kind::material, Reason::refused,
		"the LDAP directory does not know this user with this password"},
	{For::ldap, 400, 400, contains, "password cannot be of zero length", Kind::material, Reason::refused,
		"the password is empty"},

	{For::wrapping, 400, 400, contains, "wrapping token is not valid or does not exist", Kind::spent, Reason::refused,
		"the wrapping token is used, expired or unknown, or was none; put a new one in place"},

	{For::secretIdLookUp, 403, 403, contains, "permission denied", Kind::forbidden, Reason::refused,
		"the token may not look up its secret_id; let a policy update auth/<mount>/role/<role>/secret-id/lookup to see remaining uses and expiry"},
	{For::revoking, 403, 403, contains, "1 error occurred: * permission denied", Kind::forbidden, Reason::refused,
		"the token's policies do not let it revoke itself; it ends with its TTL"},

	{For::any, 403, 403, equals, "permission denied", Kind::ambiguous, Reason::refused,
		"the server does not say why: locked out after wrong logins, no such auth mount in this namespace, a source address that is not allowed, or a disabled entity"},
	{For::any, 404, 404, contains, "no handler for route", Kind::configuration, Reason::config,
		"the server has no such auth mount; check \"mount\" and \"namespace\""},
	{For::any, 400, 400, contains, "cannot write to a path ending in '/'", Kind::configuration, Reason::config,
		"the path was changed on its way; check the address, and proxies that rewrite paths"},
	{For::any, 400, 400, contains, "failed to decode json", Kind::configuration, Reason::config,
		"the request was changed on its way; check proxies before the server"},
	// Five wrong logins lock the role or user out for all clients: a refusal in unknown words may count as one.
	{For::appRole, 400, 400, contains, "", Kind::material, Reason::refused,
		"the login is not accepted; check \"role_id\" and \"secret_id\", and proxies before the server"},
	{For::userpass, 400, 400, contains, "", Kind::material, Reason::refused,
		"the login is not accepted; check \"username\" and \"password\", and proxies before the server"},
	{For::ldap, 400, 400, contains, "", Kind::material, Reason::refused,
		"the login is not accepted; check \"username\" and \"password\", the LDAP directory, and proxies before the server"},
};
// clang-format on

bool isFor(For request, LoginOperation operation, LoginMethod method)
{
	const bool login = operation == LoginOperation::logIn;
	switch (request) {
	case For::any:
		return true;
	case For::appRole:
		return login && method == LoginMethod::appRole;
	case For::kubernetes:
		return login && method == LoginMethod::kubernetes;
	case For::jwt:
		return login && method == LoginMethod::jwt;
	case For::certificate:
		return login && method == LoginMethod::certificate;
	case For::userpass:
		return login && method == LoginMethod::userpass;
	case For::ldap:
		return login && method == LoginMethod::ldap;
	case For::wrapping:
		return operation == LoginOperation::unwrap || operation == LoginOperation::lookUpWrapping;
	case For::secretIdLookUp:
		return operation == LoginOperation::lookUpSecretId;
	case For::revoking:
		return operation == LoginOperation::revoke;
	}
	return false; // unreachable: the switch names every kind of request
}

} // namespace

const LoginVerdict* findLoginVerdict(LoginOperation operation, LoginMethod method, int status, const Words& words)
{
	const auto* const found = std::ranges::find_if(verdicts, [&](const LoginVerdict& verdict) {
		return isFor(verdict.request, operation, method) && verdict.from <= status && status <= verdict.to &&
			   (words.vaults || verdict.text.empty()) && fits(verdict.match, verdict.text, words);
	});
	return found != std::end(verdicts) ? found : nullptr;
}

} // namespace issuer::vault::wire
