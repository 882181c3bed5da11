#include "fake_vault/api.h"

#include "fake_vault/call.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <Poco/Path.h>
#include <Poco/String.h>
#include <Poco/URI.h>

namespace issuer::test {
namespace {

bool isWrite(const std::string& method)
{
	return method == "POST" || method == "PUT" || method == "PATCH";
}

/// The capability that a verb needs; empty: none will do.
std::string capabilityFor(const std::string& method, const std::string& path)
{
	if (method == "GET") {
		return path.ends_with('/') ? "list" : "read";
	}
	if (method == "POST" || method == "PUT") {
		return "update";
	}
	static const std::map<std::string, std::string> others{{"LIST", "list"}, {"DELETE", "delete"}, {"PATCH", "patch"}};
	const auto found = others.find(method);
	return found == others.end() ? "" : found->second;
}

bool permits(const Capabilities& capabilities, const std::string& needed)
{
	return capabilities.contains("root") || capabilities.contains(needed);
}

/// The path as it should have been written: without empty segments, "." and "..".
std::string cleaned(const std::string& path)
{
	std::vector<std::string> segments;
	Poco::URI("", "", path).getPathSegments(segments);
	std::vector<std::string> kept;
	for (auto& segment : segments) {
		if (segment == "..") {
			if (!kept.empty()) {
				kept.pop_back();
			}
		}
		else if (segment != ".") {
			kept.push_back(std::move(segment));
		}
	}
	std::string clean;
	for (const auto& segment : kept) {
		clean += "/" + segment;
	}
	return clean + (path.ends_with('/') ? "/" : "");
}

bool isSealed(NodeState node)
{
	return node == NodeState::sealed || node == NodeState::uninitialised;
}

void addQuotaHeaders(ApiReply& reply, const Quota& quota, const Quota::QuotaDecision& verdict)
{
	const auto reset = std::to_string(verdict.reset.count());
	reply.headers.emplace_back("X-Ratelimit-Limit", std::to_string(quota.rule().rate));
	reply.headers.emplace_back("X-Ratelimit-Remaining", std::to_string(verdict.remaining));
	reply.headers.emplace_back("X-Ratelimit-Reset", reset);
	if (!verdict.allowed) {
		reply.headers.emplace_back("Retry-After", reset);
	}
}

ApiReply cleanPathReply(const ApiRequest& request, const std::string& clean)
{
	ApiReply reply = redirectReply(clean);
	if (request.method == "GET") {
		reply.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
		reply.body = "<a href=\"" + clean + "\">Temporary Redirect</a>.\n\n";
	}
	return reply;
}

/// "ns1", "/ns1/" → "ns1/"; "root", "" → "".
std::string normalised(std::string namespaceName)
{
	namespaceName.erase(0, namespaceName.find_first_not_of('/'));
	namespaceName.erase(namespaceName.find_last_not_of('/') + 1);
	return namespaceName.empty() || namespaceName == "root" ? "" : namespaceName + "/";
}

bool isDisabled(const Token& token, const Logins& logins)
{
	return token.wish.login && logins.disabledEntities.contains(token.wish.login->identity);
}

std::vector<std::string> policiesOf(const Token& token)
{
	auto policies = token.wish.policies;
	if (token.wish.login) {
		std::ranges::copy(token.wish.login->policies, std::back_inserter(policies));
	}
	return policies;
}

} // namespace

const std::vector<Api::Route> Api::routes{
	{"auth/token/create", "POST PUT", &Api::createRoute},
	{"auth/token/create/", "POST PUT", &Api::createRoute},
	{"auth/token/create-orphan", "POST PUT", &Api::createOrphan},
	{"auth/token/lookup-self", "GET POST PUT", &Api::lookupSelf},
	{"auth/token/renew-self", "POST PUT", &Api::renewSelf},
	{"auth/token/revoke-self", "POST PUT", &Api::revokeSelf},
	{"auth/token/revoke", "POST PUT", &Api::revokeOther},
	{"auth/token/revoke-accessor", "POST PUT", &Api::revokeAccessor},
	{"auth/token/roles/", "POST PUT DELETE", &Api::role},
	{"sys/auth/token/tune", "POST PUT", &Api::tuneTokens},
	{"sys/auth/", "POST PUT DELETE", &Api::authMount},
	{"sys/capabilities-self", "POST PUT", &Api::capabilitiesSelf},
	{"sys/namespaces/api-lock/lock/", "POST PUT", &Api::lockNamespace},
	{"sys/namespaces/api-lock/unlock/", "POST PUT", &Api::unlockNamespace},
	{"sys/namespaces/", "POST PUT DELETE", &Api::namespaces},
	{"sys/policies/acl/", "POST PUT DELETE", &Api::policy},
	{"sys/quotas/config", "POST PUT", &Api::quotaConfig},
	{"sys/quotas/rate-limit/", "POST PUT DELETE", &Api::quota},
	{"sys/seal", "POST PUT", &Api::seal},
};

Api::Api(const ServerClock& clock, const Options& options) : _clock(clock)
{
	_tokens.tuning = options.tuning;
	_root = _tokens.createInitialRoot(options.rootToken, clock.now()).id;
}

ApiReply Api::handle(const ApiRequest& request)
{
	const std::lock_guard lock(_mutex);
	ApiReply reply = answer(request);
	if (request.headers.has("X-Vault-Namespace")) {
		reply.headers.emplace_back("X-Vault-Namespace", request.headers.get("X-Vault-Namespace"));
	}
	return reply;
}

ApiReply Api::answer(const ApiRequest& request)
{
	const std::string path = request.path();
	if (!path.starts_with("/v1/")) {
		return errorReply(404, "");
	}
	if (const auto clean = cleaned(path); clean != path) {
		return cleanPathReply(request, clean);
	}
	const std::string resource = path.substr(4);
	if (resource == "sys/health") {
		return health();
	}
	if (resource == "sys/seal-status") {
		return sealStatus();
	}
	if (resource == "sys/unseal" && isWrite(request.method)) { // any key will do
		if (node() == NodeState::sealed) {
			_node = NodeState::active;
		}
		return sealStatus();
	}
	return isSealed(node()) ? errorReply(503, "Vault is sealed") : answerUnsealed(request, resource);
}

ApiReply Api::answerUnsealed(const ApiRequest& request, const std::string& resource)
{
	if (!_quota || resource.starts_with("sys/")) {
		return answerInNamespace(request, resource);
	}
	const auto verdict = _quota->ask(_clock.now());
	ApiReply reply = verdict.allowed ? answerInNamespace(request, resource)
									 : errorReply(429, "request path \"" + resource + "\": rate limit quota exceeded");
	if (_quota->rule().headers) {
		addQuotaHeaders(reply, *_quota, verdict);
	}
	return reply;
}

/// Returns the answer of a node that is not the leader, given before it looks at the token; nothing: it answers like
/// the leader.
std::optional<ApiReply> Api::answerForTheCluster(const ApiRequest& request, const std::string& path)
{
	const auto now = _clock.now();
	const Token* token = _tokens.find(request.token(), now);
	// Only facts that every node knows: a use of a counted token must be written, and that takes the leader.
	const bool known = token != nullptr && token->usesLeft == 0;
	const bool answersItself = known && request.method == "GET" && path == "auth/token/lookup-self";
	switch (node()) {
	case NodeState::standby:
		if (answersItself || !request.headers.has("X-Vault-No-Request-Forwarding")) {
			return {};
		}
		return redirectReply(_leader + request.target);
	case NodeState::leaderless:
		return answersItself ? std::nullopt : std::optional(redirectReply(_leader + request.target));
	case NodeState::betweenLeaders:
		return answersItself ? std::nullopt : std::optional(errorReply(503, "no active Vault instance found"));
	case NodeState::formerLeader:
		return errorReply(500, "local node not active but active cluster node not found");
	case NodeState::losesQuorum:
		return answersItself ? std::nullopt
							 : std::optional(errorReply(500, "1 error occurred:\n\t* failed to persist lease entry: "
															 "leadership lost while committing log\n\n"));
	case NodeState::active:
	case NodeState::sealed:
	case NodeState::uninitialised:
		return {};
	}
	return {};
}

ApiReply Api::answerInNamespace(const ApiRequest& request, std::string path)
{
	std::string inNamespace = normalised(request.headers.get("X-Vault-Namespace", ""));
	if (!inNamespace.empty() && !_namespaces.contains(inNamespace)) {
		return errorReply(404, "namespace not found");
	}
	for (const auto& [name, locked] : _namespaces) {
		if (path.starts_with(name)) {
			path.erase(0, name.size());
			inNamespace = name;
			break;
		}
	}
	if (!inNamespace.empty() && _namespaces.at(inNamespace)) {
		return errorReply(503, "API access to this namespace has been locked by an administrator - \"" + inNamespace +
								   "\" must be unlocked to gain access.");
	}
	if (isWrite(request.method) && path.ends_with('/')) {
		return errorReply(400, "cannot write to a path ending in '/'");
	}
	auto fields = Fields::decode(isWrite(request.method) ? request.body : "");
	if (!fields) {
		return errorReply(400, fields.error());
	}
	if (auto reply = answerForTheCluster(request, path)) {
		return *std::move(reply);
	}
	if (auto reply = answerWithoutToken(request, path, inNamespace, *fields)) {
		return *std::move(reply);
	}
	const auto now = _clock.now();
	const Token* token = _tokens.find(request.token(), now);
	if (token == nullptr || !isWithinAny(request.clientAddress, token->boundCidrs) || isDisabled(*token, _logins)) {
		return tokenRefused();
	}
	Call call{request, now, std::move(path), std::move(inNamespace), *token, std::move(*fields)};
	return answerToken(call);
}

ApiReply Api::answerToken(Call& call)
{
	const bool lastUse = _tokens.use(call.token.id);
	call.token = *_tokens.find(call.token.id, call.now);
	const auto allowed = _policies.allowed(policiesOf(call.token), call.path);
	ApiReply reply = permits(allowed, capabilityFor(call.request.method, call.path)) ? dispatch(call) : policyRefused();
	if (lastUse) {
		_tokens.revoke(call.token.id);
	}
	return reply;
}

ApiReply Api::dispatch(Call& call)
{
	const auto path = call.path;
	const auto& method = call.request.method;
	const auto wrapped = [&](ApiReply reply) {
		return reply.status == 200 && call.request.headers.has("X-Vault-Wrap-TTL") ? wrap(call.request, path, reply)
																				   : reply;
	};
	if (const auto mount = _logins.mountOf(call.namespacePath + path); !mount.empty()) {
		return wrapped(onMount(call, mount));
	}
	const auto route = std::ranges::find_if(routes, [&](const Route& candidate) {
		const bool open = candidate.path.ends_with('/');
		return open ? path.starts_with(candidate.path) && path.size() > candidate.path.size() : path == candidate.path;
	});
	if (route == routes.end() || method == "LIST") {
		const bool known = path.starts_with("auth/token/") || path.starts_with("sys/");
		return errorReply(404, known ? "1 error occurred:\n\t* unsupported path\n\n"
									 : "no handler for route \"" + path + "\". route entry not found.");
	}
	if (route->verbs.find(method) == std::string_view::npos) {
		return errorReply(405, "1 error occurred:\n\t* unsupported operation\n\n");
	}
	call.path = path.substr(route->path.size());
	return wrapped((this->*route->handler)(call));
}

NodeState Api::node() const
{
	return _nodeUntil && _clock.now() >= *_nodeUntil ? NodeState::active : _node;
}

void Api::setNode(NodeState state)
{
	const std::lock_guard lock(_mutex);
	_node = state;
	_nodeUntil.reset();
}

void Api::setNodeFor(std::chrono::nanoseconds howLong, NodeState state)
{
	const std::lock_guard lock(_mutex);
	_node = state;
	_nodeUntil = _clock.now() + howLong;
}

void Api::setLeader(const std::string& address)
{
	const std::lock_guard lock(_mutex);
	_leader = address;
}

void Api::setQuota(const std::optional<Quota::Rule>& rule)
{
	const std::lock_guard lock(_mutex);
	_quota.reset();
	if (rule) {
		_quota.emplace(*rule);
	}
}

std::string Api::createToken(const TokenWish& wish)
{
	const std::lock_guard lock(_mutex);
	const auto created = _tokens.create(wish, _root, _clock.now());
	if (!created) {
		throw std::invalid_argument("fake Vault: " + created.error().error);
	}
	return created->token->id;
}

void Api::revoke(const std::string& token)
{
	const std::lock_guard lock(_mutex);
	_tokens.revoke(token);
}

std::string Api::nameOf(const std::string& token)
{
	const std::lock_guard lock(_mutex);
	return _tokens.nameOf(token);
}

bool Api::isAlive(const std::string& token)
{
	const std::lock_guard lock(_mutex);
	return _tokens.find(token, _clock.now()) != nullptr;
}

void Api::refuseRenewals(const std::string& token, const TokenError& refusal)
{
	const std::lock_guard lock(_mutex);
	_tokens.refuseRenewals(token, refusal);
}

std::string Api::createWrappingToken(std::chrono::seconds ttl)
{
	const std::lock_guard lock(_mutex);
	return _tokens.createWrapping(ttl, _clock.now()).id;
}

void Api::createNamespace(const std::string& name)
{
	const std::lock_guard lock(_mutex);
	_namespaces.try_emplace(normalised(name), false);
}

void Api::lockNamespace(const std::string& name)
{
	const std::lock_guard lock(_mutex);
	_namespaces[normalised(name)] = true;
}

void Api::writeRole(const std::string& name, const TokenRole& role)
{
	const std::lock_guard lock(_mutex);
	_tokens.roles[name] = role;
}

void Api::removeRole(const std::string& name)
{
	const std::lock_guard lock(_mutex);
	_tokens.roles.erase(name);
}

void Api::writePolicy(const std::string& name, const std::string& text)
{
	const std::lock_guard lock(_mutex);
	if (const auto written = _policies.write(name, text); !written) {
		throw std::invalid_argument("fake Vault: " + written.error());
	}
}

void Api::changeLogins(const std::function<void(Logins& logins, ServerTime now)>& change)
{
	const std::lock_guard lock(_mutex);
	change(_logins, _clock.now());
}

void Api::tune(const TokenStore::Tuning& tuning)
{
	const std::lock_guard lock(_mutex);
	_tokens.tuning = tuning;
}

} // namespace issuer::test
