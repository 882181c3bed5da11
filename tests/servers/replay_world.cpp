#include "replay_world.h"

#include <fstream>
#include <iterator>
#include <regex>

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>

namespace issuer::test {
namespace {

using namespace std::chrono_literals;

std::string content(const std::filesystem::path& path)
{
	std::ifstream file(path);
	return {std::istreambuf_iterator<char>(file), {}};
}

/// Returns a body as a JSON object; an empty one, if it is none.
Json::Ptr parsed(const std::string& body)
{
	return body.starts_with('{') ? Poco::JSON::Parser().parse(body).extract<Json::Ptr>() : Json::Ptr(new Json);
}

} // namespace

Certificates::Certificates()
	: good{content(pki.client("client1").certificate)},
	  rotated{content(pki.issue("rotated", {.commonName = "client1", .forClient = true}).certificate)},
	  ofOther{content(other.client("client1").certificate)}, wrongName{content(pki.client("client2").certificate)}
{
}

Certificates& Certificates::shared()
{
	static Certificates all;
	return all;
}

std::string tokenOf(const ApiReply& reply)
{
	return parsed(reply.body)->getObject("auth")->getValue<std::string>("client_token");
}

ReplayWorld::ReplayWorld(const std::string& name) : capture(loadCapture(name))
{
	// The time of the certificates, on a whole minute: secret_ids end with the minute.
	clock.set(std::chrono::floor<std::chrono::minutes>(ServerTime(std::chrono::system_clock::now())));
	const auto target = capture.request.target.substr(4);
	const auto named = target.substr(5, target.find('/', 5) - 5);
	const bool isMount = target.starts_with("auth/") && named != "token";
	const auto space = capture.request.headers.get("X-Vault-Namespace", "");
	mountName = (space.empty() ? "" : space + "/") + "auth/" + (isMount ? named : "approle");
	const auto type = isMount ? named : std::string("approle");
	mount.type = type == "ar2" || type == "arl" || type == "gone" ? "approle" : type == "jwk" ? "jwt" : type;
	if (!space.empty() && space != "nosuch") {
		api.createNamespace(space);
	}

	const auto asked = parsed(capture.request.body);
	const auto reply = parsed(capture.reply.body);
	const auto auth = reply->isObject("auth") ? reply->getObject("auth") : Json::Ptr(new Json);
	const auto meta = auth->isObject("metadata") ? auth->getObject("metadata") : Json::Ptr(new Json);
	roleName = "a";
	for (const auto& [from, key] :
		{std::pair(asked, "role"), {asked, "name"}, {meta, "role_name"}, {meta, "role"}, {meta, "cert_name"}}) {
		roleName = from->has(key) ? from->getValue<std::string>(key) : roleName;
	}
	if (const auto user = target.find("/login/"); user != target.npos) {
		roleName = target.substr(user + 7);
	}
	role.ttl = 60s;
	role.roleId = "ROLE_ID_A";
	role.secretIds.add("SECRET_ID_A", {.created = clock.now(), .accessor = "x"});
	role.password = "PASSWORD_A";
	role.authority = content(Certificates::shared().pki.caFile());
	role.serviceAccounts = role.serviceNamespaces = {"*"};
	if (auth->isArray("token_policies")) {
		for (const auto& policy : *auth->getArray("token_policies")) {
			role.policies.push_back(policy.toString());
		}
	}
	signs({});
}

void ReplayWorld::signs(const std::map<std::string, Poco::Dynamic::Var>& claims, const std::string& key)
{
	auto account = makeJson();
	account->set("name", "web");
	account->set("uid", "UID_A");
	auto pod = makeJson();
	pod->set("namespace", "shop");
	pod->set("serviceaccount", account);
	auto all = makeJson();
	all->set("sub", "web");
	all->set("aud", "vault");
	all->set("iss", "https://issuer");
	all->set("exp", now() + 3600);
	all->set("kubernetes.io", pod);
	for (const auto& [name, value] : claims) {
		all->set(name, value);
	}
	jwt = makeJwt(toText(all), key);
}

Poco::Int64 ReplayWorld::now() const
{
	return std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch().count();
}

void ReplayWorld::enable()
{
	api.changeLogins([&](Logins& logins, ServerTime) {
		mount.roles[roleName] = role;
		logins.mounts[mountName] = mount;
		logins.disabledEntities = others.disabledEntities;
		logins.entityPolicies = others.entityPolicies;
	});
}

ApiReply ReplayWorld::ask(const std::string& method, const std::string& target, const std::string& body,
	const std::string& wrapTtl, const std::string& asToken)
{
	ApiRequest request{.method = method, .target = "/v1/" + target, .headers = {}, .body = body};
	request.clientCertificate = certificate;
	request.headers.set("X-Vault-Token", asToken.empty() ? api.rootToken() : asToken);
	if (!wrapTtl.empty()) {
		request.headers.set("X-Vault-Wrap-TTL", wrapTtl);
	}
	return api.handle(request);
}

void ReplayWorld::logsIn()
{
	token = tokenOf(ask("POST", mountName + "/login", R"({"role_id":"ROLE_ID_A","secret_id":"SECRET_ID_A"})"));
}

void ReplayWorld::wraps(const std::string& target, const std::string& body)
{
	const auto reply = parsed(ask("POST", target, body, "60s").body);
	token = reply->getObject("wrap_info")->getValue<std::string>("token");
}

ApiReply ReplayWorld::replay()
{
	auto request = capture.request;
	if (request.headers.has("X-Vault-Token")) {
		request.headers.set("X-Vault-Token", token);
	}
	request.body = std::regex_replace(request.body, std::regex("JWT_A"), jwt);
	request.body = std::regex_replace(request.body, std::regex(R"(s\.TOKEN_A)"), token);
	request.clientCertificate = certificate;
	const auto location = capture.reply.header("Location").value_or("");
	api.setLeader(location.substr(0, location.find("/v1/")));
	return api.handle(request);
}

} // namespace issuer::test
