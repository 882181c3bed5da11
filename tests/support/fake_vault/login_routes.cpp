#include "fake_vault/call.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>
#include <Poco/String.h>
#include <Poco/UUIDGenerator.h>

/// auth/<mount>/…, sys/auth/… and sys/wrapping/…
namespace issuer::test {
namespace {

using std::chrono::seconds;

constexpr const char* notWrapped = "wrapping token is not valid or does not exist";

std::string randomId()
{
	return Poco::UUIDGenerator().createRandom().toString();
}

/// Returns the rest of `path` behind `prefix`; nothing: it does not begin so.
std::optional<std::string> behind(const std::string& path, const std::string& prefix)
{
	return path.starts_with(prefix) ? std::optional(path.substr(prefix.size())) : std::nullopt;
}

/// The reply to a login that must be confirmed: no token.
ApiReply confirmationReply()
{
	auto any = makeJson();
	auto method = makeJson();
	method->set("type", "totp");
	method->set("id", "ID_A");
	method->set("uses_passcode", true);
	Poco::JSON::Array::Ptr methods = new Poco::JSON::Array;
	methods->add(method);
	any->set("any", methods);
	auto constraints = makeJson();
	constraints->set("e", any);
	auto requirement = makeJson();
	requirement->set("mfa_request_id", randomId());
	requirement->set("mfa_constraints", constraints);

	auto auth = makeJson();
	auth->set("client_token", "");
	auth->set("accessor", "");
	auth->set("policies", Poco::Dynamic::Var());
	auth->set("metadata", Poco::Dynamic::Var());
	auth->set("lease_duration", 0);
	auth->set("renewable", false);
	auth->set("entity_id", "");
	auth->set("token_type", "default");
	auth->set("orphan", false);
	auth->set("mfa_requirement", requirement);
	auth->set("num_uses", 0);
	return jsonReply(200,
		envelope({}, auth,
			{"A login request was issued that is subject to MFA validation. Please make sure to validate the login by "
			 "sending another request to mfa/validate endpoint."}));
}

void readTokenLimits(Fields& fields, LoginRole& role)
{
	role.ttl = fields.duration("token_ttl");
	role.maxTtl = fields.duration("token_max_ttl");
	role.period = fields.duration("token_period");
	role.explicitMaxTtl = fields.duration("token_explicit_max_ttl");
	role.numUses = fields.number("token_num_uses");
	role.batch = fields.text("token_type") == "batch";
	role.noDefaultPolicy = fields.flag("token_no_default_policy", false);
	role.policies = fields.list("token_policies");
	role.tokenCidrs = fields.list("token_bound_cidrs");
}

Json::Ptr dataOf(const SecretId& secretId)
{
	auto data = makeJson();
	const auto ends = secretId.ends();
	data->set("cidr_list", toJson(secretId.cidrs));
	data->set("creation_time", timeText(secretId.created));
	data->set("expiration_time", ends ? timeText(*ends) : "0001-01-01T00:00:00Z");
	data->set("last_updated_time", timeText(secretId.created));
	data->set("metadata", makeJson());
	data->set("secret_id_accessor", secretId.accessor);
	data->set("secret_id_num_uses", secretId.usesLeft);
	data->set("secret_id_ttl", Poco::Int64(secretId.ttl.count()));
	data->set("token_bound_cidrs", toJson({}));
	return data;
}

void tuneMount(AuthMount& mount, Fields& fields)
{
	if (fields.has("max_lease_ttl")) {
		mount.maxTtl = fields.duration("max_lease_ttl");
	}
	if (fields.has("token_type")) {
		mount.batch = fields.text("token_type") == "batch";
	}
	if (fields.has("user_lockout_config")) {
		auto wished = fields.object("user_lockout_config");
		auto& rule = mount.lockout.rule;
		rule.enabled = !wished.flag("lockout_disable", !rule.enabled);
		rule.threshold = wished.has("lockout_threshold") ? wished.number("lockout_threshold") : rule.threshold;
		rule.duration = wished.has("lockout_duration") ? wished.duration("lockout_duration") : rule.duration;
		rule.counterReset = wished.has("lockout_counter_reset_duration")
								? wished.duration("lockout_counter_reset_duration")
								: rule.counterReset;
	}
}

} // namespace

std::optional<ApiReply> Api::answerWithoutToken(
	const ApiRequest& request, const std::string& path, const std::string& inNamespace, Fields& fields)
{
	const bool write = request.method == "POST" || request.method == "PUT";
	if (path == "sys/wrapping/unwrap" && write) {
		return unwrap(request, fields);
	}
	if (path == "sys/wrapping/lookup" && (write || request.method == "GET")) {
		return lookUpWrapping(request, fields);
	}
	const auto mount = _logins.mountOf(inNamespace + path);
	const auto rest = mount.empty() ? std::nullopt : behind(inNamespace + path, mount + "/login");
	if (!rest || (!rest->empty() && rest->front() != '/')) {
		return {};
	}
	if (!write) {
		return errorReply(405, "unsupported operation");
	}
	return logIn(request, path, mount, rest->empty() ? "" : rest->substr(1), fields);
}

ApiReply Api::logIn(const ApiRequest& request, const std::string& path, const std::string& mount,
	const std::string& user, Fields& fields)
{
	LoginInput input;
	input.user = user;
	input.roleId = Poco::trim(fields.text("role_id"));
	input.secretId = Poco::trim(fields.text("secret_id"));
	input.role = fields.text("role", fields.text("name"));
	input.jwt = Poco::trim(fields.text("jwt"));
	input.password = fields.text("password");
	input.certificate = request.clientCertificate;
	input.address = request.clientAddress;
	auto granted = _logins.logIn(mount, input, _clock.now());
	if (!granted) {
		return errorReply(granted.error().status, granted.error().error);
	}
	if (granted->wantsMfa) {
		return confirmationReply();
	}
	auto warnings = fields.warnings({"role_id", "secret_id", "role", "name", "jwt", "password"});
	std::ranges::copy(granted->warnings, std::back_inserter(warnings));
	const auto created = _tokens.create(std::move(granted->wish), "", _clock.now());
	if (!created) {
		return errorReply(created.error().status, created.error().error);
	}
	const auto reply = grantedReply(*created, warnings, granted->hasData ? makeJson() : nullptr);
	return request.headers.has("X-Vault-Wrap-TTL") ? wrap(request, path, reply) : reply;
}

ApiReply Api::wrap(const ApiRequest& request, const std::string& path, const ApiReply& reply)
{
	const auto now = _clock.now();
	const auto ttl = lease::parse(request.headers.get("X-Vault-Wrap-TTL")).value_or(seconds(300));
	const Token& wrapping = _tokens.createWrapping(ttl, now);
	_wrapped[wrapping.id] = {reply.body, path, now, ttl};
	auto info = makeJson();
	info->set("token", wrapping.id);
	info->set("accessor", wrapping.accessor);
	info->set("ttl", Poco::Int64(ttl.count()));
	info->set("creation_time", timeText(now));
	info->set("creation_path", path);
	const auto wrapped = Poco::JSON::Parser().parse(reply.body).extract<Json::Ptr>();
	if (const auto auth = wrapped->getObject("auth")) {
		info->set("wrapped_accessor", auth->getValue<std::string>("accessor"));
	}
	else if (const auto data = wrapped->getObject("data"); data && data->has("secret_id_accessor")) {
		info->set("wrapped_accessor", data->getValue<std::string>("secret_id_accessor"));
	}
	auto body = envelope({}, {}, {});
	body->set("request_id", "");
	body->set("wrap_info", info);
	return jsonReply(200, body);
}

/// Returns the token that is to be unwrapped or looked up: in the body, or that of the request.
std::string Api::wrappingTokenOf(const ApiRequest& request, Fields& fields)
{
	const auto token = Poco::trim(fields.text("token", request.token()));
	const bool lives = _tokens.find(token, _clock.now()) != nullptr;
	return lives && _wrapped.contains(token) ? token : "";
}

ApiReply Api::unwrap(const ApiRequest& request, Fields& fields)
{
	const auto token = wrappingTokenOf(request, fields);
	if (token.empty()) {
		return errorReply(400, notWrapped);
	}
	const auto body = _wrapped.at(token).body;
	_wrapped.erase(token);
	_tokens.revoke(token);
	return jsonReply(200, body);
}

ApiReply Api::lookUpWrapping(const ApiRequest& request, Fields& fields)
{
	const auto token = wrappingTokenOf(request, fields);
	if (token.empty()) {
		return errorReply(400, notWrapped);
	}
	const auto& wrapped = _wrapped.at(token);
	auto data = makeJson();
	data->set("creation_path", wrapped.path);
	data->set("creation_time", timeText(wrapped.created));
	data->set("creation_ttl", Poco::Int64(wrapped.ttl.count()));
	return jsonReply(200, envelope(data, {}, {}));
}

/// Enables, tunes and disables auth mounts.
ApiReply Api::authMount(Call& call)
{
	static const std::string tune = "/tune";
	const bool tunes = call.path.ends_with(tune);
	const auto name = call.namespacePath + "auth/" + call.path.substr(0, call.path.size() - (tunes ? tune.size() : 0));
	if (tunes) {
		const auto found = _logins.mounts.find(name);
		if (found == _logins.mounts.end()) {
			return errorReply(400, "no mount at " + name + "/");
		}
		tuneMount(found->second, call.fields);
	}
	else if (call.request.method == "DELETE") {
		_logins.mounts.erase(name);
		_tokens.revokeOfMount(name);
	}
	else {
		AuthMount mount;
		mount.type = call.fields.text("type");
		auto config = call.fields.object("config");
		tuneMount(mount, config);
		_logins.mounts[name] = mount;
	}
	return call.fields.error() ? errorReply(400, *call.fields.error()) : noContent();
}

/// Answers a request with a token to a mount: about its roles, users and secret_ids.
ApiReply Api::onMount(Call& call, const std::string& mountPath)
{
	auto& mount = _logins.mounts.at(mountPath);
	const auto path = (call.namespacePath + call.path).substr(mountPath.size() + 1);
	if (path == "config") {
		mount.defaultRole = call.fields.text("default_role");
		mount.jwt.issuer = call.fields.text("bound_issuer");
		return noContent();
	}
	const auto user = behind(path, "users/");
	const auto role = mount.type == "cert" ? behind(path, "certs/") : behind(path, "role/");
	const auto named = user ? user : role;
	if (!named) {
		return errorReply(404, "1 error occurred:\n\t* unsupported path\n\n");
	}
	const auto slash = named->find('/');
	if (slash != named->npos) {
		return onAppRole(call, mount, named->substr(0, slash), named->substr(slash + 1));
	}
	if (call.request.method == "DELETE") {
		mount.roles.erase(*named);
		return noContent();
	}
	auto& written = mount.roles[*named];
	readTokenLimits(call.fields, written);
	written.password = call.fields.text("password", written.password);
	written.roleId = written.roleId.empty() ? randomId() : written.roleId;
	written.bindSecretId = call.fields.flag("bind_secret_id", true);
	written.cidrs = call.fields.list("secret_id_bound_cidrs");
	written.jwt.audiences = call.fields.list(mount.type == "kubernetes" ? "audience" : "bound_audiences");
	written.jwt.subject = call.fields.text("bound_subject");
	written.jwt.claims = call.fields.map("bound_claims");
	written.serviceAccounts = call.fields.list("bound_service_account_names");
	written.serviceNamespaces = call.fields.list("bound_service_account_namespaces");
	written.authority = call.fields.text("certificate");
	written.commonNames = call.fields.list("allowed_common_names");
	written.secretIdTtl = call.fields.duration("secret_id_ttl");
	written.secretIdUses = call.fields.number("secret_id_num_uses");
	return call.fields.error() ? errorReply(400, *call.fields.error()) : noContent();
}

ApiReply Api::onAppRole(Call& call, AuthMount& mount, const std::string& name, const std::string& rest)
{
	const auto found = mount.roles.find(name);
	if (found == mount.roles.end()) {
		return errorReply(404, "");
	}
	auto& role = found->second;
	if (rest == "role-id") {
		if (call.request.method != "GET") {
			role.roleId = call.fields.text("role_id");
			return noContent();
		}
		auto data = makeJson();
		data->set("role_id", role.roleId);
		return jsonReply(200, envelope(data, {}, {}));
	}
	const auto secretId = call.fields.text("secret_id");
	if (rest == "secret-id/lookup") {
		const auto* const facts = role.secretIds.find(secretId, call.now);
		return facts != nullptr ? jsonReply(200, envelope(dataOf(*facts), {}, {})) : noContent();
	}
	if (rest == "secret-id/destroy") {
		role.secretIds.destroy(secretId);
		return noContent();
	}
	if (rest != "secret-id") {
		return errorReply(404, "1 error occurred:\n\t* unsupported path\n\n");
	}
	const SecretId made{.usesLeft = call.fields.has("num_uses") ? call.fields.number("num_uses") : role.secretIdUses,
		.ttl = call.fields.has("ttl") ? call.fields.duration("ttl") : role.secretIdTtl,
		.created = call.now,
		.accessor = randomId(),
		.cidrs = call.fields.list("cidr_list")};
	if (call.fields.error()) {
		return errorReply(400, *call.fields.error());
	}
	const auto id = randomId();
	role.secretIds.add(id, made);
	auto data = makeJson();
	data->set("secret_id", id);
	data->set("secret_id_accessor", made.accessor);
	data->set("secret_id_num_uses", made.usesLeft);
	data->set("secret_id_ttl", Poco::Int64(made.ttl.count()));
	return jsonReply(200, envelope(data, {}, {}));
}

} // namespace issuer::test
