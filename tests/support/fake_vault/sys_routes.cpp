#include "fake_vault/api.h"

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
	return state == NodeState::active || state == NodeState::standby;
}

} // namespace

ApiReply Api::health() const
{
	const char* replication = _node == NodeState::active ? "disabled" : "unknown";
	const auto body = makeJson();
	body->set("initialized", _node != NodeState::uninitialised);
	body->set("sealed", !isUnsealed(_node));
	body->set("standby", _node != NodeState::active);
	body->set("replication_performance_mode", replication);
	body->set("replication_dr_mode", replication);
	body->set("server_time_utc",
		Poco::Int64(std::chrono::floor<std::chrono::seconds>(_clock.now()).time_since_epoch().count()));
	body->set("version", version);
	if (isUnsealed(_node)) {
		body->set("cluster_name", clusterName);
		body->set("cluster_id", clusterId);
	}
	return jsonReply(healthStatus(_node), body);
}

ApiReply Api::sealStatus() const
{
	const auto body = makeJson();
	body->set("type", "shamir");
	body->set("initialized", _node != NodeState::uninitialised);
	body->set("sealed", !isUnsealed(_node));
	body->set("t", 1);
	body->set("n", 1);
	body->set("progress", 0);
	body->set("nonce", "");
	body->set("recovery_seal", false);
	body->set("version", version);
	body->set("commit_date", "");
	body->set("migration", false);
	if (isUnsealed(_node)) {
		body->set("cluster_name", clusterName);
		body->set("cluster_id", clusterId);
	}
	body->set("storage_type", "file");
	return jsonReply(200, body);
}

ApiReply Api::seal(Call&)
{
	_node = NodeState::sealed;
	return noContent();
}

ApiReply Api::capabilitiesSelf(Call& call)
{
	auto paths = call.fields.list("paths");
	if (call.fields.has("path")) {
		paths.push_back(call.fields.text("path"));
	}
	const auto data = makeJson();
	const auto body = makeJson();
	for (const auto& path : paths) {
		const Poco::JSON::Array::Ptr list = new Poco::JSON::Array;
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
	for (const auto& [key, value] : *envelope(data, {}, {})) {
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
	const auto data = makeJson();
	data->set("locked", false);
	data->set("path", path);
	return jsonReply(200, envelope(data, {}, {}));
}

ApiReply Api::lockNamespace(Call& call)
{
	_namespaces[call.namespacePath + call.path + "/"] = true;
	const auto data = makeJson();
	data->set("unlock_key", "any key unlocks the fake Vault");
	return jsonReply(200, envelope(data, {}, {}));
}

ApiReply Api::unlockNamespace(Call& call)
{
	_namespaces[call.namespacePath + call.path + "/"] = false;
	return noContent();
}

} // namespace issuer::test
