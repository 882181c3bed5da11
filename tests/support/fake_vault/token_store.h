#pragma once

#include "fake_vault/clock.h"
#include "fake_vault/lease.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace issuer::test {

/// For a token of a login: the view of its auth mount.
struct Login
{
	std::string path = "auth/approle/login";
	std::string entityId = "00000000-0000-0000-0000-000000000001";
	std::chrono::seconds maxTtl{0}; ///< of the login's role; 0: none. A token does not show it
	bool needsClientCertificate = false;
	std::string mount = {};                 ///< of Logins, with its namespace; empty: a token that only says so
	std::string role = {};                  ///< or user, at the mount
	std::string identity = {};              ///< of the entity
	std::string certificate = {};           ///< PEM: presented at the login
	std::vector<std::string> policies = {}; ///< of the entity
};

/// The properties of a token to be created. The names are those of `auth/token/create`.
struct TokenWish
{
	std::chrono::seconds ttl{0};            ///< 0: the server's default; with policy root: for ever
	std::chrono::seconds period{0};         ///< 0: not periodic
	std::chrono::seconds explicitMaxTtl{0}; ///< 0: none
	int numUses = 0;                        ///< 0: unlimited
	bool renewable = true;
	bool batch = false;
	bool noDefaultPolicy = false;
	bool noParent = false;
	std::vector<std::string> policies = {"default"};
	std::string role = {};          ///< a token role; empty: none
	std::string namespacePath = {}; ///< "ns1/"; empty: the root namespace
	std::string displayName = "token";
	std::map<std::string, std::string> meta = {};
	std::vector<std::string> boundCidrs = {}; ///< of a login's role
	std::optional<Login> login = {};          ///< set: an orphan of that mount, whose ttl is read again at each renewal
};

/// A token role (`auth/token/roles/<name>`), in the fields that change a token's life.
struct TokenRole
{
	std::chrono::seconds period{0};
	std::chrono::seconds explicitMaxTtl{0};
	bool renewable = true;
	bool orphan = false;
	bool batch = false;
	std::vector<std::string> boundCidrs = {};
};

/// An answer that refuses: its status and the text in `errors`; none: an empty body.
struct TokenError
{
	int status;
	std::string error;
};

struct Token
{
	std::string id;
	std::string accessor; ///< empty for a batch token
	std::string parent;   ///< empty for an orphan
	TokenWish wish;       ///< as asked for; policies completed and sorted
	std::chrono::seconds creationTtl{0};
	std::chrono::seconds granted{0}; ///< by the last grant; 0: never expires
	ServerTime issued;
	std::optional<ServerTime> expires; ///< nothing: never
	std::optional<ServerTime> renewed;
	bool renewable = false;
	bool hasLease = true; ///< the root token of sys/init has none
	int usesLeft = 0;     ///< -1: this very request is the last; 0: unlimited
	std::string path;
	std::vector<std::string> boundCidrs;
	bool orphan = false;
	std::optional<TokenError> renewalRefused; ///< the reason of its auth mount against a renewal
};

/// Tokens and their leases with honest arithmetic. Pure: the time is an argument, nothing waits, no locks.
class TokenStore
{
public:
	/// The bounds of every token of the mount; `sys/auth/token/tune` changes them.
	struct Tuning
	{
		std::chrono::seconds defaultTtl = std::chrono::hours(768);
		std::chrono::seconds maxTtl = std::chrono::hours(768);
	};

	struct Created
	{
		const Token* token; ///< owned by the store
		std::optional<std::string> warning;
	};

	TokenStore();

	/// Makes the token that sys/init would return: without a lease. `id` empty: a random one.
	const Token& createInitialRoot(std::string id, ServerTime now);

	/// `parent` empty: an orphan.
	tl::expected<Created, TokenError> create(TokenWish wish, const std::string& parent, ServerTime now);

	/// A one-use token that can do nothing but unwrap; the first other call destroys it.
	const Token& createWrapping(std::chrono::seconds ttl, ServerTime now);

	/// The token if it lives at `now`, else null. Valid until the store is changed.
	[[nodiscard]] const Token* find(const std::string& id, ServerTime now);

	/// Notes one use, of a live token. True: it was the last, so revoke() it when the request has been answered.
	bool use(const std::string& id);

	/// Renews a live token; `increment` 0 asks for the previous grant again.
	tl::expected<Created, TokenError> renew(const std::string& id, std::chrono::seconds increment, ServerTime now);

	/// From now on each renewal of a live token is refused so: the role or user that it came from has changed.
	void refuseRenewals(const std::string& id, TokenError refusal);

	void revoke(const std::string& id);           ///< and its children; unknown ones are no error
	void revokeOfMount(const std::string& mount); ///< the tokens that logins there have made
	void revokeByAccessor(const std::string& accessor);

	/// The display name of a token that lives or has lived; empty: never heard of it.
	[[nodiscard]] std::string nameOf(const std::string& id) const;

	Tuning tuning;
	std::map<std::string, TokenRole> roles;

private:
	[[nodiscard]] lease::Limits limitsOf(const Token& token) const;
	std::string randomText(std::size_t length);
	Token blank(bool batch, const std::string& namespacePath, ServerTime now);

	const Token& add(Token token);

	std::map<std::string, Token> _tokens;
	std::map<std::string, std::string> _names; ///< of the dead ones too
	std::mt19937_64 _random;
};

} // namespace issuer::test
