#include "fake_vault/logins.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <Poco/JSON/Object.h>
#include <Poco/Net/IPAddress.h>

namespace issuer::test {
namespace {

using std::chrono::seconds;

tl::unexpected<TokenError> refused(int status, const std::string& error)
{
	return tl::unexpected(TokenError{status, error});
}

tl::unexpected<TokenError> permissionDenied()
{
	return refused(403, "permission denied");
}

bool isWithin(const std::string& address, const std::string& cidr)
{
	const auto slash = cidr.find('/');
	const Poco::Net::IPAddress network(cidr.substr(0, slash));
	const Poco::Net::IPAddress mask(static_cast<unsigned>(std::stoul(cidr.substr(slash + 1))), network.family());
	const Poco::Net::IPAddress client(address);
	return client.family() == network.family() && (client & mask) == (network & mask);
}

/// Returns the shorter of two limits, of which 0 is none.
seconds shorter(seconds one, seconds other)
{
	return one > seconds(0) && other > seconds(0) ? std::min(one, other) : std::max(one, other);
}

std::string entityOf(const std::string& identity)
{
	const auto digits = std::to_string(std::hash<std::string>{}(identity) % 1'000'000'000'000);
	return "00000000-0000-0000-0000-" + std::string(12 - digits.size(), '0') + digits;
}

bool accepts(const std::vector<std::string>& bound, const std::string& name)
{
	return std::ranges::any_of(bound, [&](const auto& each) { return each == "*" || each == name; });
}

} // namespace

bool isWithinAny(const std::string& address, const std::vector<std::string>& cidrs)
{
	return cidrs.empty() || std::ranges::any_of(cidrs, [&](const auto& cidr) { return isWithin(address, cidr); });
}

/// A login under way.
struct Logins::Attempt
{
	AuthMount& mount;
	const LoginInput& input;
	ServerTime now;
	std::string name = {};     ///< of the role or user
	std::string identity = {}; ///< that the lockout and the entity belong to
	std::map<std::string, std::string> meta = {};
	std::vector<std::string> warnings = {};

	[[nodiscard]] LoginRole* roleNamed(const std::string& wanted)
	{
		const auto found = mount.roles.find(wanted);
		name = wanted;
		return found == mount.roles.end() ? nullptr : &found->second;
	}
	[[nodiscard]] bool isLocked() const { return mount.lockout.isLocked(identity, now); }

