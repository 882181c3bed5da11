#pragma once

#include "fake_vault/clock.h"
#include "fake_vault/logins.h"
#include "fake_vault/policy.h"
#include "fake_vault/quota.h"
#include "fake_vault/token_store.h"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace issuer::test {

class Fields;
struct ApiReply;
struct ApiRequest;

/// The state of a server in its cluster, which decides its answers to a renewer.
enum class NodeState
{
	active,
	standby,        ///< answers look-ups by itself and forwards the rest to the leader, which is this same fake
	leaderless,     ///< a standby whose leader is dead, or that does not forward: 307 to the leader
	betweenLeaders, ///< 503, for a moment
	formerLeader,   ///< 500 just after it stepped down
	losesQuorum,    ///< 500 in the middle of the write; whether it was written is unknown (here: it was not)
	sealed,
	uninitialised,
};

/// The part of Vault's API that concerns a token's own life, from its login on: takes a request, returns the reply of
/// OpenBao 2.6.2. No sockets; every reply is one that `tests/servers` saw a real server give. [thread-safe]
class Api
{
public:
	struct Options
	{
		std::string rootToken; ///< empty: a random one
		TokenStore::Tuning tuning;
	};

	/// `clock` is borrowed for the life of the object.
	Api(const ServerClock& clock, const Options& options);

	[[nodiscard]] ApiReply handle(const ApiRequest& request);

	[[nodiscard]] const std::string& rootToken() const { return _root; }
	void setNode(NodeState state);
	void setNodeFor(std::chrono::nanoseconds howLong, NodeState state); ///< and active again after that
	void setLeader(const std::string& address);                         ///< where a 307 of this node points to
	void setQuota(const std::optional<Quota::Rule>& rule);              ///< nothing: no quota

	/// For tests that want a token without asking over the wire; throws std::invalid_argument for an unknown role.
	[[nodiscard]] std::string createToken(const TokenWish& wish);
	void revoke(const std::string& token);
	/// The display name of a token, also when it is dead, for logs that must not show the token; empty: unknown.
	[[nodiscard]] std::string nameOf(const std::string& token);
	[[nodiscard]] bool isAlive(const std::string& token);
	/// From now on the token's renewals are refused so: its role or user has changed. No error text: an empty 204.
	void refuseRenewals(const std::string& token, const TokenError& refusal);
	/// A token that can do nothing but unwrap; the first other call destroys it.
	[[nodiscard]] std::string createWrappingToken(std::chrono::seconds ttl);
	void writeRole(const std::string& name, const TokenRole& role);
	void removeRole(const std::string& name);
	void createNamespace(const std::string& name);
	void lockNamespace(const std::string& name);
	void writePolicy(const std::string& name, const std::string& text);
	void tune(const TokenStore::Tuning& tuning);
	/// Changes auth mounts, their roles and the material of logins. `change` must not call the Api.
	void changeLogins(const std::function<void(Logins& logins, ServerTime now)>& change);

private:
	struct Call;
	struct Route;
	static const std::vector<Route> routes;

	ApiReply answer(const ApiRequest& request);
	ApiReply answerUnsealed(const ApiRequest& request, const std::string& resource);
	ApiReply answerInNamespace(const ApiRequest& request, std::string path);
	std::optional<ApiReply> answerForTheCluster(const ApiRequest& request, const std::string& path);
	ApiReply answerToken(Call& call);
	ApiReply dispatch(Call& call);
	ApiReply wrap(const ApiRequest& request, const std::string& path, const ApiReply& reply);

	/// Answers logins and requests about a wrapping token; nothing: the request is another one.
	std::optional<ApiReply> answerWithoutToken(
		const ApiRequest& request, const std::string& path, const std::string& inNamespace, Fields& fields);
	ApiReply logIn(const ApiRequest& request, const std::string& path, const std::string& mount,
		const std::string& user, Fields& fields);
	std::string wrappingTokenOf(const ApiRequest& request, Fields& fields);
	ApiReply unwrap(const ApiRequest& request, Fields& fields);
	ApiReply lookUpWrapping(const ApiRequest& request, Fields& fields);
	ApiReply authMount(Call& call);
	ApiReply onMount(Call& call, const std::string& mountPath);
	ApiReply onAppRole(Call& call, AuthMount& mount, const std::string& name, const std::string& rest);

	ApiReply createRoute(Call& call);
	ApiReply createOrphan(Call& call);
	ApiReply lookupSelf(Call& call);
	ApiReply renewSelf(Call& call);
	ApiReply revokeSelf(Call& call);
	ApiReply revokeOther(Call& call);
	ApiReply revokeAccessor(Call& call);
	ApiReply role(Call& call);

	ApiReply health() const;
	ApiReply sealStatus() const;
	ApiReply seal(Call& call);
	ApiReply capabilitiesSelf(Call& call);
	ApiReply policy(Call& call);
	ApiReply tuneTokens(Call& call);
	ApiReply namespaces(Call& call);
	ApiReply lockNamespace(Call& call);
	ApiReply unlockNamespace(Call& call);
	ApiReply quota(Call& call);
	ApiReply quotaConfig(Call& call);

	const ServerClock& _clock;
	std::mutex _mutex; ///< guards all below
	NodeState node() const;

	NodeState _node = NodeState::active;
	std::optional<ServerTime> _nodeUntil;
	std::string _leader = "http://127.0.0.1:8200";
	std::optional<Quota> _quota;
	bool _quotaHeaders = false;
	/// The reply behind a wrapping token.
	struct Wrapped
	{
		std::string body;
		std::string path; ///< of its request
		ServerTime created;
		std::chrono::seconds ttl;
	};

	TokenStore _tokens;
	Logins _logins;
	std::map<std::string, Wrapped> _wrapped; ///< by the wrapping token
	Policies _policies;
	std::map<std::string, bool> _namespaces; ///< path → locked
	std::string _root;
};

} // namespace issuer::test
