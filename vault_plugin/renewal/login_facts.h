#pragma once

#include "renewal/facts.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The inputs of the login core: plain data without secrets. wire/ produces the answers, credential/ the material.
namespace issuer::vault::renewal {

enum class LoginMethod : std::uint8_t
{
	appRole,
	kubernetes,
	jwt,
	certificate,
	userpass,
	ldap,
	wrappedToken, ///< no login: the token itself is unwrapped, once
};

enum class LoginOperation : std::uint8_t
{
	lookUpWrapping, ///< POST sys/wrapping/lookup: where the wrapped secret was made, and until when it can be unwrapped
	unwrap,         ///< POST sys/wrapping/unwrap: cannot be repeated, its answer may be lost
	logIn,          ///< POST auth/<mount>/login: makes a token, which a lost answer leaves behind
	lookUpSecretId, ///< POST auth/<mount>/role/<role>/secret-id/lookup: remaining uses and expiry
	revoke,         ///< POST auth/token/revoke-self, of a token that a login made
};

/// A 200 of a login, or of the unwrapping of a token. The token itself goes to the credential's holder.
struct LoggedIn
{
	Duration lease{};           ///< from the moment the server answered; 0: never expires
	bool renewable = true;      ///< false for batch tokens as well
	bool batch = false;         ///< cannot be revoked either
	bool cappedAtBirth = false; ///< warning "exceeded the effective max_ttl": no renewal reaches beyond the lease
	std::int64_t usesLeft = 0;  ///< of the token; 0 unlimited
	std::string roleName;       ///< `metadata.role_name` of AppRole; may be empty
	std::vector<std::string> policies;

	friend bool operator==(const LoggedIn&, const LoggedIn&) = default;
};

/// A 200 of sys/wrapping/lookup.
struct WrappingFacts
{
	std::string creationPath;
	std::optional<WallTime> made; ///< creation_time, by the server's clock
	std::optional<WallTime> ends; ///< creation_time + creation_ttl, by the server's clock
};

/// A 200 of sys/wrapping/unwrap that brought a secret_id, or of secret-id/lookup. The secret goes to its holder.
struct SecretIdFacts
{
	std::optional<WallTime> ends;         ///< none: never; may work up to a minute longer
	std::optional<std::int64_t> usesLeft; ///< none: unlimited
	bool gone = false;                    ///< the look-up found no such secret_id
};

/// A 2xx of revoke-self.
struct Revoked
{
};

/// Any other result of a login's request.
struct LoginTrouble
{
	enum class Kind : std::uint8_t
	{
		passes,        ///< network, standby, seal, quota, a server behind the server: as an outage
		material,      ///< what the login is made of is wrong or used up: nothing but other bytes can help
		configuration, ///< role, mount, namespace, audience, source address, MFA: an operator must look
		ambiguous,     ///< "permission denied": a lockout, no such mount, a wrong source address, a disabled entity
		spent,         ///< the wrapping token is used, ended or unknown
		forbidden,     ///< this request is not allowed to the token (secret-id look-up, revoke): never final
		cancelled,     ///< by stop: no outcome
	};

	Kind kind = Kind::passes;
	Reason reason = Reason::network;
	std::optional<Duration> retryAfter; ///< > 0
	std::string detail;                 ///< one line for the operator; never a secret, nor a role_id
	bool unsent = false;                ///< certainly unsent: no use spent, no token made
};

using LoginAnswer = std::variant<LoggedIn, WrappingFacts, SecretIdFacts, Revoked, LoginTrouble>;

/// The material of a login as far as it can be known without asking: files and values, read and checked by the
/// instance, which keeps the bytes.
struct LoginMaterial
{
	bool usable = false;            ///< all parts can be read and look right
	std::string trouble;            ///< why not; empty: usable, or not read yet. Quotes nothing of the parts
	std::uint64_t mark = 0;         ///< keyed hash of all bytes: another mark is other material
	std::uint64_t identityMark = 0; ///< keyed hash of role_id, role, username and mount, for the shared budget
	std::optional<WallTime> ends;   ///< `exp` of a JWT, `notAfter` of a certificate
	bool refreshed = false;         ///< replaced regularly from outside: it has been seen to change before its end
	bool wrapped = false;           ///< the secret_id, or the token, is wrapped
};

} // namespace issuer::vault::renewal
