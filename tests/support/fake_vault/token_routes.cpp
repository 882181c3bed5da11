#include "fake_vault/call.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <Poco/JSON/Array.h>

/// auth/token/…
namespace issuer::test {
namespace {

using Poco::Dynamic::Var;
using std::chrono::seconds;

Var mapToJson(const std::map<std::string, std::string>& entries)
{
	if (entries.empty()) {
		return {};
	}
	auto object = makeJson();
	for (const auto& [key, value] : entries) {
		object->set(key, value);
	}
	return object;
}

Poco::Int64 unixTime(ServerTime time)
{
	return std::chrono::floor<seconds>(time).time_since_epoch().count();
}

std::string entityOf(const Token& token)
{
	return token.wish.login ? token.wish.login->entityId : "";
}

Json::Ptr authOf(const Token& token)
{
	auto auth = makeJson();
	auth->set("client_token", token.id);
	auth->set("accessor", token.accessor);
	auto policies = token.wish.policies;
	const auto ofEntity = token.wish.login ? token.wish.login->policies : std::vector<std::string>();
	std::ranges::copy(ofEntity, std::back_inserter(policies));
	std::ranges::sort(policies);
	auth->set("policies", toJson(policies));
	if (!ofEntity.empty()) {
		auth->set("identity_policies", toJson(ofEntity));
	}
	if (!token.wish.policies.empty()) {
		auth->set("token_policies", toJson(token.wish.policies));
	}
	auth->set("metadata", mapToJson(token.wish.meta));
	auth->set("lease_duration", Poco::Int64(token.granted.count()));
	auth->set("renewable", token.renewable);
	auth->set("entity_id", entityOf(token));
	auth->set("token_type", token.wish.batch ? "batch" : "service");
	auth->set("orphan", token.orphan);
	auth->set("mfa_requirement", Var());
	auth->set("num_uses", token.wish.numUses);
	return auth;
}

Json::Ptr dataOf(const Token& token, ServerTime now)
{
	auto data = makeJson();
	const auto& wish = token.wish;
	data->set("accessor", token.accessor);
	data->set("creation_time", unixTime(token.issued));
	data->set("creation_ttl", Poco::Int64(token.creationTtl.count()));
	data->set("display_name", wish.displayName);
	data->set("entity_id", entityOf(token));
	data->set("expire_time", token.expires ? Var(timeText(*token.expires)) : Var());
	// A limit of a role is not shown on the token.
	data->set("explicit_max_ttl", Poco::Int64(wish.role.empty() ? wish.explicitMaxTtl.count() : 0));
	data->set("id", token.id);
	if (token.hasLease) {
		data->set("issue_time", timeText(wish.batch ? std::chrono::floor<seconds>(token.issued) : token.issued));
	}
	if (token.renewed) {
		data->set("last_renewal", timeText(*token.renewed));
		data->set("last_renewal_time", unixTime(*token.renewed));
	}
	data->set("meta", mapToJson(wish.meta));
	if (!wish.namespacePath.empty()) {
		data->set("namespace_path", wish.namespacePath);
	}
	data->set("num_uses", token.usesLeft);
	data->set("orphan", token.orphan);
	data->set("path", token.path);
	if (wish.period > seconds(0) && wish.role.empty()) {
		data->set("period", Poco::Int64(wish.period.count()));
	}
	data->set("policies", toJson(wish.policies));
	if (token.hasLease) {
		data->set("renewable", token.renewable);
	}
	if (!wish.role.empty()) {
		data->set("role", wish.role);
	}
	data->set("ttl", Poco::Int64(token.expires ? lease::shownTtl(*token.expires, now).count() : 0));
	data->set("type", wish.batch ? "batch" : "service");
	return data;
}

ApiReply refusal(const TokenError& refused)
{
	return refused.error.empty() ? noContent() : errorReply(refused.status, refused.error);
}

TokenWish readWish(Fields& fields, const Token& creator)
{
	TokenWish wish;
	wish.ttl = fields.has("ttl") ? fields.duration("ttl") : fields.duration("lease");
	wish.period = fields.duration("period");
	wish.explicitMaxTtl = fields.duration("explicit_max_ttl");
	wish.numUses = fields.number("num_uses");
	wish.renewable = fields.flag("renewable", true);
	wish.batch = fields.text("type") == "batch";
	wish.noDefaultPolicy = fields.flag("no_default_policy", false);
	wish.noParent = fields.flag("no_parent", false);
	wish.policies = fields.has("policies") ? fields.list("policies") : creator.wish.policies;
	wish.displayName = fields.has("display_name") ? "token-" + fields.text("display_name") : "token";
	wish.meta = fields.map("meta");
	return wish;
}

} // namespace

Poco::JSON::Array::Ptr toJson(const std::vector<std::string>& items)
{
	Poco::JSON::Array::Ptr array = new Poco::JSON::Array;
	std::ranges::for_each(items, [&](const auto& item) { array->add(item); });
	return array;
}

std::string timeText(ServerTime time)
{
	const auto whole = std::chrono::floor<seconds>(time);
	const std::time_t stamp =
		std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::system_clock::duration>(whole));
	std::tm parts{};
	::gmtime_r(&stamp, &parts);
	char text[32];
	std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
	const auto nanoseconds = std::to_string((time - whole).count());
	std::string fraction = "." + std::string(9 - nanoseconds.size(), '0') + nanoseconds;
	fraction.erase(fraction.find_last_not_of(".0") + 1);
	return text + fraction + "Z";
}