	/// Refuses a wrong secret, and counts it.
	[[nodiscard]] tl::unexpected<TokenError> wrong(const std::string& words)
	{
		mount.lockout.failed(identity, now);
		return refused(400, words);
	}
};

Logins::Proven Logins::proveAppRole(Attempt& attempt)
{
	const auto& input = attempt.input;
	static const std::string wrong = "invalid role or secret ID";
	if (input.roleId.empty()) {
		return refused(attempt.mount.lockout.rule.enabled ? 500 : 400, "missing role_id");
	}
	const auto found = std::ranges::find_if(
		attempt.mount.roles, [&](const auto& entry) { return entry.second.roleId == input.roleId; });
	if (found == attempt.mount.roles.end()) {
		return refused(400, wrong);
	}
	auto& [name, role] = *found;
	attempt.name = name;
	attempt.identity = input.roleId;
	attempt.meta = {{"role_name", name}};
	if (attempt.isLocked()) {
		return permissionDenied();
	}
	const auto address = "source address \"" + input.address + "\" unauthorized ";
	if (role.bindSecretId) {
		if (input.secretId.empty()) {
			return refused(400, "missing secret_id");
		}
		const auto* const secretId = role.secretIds.find(input.secretId, attempt.now);
		if (secretId == nullptr) {
			return attempt.wrong(wrong);
		}
		if (!isWithinAny(input.address, secretId->cidrs)) {
			return refused(400, address + (secretId->usesLeft > 0 ? "by CIDR restrictions on the secret ID: %!w(<nil>)"
																  : "through CIDR restrictions on the secret ID"));
		}
	}
	if (!isWithinAny(input.address, role.cidrs)) {
		return refused(400, address + "by CIDR restrictions on the role: %!w(<nil>)");
	}
	if (role.bindSecretId) {
		role.secretIds.use(input.secretId);
	}
	return &role;
}

Logins::Proven Logins::proveJwt(Attempt& attempt)
{
	const auto& input = attempt.input;
	const auto& wanted = input.role.empty() ? attempt.mount.defaultRole : input.role;
	if (wanted.empty()) {
		return refused(400, "missing role");
	}
	const auto* const role = attempt.roleNamed(wanted);
	if (role == nullptr) {
		return refused(400, "role \"" + wanted + "\" could not be found");
	}
	if (input.jwt.empty()) {
		return refused(400, "missing token");
	}
	if (attempt.mount.keysAway) {
		const auto& peer = attempt.mount.peer;
		return refused(
			400, "error validating token: error verifying token signature: fetching keys oidc: get keys failed Get "
				 "\"http://" +
					 peer + "/jwks\": dial tcp " + peer + ": connect: connection refused");
	}
	auto demands = role->jwt;
	demands.keys = attempt.mount.jwt.keys;
	demands.issuer = attempt.mount.jwt.issuer;
	const auto claims = verifyJwt(input.jwt, demands, attempt.now);
	if (!claims) {
		return refused(400, claims.error());
	}
	attempt.identity = (*claims)->optValue<std::string>("sub", "");
	attempt.meta = {{"role", wanted}};
	return role;
}

Logins::Proven Logins::proveKubernetes(Attempt& attempt)
{
	const auto& input = attempt.input;
	if (input.role.empty()) {
		return refused(400, "missing role");
	}
	if (input.jwt.empty()) {
		return refused(400, "missing jwt");
	}
	const auto* const role = attempt.roleNamed(input.role);
	if (role == nullptr) {
		return refused(400, "invalid role name \"" + input.role + "\"");
	}
	auto demands = role->jwt;
	demands.keys = attempt.mount.jwt.keys;
	const auto claims = verifyJwt(input.jwt, demands, attempt.now);
	if (!claims) {
		static const std::string prefix = "error validating token: ";
		const auto words = claims.error().substr(std::min(prefix.size(), claims.error().size()));
		return words.starts_with("invalid ") ? refused(403, words) : permissionDenied();
	}
	const auto pod = (*claims)->getObject("kubernetes.io");
	const auto account = pod ? pod->getObject("serviceaccount") : nullptr;
	if (!account) {
		return permissionDenied();
	}
	const auto space = pod->optValue<std::string>("namespace", "");
	const auto name = account->optValue<std::string>("name", "");
	if (!accepts(role->serviceNamespaces, space)) {
		return refused(403, "namespace not authorized");
	}
	if (!accepts(role->serviceAccounts, name)) {
		return refused(403, "service account name not authorized");
	}
	if (attempt.mount.reviewAway) {
		return permissionDenied();
	}
	attempt.identity = account->optValue<std::string>("uid", "");
	attempt.meta = {{"role", input.role}, {"service_account_name", name}, {"service_account_namespace", space},
		{"service_account_secret_name", ""}, {"service_account_uid", attempt.identity}};
	return role;
}

Logins::Proven Logins::proveCertificate(Attempt& attempt)
{
	const auto& input = attempt.input;
	if (!input.certificate) {
		return refused(400, "no client certificate found");
	}
	const auto& certificate = *input.certificate;
	const auto found = std::ranges::find_if(attempt.mount.roles, [&](const auto& entry) {
		return (input.role.empty() || input.role == entry.first) && certificate.isSignedBy(entry.second.authority);
	});
	if (found == attempt.mount.roles.end()) {
		return refused(400, "invalid certificate or no client certificate supplied");
	}
	if (const auto words = certificate.notValid(attempt.now); !words.empty()) {
		return refused(500, words);
	}
	const auto& [name, role] = *found;
	attempt.name = name;
	attempt.identity = certificate.commonName();
	if (!role.commonNames.empty() && !accepts(role.commonNames, attempt.identity)) {
		return refused(400, noMatchingChain);
	}
	attempt.meta = {{"authority_key_id", "00:00"}, {"cert_name", name}, {"common_name", attempt.identity},
		{"serial_number", certificate.serialNumber()}, {"subject_key_id", "00:01"}};
	return &role;
}

Logins::Proven Logins::provePassword(Attempt& attempt)
{
	const auto& input = attempt.input;
	const bool isDirectory = attempt.mount.type == "ldap";
	if (input.password.empty()) {
		return isDirectory ? refused(400, "password cannot be of zero length when passwordless binds are being denied")
						   : refused(500, "missing password");
	}
	attempt.identity = input.user;
	attempt.meta = {{"username", input.user}};
	if (attempt.isLocked()) {
		return permissionDenied();
	}
	if (isDirectory && attempt.mount.directoryAway) {
		const auto& peer = attempt.mount.peer;
		return refused(400, "1 error occurred:\n\t* error connecting to host \"ldap://" + peer +
								"\": LDAP Result Code 200 \"Network Error\": dial tcp " + peer +
								": connect: connection refused\n\n");
	}
	const auto* const user = attempt.roleNamed(input.user);
	if (user == nullptr || user->password != input.password) {
		return attempt.wrong(
			isDirectory ? "ldap operation failed: failed to bind as user" : "invalid username or password");
	}
	if (!isDirectory && !isWithinAny(input.address, user->tokenCidrs)) {
		return permissionDenied();
	}
	if (isDirectory) {
		attempt.warnings.emplace_back("no LDAP groups found in groupDN \"dc=example\"; only policies from "
									  "locally-defined groups available");
	}
	return user;
}

tl::expected<Logins::Granted, TokenError> Logins::logIn(
	const std::string& mountPath, const LoginInput& input, ServerTime now)
{
	auto& mount = mounts.at(mountPath);
	Attempt attempt{mount, input, now};
	const auto proven = mount.type == "approle"      ? proveAppRole(attempt)
						: mount.type == "jwt"        ? proveJwt(attempt)
						: mount.type == "kubernetes" ? proveKubernetes(attempt)
						: mount.type == "cert"       ? proveCertificate(attempt)
													 : provePassword(attempt);
	if (!proven) {
		return tl::unexpected(proven.error());
	}
	const LoginRole& role = **proven;
	if (disabledEntities.contains(attempt.identity)) {
		return permissionDenied();
	}
	mount.lockout.succeeded(attempt.identity);

	const auto auth = mountPath.find("auth/");
	const bool hasUser = mount.type == "userpass" || mount.type == "ldap";
	Granted granted{.wish = {}, .warnings = std::move(attempt.warnings)};
	granted.hasData = mount.type == "ldap";
	granted.wantsMfa = role.wantsMfa;
	auto& wish = granted.wish;
	wish.ttl = role.ttl;
	wish.period = role.period;
	wish.explicitMaxTtl = role.explicitMaxTtl;
	wish.numUses = role.numUses;
	wish.batch = role.batch || mount.batch;
	wish.noDefaultPolicy = role.noDefaultPolicy;
	wish.policies = role.policies;
	wish.boundCidrs = role.tokenCidrs;
	wish.namespacePath = mountPath.substr(0, auth);
	wish.displayName = mount.type;
	wish.meta = std::move(attempt.meta);
	wish.login = Login{.path = mountPath.substr(auth) + "/login" + (hasUser ? "/" + input.user : ""),
		.entityId = entityOf(attempt.identity),
		.maxTtl = shorter(role.maxTtl, mount.maxTtl),
		.needsClientCertificate = mount.type == "cert",
		.mount = mountPath,
		.role = attempt.name,
		.identity = attempt.identity,
		.certificate = input.certificate ? input.certificate->pem : ""};
	if (const auto policies = entityPolicies.find(attempt.identity); policies != entityPolicies.end()) {
		wish.login->policies = policies->second;
	}
	return granted;
}

std::optional<TokenError> Logins::againstRenewal(
	const Login& login, const std::optional<ClientCertificate>& certificate, ServerTime now) const
{
	const auto failed = [](const std::string& words) {
		return TokenError{500, "1 error occurred:\n\t* failed to renew entry: " + words + "\n\n"};
	};
	if (login.mount.empty()) { // a token that only says that it came from a login
		return login.needsClientCertificate && !certificate ? std::optional(TokenError{400, noCertificate})
															: std::nullopt;
	}
	const auto& mount = mounts.at(login.mount);
	const auto role = mount.roles.find(login.role);
	if (role == mount.roles.end()) {
		const bool saysSo = mount.type == "approle" || mount.type == "jwt" || mount.type == "kubernetes";
		return saysSo ? failed("role " + login.role + " does not exist during renewal") : TokenError{204, ""};
	}
	if (mount.type != "cert" || !mount.bindsCertificate) {
		return {};
	}
	if (!certificate) {
		return TokenError{400, noCertificate};
	}
	if (const auto words = certificate->notValid(now); !words.empty()) {
		return failed(words);
	}
	const auto& names = role->second.commonNames;
	if (!certificate->isSignedBy(role->second.authority) ||
		(!names.empty() && !accepts(names, certificate->commonName()))) {
		return TokenError{400, noMatchingChain};
	}
	return certificate->pem == login.certificate
			   ? std::nullopt
			   : std::optional(failed("client identity during renewal not matching client identity used during "
									  "login:\n\toriginal: [BYTES]\n\trenewal: [BYTES]"));
}

std::string Logins::mountOf(std::string_view path) const
{
	for (const auto& [mount, facts] : mounts) {
		if (path.starts_with(mount + "/")) {
			return mount;
		}
	}
	return "";
}

} // namespace issuer::test
