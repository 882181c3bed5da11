#pragma once

#include "base/http.h"
#include "credential/secret.h"
#include "renewal/login_facts.h"

#include <array>
#include <optional>
#include <string_view>
#include <variant>

/// Requests and replies of logins, of unwrapping, and of what becomes of a login's token and secret_id. No socket.
namespace issuer::vault::wire {

/// The auth mount that a login goes to. Borrows its texts.
struct LoginPlace
{
	renewal::LoginMethod method = renewal::LoginMethod::appRole;
	std::string_view mount;          ///< "auth/approle"; slashes at its ends do not count
	std::string_view vaultNamespace; ///< empty: the root namespace
};

/// The two parts of a login. Borrows its texts.
struct LoginParts
{
	/// AppRole: role_id. Kubernetes, JWT: the role; a JWT mount with a default_role needs none. Certificate: the role,
	/// or empty: any that accepts the certificate. Userpass, LDAP: the user's name.
	std::string_view identity;
	/// AppRole: secret_id, or empty for a role without. Kubernetes, JWT: the JWT. Userpass, LDAP: the password.
	/// Certificate: not used; the connection's client certificate counts.
	std::string_view secret;
};

/// A request, with what is needed to read its reply. `http` and `secrets` borrow the secrets, and `http` the namespace,
/// until the reply has been read; `http.body` copies secrets into memory that is wiped.
struct LoginRequest
{
	HttpRequest http;
	renewal::LoginOperation operation = renewal::LoginOperation::logIn;
	renewal::LoginMethod method = renewal::LoginMethod::appRole;
	std::array<std::string_view, 2> secrets; ///< hidden where the reply repeats them; empty ones do not count
	std::optional<WallTime> made = {};       ///< of an unwrapping: the hour at which its content was made, if known
};

/// The meaning of a reply, and the secret that came with it.
struct LoginReply
{
	renewal::LoginAnswer answer;
	/// With LoggedIn: the token. With the SecretIdFacts of an unwrapping: the secret_id. Otherwise empty.
	credential::Secret secret;
};

/// The kind of an auth mount, as far as an empty login shows it.
enum class MountKind : std::uint8_t
{
	none, ///< no such mount in this namespace; or one of a kind that has no such path
	appRole,
	jwtOrKubernetes, ///< both answer alike
	certificate,
	userpass,
	ldap,
	other, ///< a mount, or something before the server, that answers in unknown words
};

/// Returns the mount of a method where none is configured: "auth/approle".
[[nodiscard]] std::string_view defaultMount(renewal::LoginMethod method) noexcept;

/// Makes a login. It cannot be repeated: a lost answer may have made a token and spent a use of the secret_id. A token
/// that came from a certificate is renewed only over connections with the same certificate. `place.method` is not
/// `wrappedToken`.
[[nodiscard]] LoginRequest logIn(const LoginPlace& place, const LoginParts& parts);

/// Makes the request that unwraps a token, if `method` is `wrappedToken`, or else a secret_id. It cannot be repeated:
/// if its answer is lost, so is the content. `made`: WrappingFacts::made, from which the end of a secret_id is counted;
/// the reply does not tell the hour. None: the end stays unknown.
[[nodiscard]] LoginRequest unwrap(renewal::LoginMethod method, std::string_view wrappingToken,
	std::string_view vaultNamespace, std::optional<WallTime> made = std::nullopt);

/// Makes the request that shows where a wrapping token was made and until when it can be unwrapped. Consumes nothing.
[[nodiscard]] LoginRequest lookUpWrapping(std::string_view wrappingToken, std::string_view vaultNamespace);

/// Makes the request that shows the remaining uses and the end of a secret_id. Costs none of its uses; `token` needs a
/// policy for it. `role`: the name of the role, which a login's reply shows, not its role_id.
[[nodiscard]] LoginRequest lookUpSecretId(
	const LoginPlace& place, std::string_view token, std::string_view role, std::string_view secretId);

/// Makes the request with which a token revokes itself, its children and its leases.
[[nodiscard]] LoginRequest revokeSelf(std::string_view token, std::string_view vaultNamespace);

/// Makes an empty login, which changes nothing and counts to no lockout. Its reply shows that the server answers
/// (classify() calls it a trouble), and the kind of the mount (classifyProbe()). Must not travel over a connection with
/// a client certificate: at a mount for certificates it would log in.
[[nodiscard]] LoginRequest emptyLogin(const LoginPlace& place);

/// Returns the kind of mount that a reply to emptyLogin() shows; or the trouble that kept it from telling.
[[nodiscard]] std::variant<MountKind, renewal::LoginTrouble> classifyProbe(HttpReply& reply);

/// Returns the meaning of a complete reply to `request`. The token or secret_id in it goes from wiped memory into
/// `secret`, and nothing that may hold a secret is copied anywhere else; `reply.body` is wiped and empty afterwards.
[[nodiscard]] LoginReply classify(const LoginRequest& request, HttpReply& reply);

/// Returns the meaning of a missing reply.
[[nodiscard]] renewal::LoginTrouble classifyLogin(const ExchangeError& error);

} // namespace issuer::vault::wire