ApiReply grantedReply(const TokenStore::Created& token, std::vector<std::string> warnings, const Json::Ptr& data)
{
	if (token.warning) {
		warnings.push_back(*token.warning);
	}
	return jsonReply(200, envelope(data, authOf(*token.token), warnings));
}

ApiReply Api::createRoute(Call& call)
{
	TokenWish wish = readWish(call.fields, call.token);
	if (call.fields.error()) {
		return errorReply(400, *call.fields.error());
	}
	wish.role = call.path;
	wish.namespacePath = call.namespacePath;
	const bool inherited = !call.fields.has("policies");
	if (inherited && (!wish.role.empty() || !wish.namespacePath.empty())) {
		wish.policies = {}; // a role, or the root token in another namespace, hands down no more than `default`
	}
	if (const auto role = _tokens.roles.find(wish.role); role != _tokens.roles.end()) {
		wish.batch = wish.batch || role->second.batch;
	}
	const auto created = _tokens.create(std::move(wish), call.token.id, call.now);
	return created ? grantedReply(*created,
						 call.fields.warnings({"ttl", "lease", "period", "explicit_max_ttl", "num_uses", "renewable",
							 "type", "no_default_policy", "no_parent", "policies", "display_name", "meta"}))
				   : refusal(created.error());
}

ApiReply Api::createOrphan(Call& call)
{
	TokenWish wish = readWish(call.fields, call.token);
	wish.noParent = true;
	const auto created = _tokens.create(std::move(wish), "", call.now);
	return created ? grantedReply(*created, {}) : refusal(created.error());
}

ApiReply Api::lookupSelf(Call& call)
{
	return jsonReply(200, envelope(dataOf(call.token, call.now), {}, {}));
}

ApiReply Api::renewSelf(Call& call)
{
	const auto increment = call.fields.duration("increment");
	if (call.fields.error()) {
		return errorReply(400, *call.fields.error());
	}
	const auto& login = call.token.wish.login;
	const auto against =
		login ? _logins.againstRenewal(*login, call.request.clientCertificate, call.now) : std::nullopt;
	if (against) {
		return refusal(*against);
	}
	const auto renewed = _tokens.renew(call.token.id, increment, call.now);
	return renewed ? grantedReply(*renewed, call.fields.warnings({"increment", "token"})) : refusal(renewed.error());
}

ApiReply Api::revokeSelf(Call& call)
{
	if (call.token.wish.batch) {
		return errorReply(400, "batch tokens cannot be revoked");
	}
	_tokens.revoke(call.token.id);
	return noContent();
}

ApiReply Api::revokeOther(Call& call)
{
	_tokens.revoke(call.fields.text("token"));
	return noContent();
}

ApiReply Api::revokeAccessor(Call& call)
{
	_tokens.revokeByAccessor(call.fields.text("accessor"));
	return noContent();
}

ApiReply Api::role(Call& call)
{
	if (call.request.method == "DELETE") {
		_tokens.roles.erase(call.path);
		return noContent();
	}
	TokenRole role;
	role.period = call.fields.duration("token_period");
	role.explicitMaxTtl = call.fields.duration("token_explicit_max_ttl");
	role.renewable = call.fields.flag("renewable", true);
	role.orphan = call.fields.flag("orphan", false);
	role.batch = call.fields.text("token_type") == "batch";
	role.boundCidrs = call.fields.list("token_bound_cidrs");
	if (call.fields.error()) {
		return errorReply(400, *call.fields.error());
	}
	_tokens.roles[call.path] = role;
	return noContent();
}

} // namespace issuer::test
