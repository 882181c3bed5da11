#pragma once

#include "fake_vault/client_certificate.h"
#include "fake_vault/jwt.h"
#include "fake_vault/lockout.h"
#include "fake_vault/secret_ids.h"
#include "fake_vault/token_store.h"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace issuer::test {

/// A role or a user of an auth mount: the limits of its tokens, and the conditions of a login.
struct LoginRole
{
	std::chrono::seconds ttl{0}; ///< 0: the server's default
	std::chrono::seconds maxTtl{0};
	std::chrono::seconds period{0};
	std::chrono::seconds explicitMaxTtl{0};
	int numUses = 0;
	bool batch = false;
	bool noDefaultPolicy = false;
	std::vector<std::string> policies = {};
	std::vector<std::string> tokenCidrs = {};
	bool wantsMfa = false;

	/// AppRole.
	std::string roleId = {};
	bool bindSecretId = true;
	std::vector<std::string> cidrs = {}; ///< secret_id_bound_cidrs
	SecretIds secretIds = {};
	std::chrono::seconds secretIdTtl{0}; ///< of new ones; 0: for ever
	int secretIdUses = 0;                ///< of new ones; 0: unlimited

	/// JWT and Kubernetes.
	JwtDemands jwt = {};
	std::vector<std::string> serviceAccounts = {}; ///< "*": any
	std::vector<std::string> serviceNamespaces = {};

	/// Certificate: the authority as PEM.
	std::string authority = {};
	std::vector<std::string> commonNames = {}; ///< empty: any

	/// Userpass and LDAP.
	std::string password = {};
};

struct AuthMount
{
	std::string type;               ///< approle, jwt, kubernetes, cert, userpass, ldap
	std::chrono::seconds maxTtl{0}; ///< max_lease_ttl; 0: the system's
	bool batch = false;             ///< tuned to token_type batch
	Lockout lockout = {};
	std::map<std::string, LoginRole> roles = {}; ///< by the role's or the user's name

	std::string defaultRole = {};     ///< JWT
	JwtDemands jwt = {};              ///< JWT and Kubernetes: keys and issuer
	bool keysAway = false;            ///< JWT: the server that has the keys does not answer
	bool reviewAway = false;          ///< Kubernetes: the TokenReview cannot be asked, or says no
	std::string peer = "127.0.0.1:1"; ///< the address of the server that is away, as the error names it
	bool directoryAway = false;       ///< LDAP: the directory does not answer
	bool bindsCertificate = true;     ///< Certificate: only the login's own certificate renews (disable_binding: false)
};

/// The parameters of a login.
struct LoginInput
{
	std::string user = {}; ///< behind login/
	std::string roleId = {};
	std::string secretId = {};
	std::string role = {}; ///< or the name of a certificate role
	std::string jwt = {};
	std::string password = {};
	std::optional<ClientCertificate> certificate = {};
	std::string address = "127.0.0.1"; ///< of the client
};

/// The auth mounts of a server and their logins, with the words of OpenBao 2.6.2. Pure: the time is an argument,
/// nothing waits, no locks.
class Logins
{
public:
	struct Granted
	{
		TokenWish wish;
		std::vector<std::string> warnings = {};
		bool hasData = false;  ///< the reply has an empty `data`
		bool wantsMfa = false; ///< no token is made
	};

	/// `mount`: with its namespace, "ns1/auth/approle".
	tl::expected<Granted, TokenError> logIn(const std::string& mount, const LoginInput& input, ServerTime now);

	/// Returns the refusal of a renewal of a token that a login has made; nothing: its mount has none against it.
	[[nodiscard]] std::optional<TokenError> againstRenewal(
		const Login& login, const std::optional<ClientCertificate>& certificate, ServerTime now) const;

	/// Returns the mount of a path, "auth/approle" of "auth/approle/role/web"; empty: there is none.
	[[nodiscard]] std::string mountOf(std::string_view path) const;

	std::map<std::string, AuthMount> mounts;
	std::set<std::string> disabledEntities; ///< by the identity: role_id, user, subject, service account, common name
	std::map<std::string, std::vector<std::string>> entityPolicies; ///< the same

private:
	struct Attempt;
	using Proven = tl::expected<const LoginRole*, TokenError>;

	static constexpr const char* noCertificate = "no client certificate found";
	static constexpr const char* noMatchingChain =
		"no chain matching all constraints could be found for this login certificate";

	static Proven proveAppRole(Attempt& attempt);
	static Proven proveJwt(Attempt& attempt);
	static Proven proveKubernetes(Attempt& attempt);
	static Proven proveCertificate(Attempt& attempt);
	static Proven provePassword(Attempt& attempt);
};

/// Returns whether a numeric address is in one of the CIDR blocks; empty: in any.
[[nodiscard]] bool isWithinAny(const std::string& address, const std::vector<std::string>& cidrs);

} // namespace issuer::test
