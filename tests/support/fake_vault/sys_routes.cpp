#include "fake_vault/call.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <Poco/JSON/Array.h>

/// sys/…
namespace issuer::test {
namespace {

constexpr const char* version = "2.0.0-HEAD"; // as the OpenBao of the captures calls itself
constexpr const char* clusterName = "vault-cluster-00000000";
constexpr const char* clusterId = "00000000-0000-0000-0000-000000000000";

int healthStatus(NodeState state)
{
	switch (state) {
	case NodeState::active:
		return 200;
	case NodeState::standby:
	case NodeState::leaderless:
	case NodeState::betweenLeaders:
	case NodeState::formerLeader:
	case NodeState::losesQuorum:
		return 429;
	case NodeState::sealed:
		return 503;
	case NodeState::uninitialised:
		return 501;
	}
	return 500;
}

bool isUnsealed(NodeState state)
{
	return state != NodeState::sealed && state != NodeState::uninitialised;
}

} // namespace

ApiReply Api::health() const
{
	const NodeState state = node();
	const char* replication = state == NodeState::active ? "disabled" : "unknown";
	auto body = makeJson();
	body->set("initialized", state != NodeState::uninitialised);
	body->set("sealed", !isUnsealed(state));
	body->set("standby", state != NodeState::active);
	body->set("replication_performance_mode", replication);
	body->set("replication_dr_mode", replication);
	body->set("server_time_utc",
		Poco::Int64(std::chrono::floor<std::chrono::seconds>(_clock.now()).time_since_epoch().count()));
	body->set("version", version);
	if (isUnsealed(state)) {
		body->set("cluster_name", clusterName);
		body->set("cluster_id", clusterId);
	}
	return jsonReply(healthStatus(state), body);
}

ApiReply Api::sealStatus() const
{
	const NodeState state = node();
	auto body = makeJson();
	body->set("type", "shamir");
	body->set("initialized", state != NodeState::uninitialised);
	body->set("sealed", !isUnsealed(state));
	body->set("t", 1);
	body->set("n", 1);
	body->set("progress", 0);
	body->set("nonce", "");
	body->set("recovery_seal", false);
	body->set("version", version);
	body->set("commit_date", "");
	body->set("migration", false);
	if (isUnsealed(state)) {
		body->set("cluster_name", clusterName);
		body->set("cluster_id", clusterId);
	}
	body->set("storage_type", "file");
	return jsonReply(200, body);
}

ApiReply Api::seal(Call&)
{
	_node = NodeState::sealed;
	_nodeUntil.reset();
	return noContent();
}

ApiReply Api::capabilitiesSelf(Call& call)
{
	auto paths = call.fields.list("paths");
	if (call.fields.has("path")) {
		paths.push_back(call.fields.text("path"));
	}
	auto data = makeJson();
	auto body = makeJson();
	for (const auto& path : paths) {
		Poco::JSON::Array::Ptr list = new Poco::JSON::Array;
		for (const auto& capability : _policies.allowed(call.token.wish.policies, path)) {
			list->add(capability);
		}
		data->set(path, list);
		body->set(path, list);
		if (paths.size() == 1) {
			data->set("capabilities", list);
			body->set("capabilities", list);
		}
	}
	const auto standard = envelope(data, {}, {});
	for (const auto& [key, value] : *standard) {
		body->set(key, value);
	}
	return jsonReply(200, body);
}

ApiReply Api::policy(Call& call)
{
	if (call.request.method == "DELETE") {
		_policies.remove(call.path);
		return noContent();
	}
	const auto written = _policies.write(call.path, call.fields.text("policy"));
	return written ? noContent() : errorReply(400, written.error());
}

ApiReply Api::tuneTokens(Call& call)
{
	TokenStore::Tuning tuning = _tokens.tuning;
	if (call.fields.has("max_lease_ttl")) {
		tuning.maxTtl = call.fields.duration("max_lease_ttl");
	}
	if (call.fields.has("default_lease_ttl")) {
		tuning.defaultTtl = call.fields.duration("default_lease_ttl");
	}
	if (call.fields.error()) {
		return errorReply(400, *call.fields.error());
	}
	_tokens.tuning = tuning;
	return noContent();
}

ApiReply Api::namespaces(Call& call)
{
	const std::string path = call.namespacePath + call.path + "/";
	if (call.request.method == "DELETE") {
		_namespaces.erase(path);
		return noContent();
	}
	_namespaces.try_emplace(path, false);
	auto data = makeJson();
	data->set("locked", false);
	data->set("path", path);
	return jsonReply(200, envelope(data, {}, {}));
}

ApiReply Api::lockNamespace(Call& call)
{
	_namespaces[call.namespacePath + call.path + "/"] = true;
	auto data = makeJson();
	data->set("unlock_key", "any key unlocks the fake Vault");
	return jsonReply(200, envelope(data, {}, {}));
}

ApiReply Api::unlockNamespace(Call& call)
{
	_namespaces[call.namespacePath + call.path + "/"] = false;
	return noContent();
}

ApiReply Api::quota(Call& call)
{
	if (call.request.method == "DELETE") {
		_quota.reset();
		return noContent();
	}
	Quota::Rule rule{.rate = call.fields.number("rate"), .interval = call.fields.duration("interval")};
	rule.headers = _quotaHeaders;
	rule.interval = std::max(rule.interval, std::chrono::seconds(1));
	if (call.fields.error()) {
		return errorReply(400, *call.fields.error());
	}
	_quota.emplace(rule);
	return noContent();
}

ApiReply Api::quotaConfig(Call& call)
{
	_quotaHeaders = call.fields.flag("enable_rate_limit_response_headers", false);
	return noContent();
}

} // namespace issuer::test
