#pragma once

#include "base/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

/// The inputs of the renewal core: plain data, which vault/ produces from a server's replies.
namespace issuer::vault::renewal {

/// The reason for a token's state. Values and order are those of `issuer_reason`.
enum class Reason : std::int32_t
{
	none,
	network,
	timeout,
	tls,
	sealed,
	throttled,
	server,
	refused,
	malformed,
	config,
	maxTtl,
	notRenewable,
	batch,
	limitedUses,
	expired,
	credentialChanged,
	credentialUnreadable,
	loggedIn,     ///< a login brought the token that is in use from now on
	loginRefused, ///< the server does not accept what we log in with
	loginEnds,    ///< what we log in with ends before the next login
};

enum class Operation : std::uint8_t
{
	lookUp, ///< GET  /v1/auth/token/lookup-self
	renew,  ///< POST /v1/auth/token/renew-self
};

/// A 200 of lookup-self.
struct TokenFacts
{
	Duration ttl{};                       ///< remaining life in whole seconds, as the server rounded it
	bool expires = true;                  ///< false: `expire_time` was null; such a token lives for ever
	Duration creationTtl{};               ///< its first lease; 0 unknown
	Duration period{};                    ///< 0: not periodic, or the server does not say
	Duration explicitMaxTtl{};            ///< 0: none, or the server does not say
	std::optional<WallTime> creationTime; ///< whole seconds of the server's clock
	std::optional<WallTime> expireTime;   ///< the server's clock too: against it, creationTime needs no clock of ours
	std::int64_t usesLeft = 0;            ///< 0 unlimited; -1 this look-up was the last one
	bool renewable = true;                ///< a lease that may be extended; true where the server does not say
	bool batch = false;

	friend bool operator==(const TokenFacts&, const TokenFacts&) = default;
};

/// A 200 of renew-self with an `auth` object.
struct Grant
{
	Duration lease{};        ///< from the moment the server answered; > 0
	bool capWarning = false; ///< the server cut the lease at the end of a max TTL: «TTL of "8s" exceeded the effective
							 ///< max_ttl of "7s"». Not «period of …»: that shortens each lease, and ends none
	bool renewable = true;   ///< `auth.renewable`; false: no renewal will extend the token again

	friend bool operator==(const Grant&, const Grant&) = default;
};

/// A 200 of renew-self whose content was wrapped: the lease was extended, by how much was not said.
struct WrappedGrant
{
	friend bool operator==(const WrappedGrant&, const WrappedGrant&) = default;
};

/// Any other result of an attempt.
struct Trouble
{
	enum class Kind : std::uint8_t
	{
		/// alive, but the server will not renew it (policy, role or user gone); an operator may change that.
		denied,
		refused,        ///< the server does not accept the token; dead, or a wrong source address, a disabled entity
		unclearRefusal, ///< a 403 in unknown words: one look-up tells denied from refused
		gone,           ///< the server has no such token any more
		pastMaxTtl,     ///< cannot be extended; a look-up tells the remaining life
		notRenewable,   ///< was created so
		batch,          ///< batch tokens are never renewable
		noLease,        ///< "invalid lease ID": a root token without a lease, which never expires
		throttled,      ///< a quota; see retryAfter
		serverAway,     ///< sealed, no leader, any 5xx without a verdict on the token
		malformed,      ///< an answer that is not Vault's: a proxy's page, a truncated body
		configuration,  ///< wrong path, namespace, scheme or certificate: an operator must look
		transport,      ///< no complete answer
		cancelled,      ///< by stop: no outcome
	};

	Kind kind = Kind::transport;
	Reason reason = Reason::network;
	std::optional<Duration> retryAfter; ///< set only for `throttled` and `serverAway`, and only if > 0
	std::string detail;                 ///< one line for the operator; never a secret
	bool unsent = false;                ///< certainly unsent: the server cannot have carried it out
	/// The same request was sent before, in the same attempt, and not answered: the server may have carried that out.
	bool sentBefore = false;
};

/// The token of an attempt.
enum class Token : std::uint8_t
{
	current,   ///< the one in use
	candidate, ///< the source's newest, which the server has not accepted yet
};

/// The result of one attempt.
using Answer = std::variant<TokenFacts, Grant, WrappedGrant, Trouble>;

} // namespace issuer::vault::renewal
