#include "capture.h"
#include "fake_vault/api.h"
#include "fake_vault/logins.h"
#include "fake_vault/message.h"
#include "temp_dir.h"
#include "test_pki.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <regex>

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>

/// The fake Vault's logins are held to the recordings of a real server.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;

std::string content(const std::filesystem::path& path)
{
	std::ifstream file(path);
	return {std::istreambuf_iterator<char>(file), {}};
}

/// Certificates for all tests: one authority that the mount trusts, and one that it does not.
struct Certificates
{
	TempDir directory;
	TempDir otherDirectory;
	TestPki pki{directory.path()};
	TestPki other{otherDirectory.path(), "Other CA"};
	ClientCertificate good{content(pki.client("client1").certificate)};
	ClientCertificate rotated{content(pki.issue("rotated", {.commonName = "client1", .forClient = true}).certificate)};
	ClientCertificate ofOther{content(other.client("client1").certificate)};
	ClientCertificate wrongName{content(pki.client("client2").certificate)};

	static Certificates& shared()
	{
		static Certificates all;
		return all;
	}
};

/// A fake server at the moment before a recorded request: with the mount that the request names, and a role or user
/// that accepts what it brings.
struct World
{
	Capture capture;
	TestClock clock;
	Api api{clock, {}};
	std::string token = "s.000000000000000000000000"; ///< stands in for the recording's token
	std::string jwt;
	std::optional<ClientCertificate> certificate = {};
	std::string mountName;
	AuthMount mount = {};
	LoginRole role = {};
	std::string roleName;
	Logins others = {}; ///< disabled entities and policies of entities

	explicit World(const std::string& name) : capture(loadCapture(name))
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

	static Json::Ptr parsed(const std::string& body)
	{
		return body.starts_with('{') ? Poco::JSON::Parser().parse(body).extract<Json::Ptr>() : Json::Ptr(new Json);
	}

	/// Makes the login's JWT, with these claims instead of the usual ones.
	void signs(const std::map<std::string, Poco::Dynamic::Var>& claims, const std::string& key = "key-1")
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

	[[nodiscard]] Poco::Int64 now() const
	{
		return std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch().count();
	}

	/// Puts the mount and its role in place.
	void enable()
	{
		api.changeLogins([&](Logins& logins, ServerTime) {
			mount.roles[roleName] = role;
			logins.mounts[mountName] = mount;
			logins.disabledEntities = others.disabledEntities;
			logins.entityPolicies = others.entityPolicies;
		});
	}

	ApiReply ask(const std::string& method, const std::string& target, const std::string& body = "",
		const std::string& wrapTtl = "", const std::string& asToken = "")
	{
		ApiRequest request{.method = method, .target = "/v1/" + target, .headers = {}, .body = body};
		request.clientCertificate = certificate;
		request.headers.set("X-Vault-Token", asToken.empty() ? api.rootToken() : asToken);
		if (!wrapTtl.empty()) {
			request.headers.set("X-Vault-Wrap-TTL", wrapTtl);
		}
		return api.handle(request);
	}

	/// Takes the token that a login brings.
	void logsIn()
	{
		const auto body = R"({"role_id":"ROLE_ID_A","secret_id":"SECRET_ID_A"})";
		token = parsed(ask("POST", mountName + "/login", body).body)
					->getObject("auth")
					->getValue<std::string>("client_token");
	}

	/// Takes the wrapping token that a request brings.
	void wraps(const std::string& target, const std::string& body = "{}")
	{
		const auto reply = parsed(ask("POST", target, body, "60s").body);
		token = reply->getObject("wrap_info")->getValue<std::string>("token");
	}

	/// Sends the recorded request, with this world's token and JWT in it.
	ApiReply replay()
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
};

/// Changes the world before its mount is in place.
using Change = std::function<void(World&)>;

void nothing(World&) {}

Change role(const std::function<void(LoginRole&)>& change)
{
	return [change](World& world) { change(world.role); };
}

Change mount(const std::function<void(AuthMount&)>& change)
{
	return [change](World& world) { change(world.mount); };
}

Change claims(const std::function<std::map<std::string, Poco::Dynamic::Var>(World&)>& make)
{
	return [make](World& world) { world.signs(make(world)); };
}

Change shows(ClientCertificate Certificates::*which)
{
	return [which](World& world) { world.certificate = Certificates::shared().*which; };
}

Change node(NodeState state)
{
	return [state](World& world) { world.api.setNode(state); };
}

void noMount(World& world)
{
	world.mountName = "auth/elsewhere";
}

void isExpired(World& world)
{
	world.certificate = Certificates::shared().good;
	world.clock.advance(std::chrono::hours(24 * 400));
}

void holdsNothing(World& world)
{
	world.role.secretIds = {};
}

void reviewAway(World& world)
{
	world.mount.reviewAway = true;
	world.mount.jwt.keys = {"key-1"};
}

void secretIdWith(World& world, const SecretId& secretId)
{
	world.role.secretIds.add("SECRET_ID_A", secretId);
}

Change locked(int wrong)
{
	return [wrong](World& world) {
		const auto identity = world.mount.type == "approle" ? "ROLE_ID_A" : world.roleName;
		for (int i = 0; i < wrong; ++i) {
			world.mount.lockout.failed(identity, world.clock.now());
		}
	};
}

/// Prepares the world, and after its mount is in place goes on with `then`.
struct Prepare
{
	Change before = nothing;
	Change then = nothing;
};

void logsIn(World& world)
{
	world.logsIn();
}

void wrapsSecretId(World& world)
{
	world.wraps("auth/approle/role/a/secret-id");
}

void mayUseSecretIds(World& world)
{
	world.api.writePolicy("self", R"(path "auth/approle/role/a/*" { capabilities = ["update"] })");
	world.token = world.api.createToken({.ttl = 60s, .policies = {"default", "self"}});
}

/// Logs in with the good certificate, then shows another.
Change renewsWith(ClientCertificate Certificates::*other)
{
	return [other](World& world) {
		world.certificate = Certificates::shared().good;
		const auto reply = world.ask("POST", "auth/cert/login", "{}");
		world.token = World::parsed(reply.body)->getObject("auth")->getValue<std::string>("client_token");
		world.certificate = Certificates::shared().*other;
	};
}

void isCertMount(World& world)
{
	world.mountName = "auth/cert";
	world.mount.type = "cert";
}

const std::map<std::string, Prepare> played{
	{"approle", {}},
	{"approle-batch", {role([](LoginRole& role) { role.batch = true; })}},
	{"approle-dead-token-header", {}},
	{"approle-empty-secret-id", {}},
	{"approle-entity-disabled", {[](World& world) { world.others.disabledEntities.insert("ROLE_ID_A"); }}},
	{"approle-explicit-max", {role([](LoginRole& role) { role.explicitMaxTtl = 45s; })}},
	{"approle-get", {}},
	{"approle-identity-policies", {[](World& world) { world.others.entityPolicies["ROLE_ID_A"] = {"idpol"}; }}},
	{"approle-locked-out", {locked(5)}},
	{"approle-login-wrapped-reply", {}},
	{"approle-mount-batch", {mount([](AuthMount& mount) {
		 mount.batch = true;
		 mount.maxTtl = 20s;
	 })}},
	{"approle-namespace", {}},
	{"approle-namespace-locked", {[](World& world) { world.api.lockNamespace("ns1"); }}},
	{"approle-namespace-missing", {role([](LoginRole& role) { role.roleId = "other"; })}},
	{"approle-namespace-no-mount", {noMount}},
	{"approle-namespace-nonexistent", {}},
	{"approle-no-bind", {role([](LoginRole& role) {
		 role.bindSecretId = false;
		 role.ttl = 0s;
	 })}},
	{"approle-no-default", {role([](LoginRole& role) { role.noDefaultPolicy = true; })}},
	{"approle-no-role-id", {mount([](AuthMount& mount) { mount.lockout.rule.enabled = false; })}},
	{"approle-no-secret-id", {}},
	{"approle-no-ttl", {role([](LoginRole& role) { role.ttl = 0s; })}},
	{"approle-num-uses", {role([](LoginRole& role) { role.numUses = 5; })}},
	{"approle-periodic", {role([](LoginRole& role) { role.period = 30s; })}},
	{"approle-role-cidr", {role([](LoginRole& role) { role.cidrs = {"10.0.0.0/8"}; })}},
	{"approle-role-deleted", {role([](LoginRole& role) { role.roleId = "made again"; })}},
	{"approle-secret-id-cidr", {[](World& world) { secretIdWith(world, {.cidrs = {"10.0.0.0/8"}}); }}},
	{"approle-secret-id-cidr-num-uses",
		{[](World& world) { secretIdWith(world, {.usesLeft = 2, .cidrs = {"10.0.0.0/8"}}); }}},
	{"approle-secret-id-destroyed", {role([](LoginRole& role) { role.secretIds.destroy("SECRET_ID_A"); })}},
	{"approle-secret-id-expired", {[](World& world) {
		 secretIdWith(world, {.ttl = 2s, .created = world.clock.now()});
		 world.clock.advance(2500ms);
	 }}},
	{"approle-secret-id-used-up", {[](World& world) { secretIdWith(world, {.usesLeft = 1}); }, logsIn}},
	{"approle-service", {}},
	{"approle-token-cidr", {role([](LoginRole& role) { role.tokenCidrs = {"10.0.0.0/8"}; })}},
	{"approle-ttl-over-mount-max", {mount([](AuthMount& mount) { mount.maxTtl = 20s; })}},
	{"approle-wrong-role-id", {role([](LoginRole& role) { role.roleId = "other"; })}},
	{"approle-wrong-secret-id", {holdsNothing}},

	{"cert", {shows(&Certificates::good)}},
	{"cert-common-name", {[](World& world) {
		 world.role.commonNames = {"client1"};
		 world.certificate = Certificates::shared().wrongName;
	 }}},
	{"cert-expired", {isExpired}},
	{"cert-no-certificate", {}},
	{"cert-not-trusted", {shows(&Certificates::ofOther)}},
	{"cert-over-plain-http", {}},
	{"cert-role-unknown", {[](World& world) {
		 world.roleName = "web";
		 world.certificate = Certificates::shared().good;
	 }}},
	{"cert-renew-expired-certificate",
		{isCertMount,
			[](World& world) {
				renewsWith (&Certificates::good)(world);
				world.api.tune({.defaultTtl = 1h, .maxTtl = std::chrono::hours(24 * 1000)});
				ASSERT_EQ(
					world.ask("POST", "auth/token/renew-self", R"({"increment":"12000h"})", "", world.token).status,
					200);
				world.clock.advance(std::chrono::hours(24 * 400));
			}}},
	{"cert-renew-other-certificate", {isCertMount, renewsWith(&Certificates::ofOther)}},
	{"cert-renew-rotated-certificate", {isCertMount, renewsWith(&Certificates::rotated)}},
	{"cert-renew-without-cert", {isCertMount,
									[](World& world) {
										renewsWith (&Certificates::good)(world);
										world.certificate.reset();
									}}},

	{"empty-approle", {}},
	{"empty-cert", {}},
	{"empty-jwt", {}},
	{"empty-kubernetes", {}},
	{"empty-ldap", {}},
	{"empty-nosuch", {noMount}},
	{"empty-userpass", {}},
	{"empty-userpass-unknown", {}},

	{"jwt", {}},
	{"jwt-bound-claims", {role([](LoginRole& role) {
		 role.jwt.claims = {{"team", "a"}};
	 })}},
	{"jwt-bound-subject", {role([](LoginRole& role) { role.jwt.subject = "other"; })}},
	{"jwt-default-role", {mount([](AuthMount& mount) { mount.defaultRole = "web"; })}},
	{"jwt-empty", {}},
	{"jwt-expired", {claims([](World& world) {
		 return std::map<std::string, Poco::Dynamic::Var>{{"exp", world.now() - 65}};
	 })}},
	{"jwt-jwks-unreachable", {mount([](AuthMount& mount) {
		 mount.keysAway = true;
		 mount.peer = "127.0.0.1:PORT";
	 })}},
	{"jwt-malformed", {[](World& world) { world.jwt = "no JWT"; }}},
	{"jwt-newline", {[](World& world) { world.jwt += "\\n"; }}},
	{"jwt-not-yet-valid", {claims([](World& world) {
		 return std::map<std::string, Poco::Dynamic::Var>{{"nbf", world.now() + 65}};
	 })}},
	{"jwt-role-deleted-renew", {[](World& world) { world.roleName = "jr"; },
								   [](World& world) {
									   world.logsIn();
									   ASSERT_EQ(world.ask("DELETE", "auth/approle/role/jr").status, 204);
								   }}},
	{"jwt-role-unknown", {[](World& world) { world.roleName = "web"; }}},
	{"jwt-wrong-audience", {role([](LoginRole& role) { role.jwt.audiences = {"other"}; })}},
	{"jwt-wrong-issuer", {mount([](AuthMount& mount) { mount.jwt.issuer = "other"; })}},
	{"jwt-wrong-signature", {[](World& world) { world.signs({}, "key-2"); }}},

	{"kubernetes", {}},
	{"kubernetes-audience", {role([](LoginRole& role) { role.jwt.audiences = {"other"}; })}},
	{"kubernetes-jwt-expired", {claims([](World& world) {
		 return std::map<std::string, Poco::Dynamic::Var>{{"exp", world.now() - 65}};
	 })}},
	{"kubernetes-malformed", {[](World& world) { world.jwt = "no JWT"; }}},
	{"kubernetes-review-500", {reviewAway}},
	{"kubernetes-review-down", {reviewAway}},
	{"kubernetes-review-forbidden", {reviewAway}},
	{"kubernetes-review-not-authenticated", {reviewAway}},
	{"kubernetes-review-unauthorized", {reviewAway}},
	{"kubernetes-role-unknown", {[](World& world) { world.roleName = "web"; }}},
	{"kubernetes-wrong-name", {role([](LoginRole& role) { role.serviceAccounts = {"db"}; })}},
	{"kubernetes-wrong-namespace", {role([](LoginRole& role) { role.serviceNamespaces = {"bank"}; })}},

	{"ldap", {}},
	{"ldap-after-outage", {}},
	{"ldap-empty-password", {}},
	{"ldap-server-down", {mount([](AuthMount& mount) {
		 mount.directoryAway = true;
		 mount.peer = "127.0.0.1:PORT";
	 })}},
	{"ldap-wrong-password", {role([](LoginRole& role) { role.password = "other"; })}},

	{"userpass", {}},
	{"userpass-cidr", {role([](LoginRole& role) { role.tokenCidrs = {"10.0.0.0/8"}; })}},
	{"userpass-empty-password", {}},
	{"userpass-locked-out", {locked(5)}},
	{"userpass-unknown-user", {[](World& world) { world.roleName = "bob"; }}},
	{"userpass-wrong-password", {role([](LoginRole& role) { role.password = "other"; })}},

	{"leader-killed", {node(NodeState::leaderless)}},
	{"locked-out-renew", {nothing,
							 [](World& world) {
								 world.logsIn();
								 locked(5)(world);
								 world.enable();
							 }}},
	{"mfa-required", {role([](LoginRole& role) { role.wantsMfa = true; })}},
	{"mount-disabled", {noMount}},
	{"not-initialised", {node(NodeState::uninitialised)}},
	{"rate-limited", {[](World& world) { world.api.setQuota(Quota::Rule{.rate = 1, .interval = 20s}); }, logsIn}},
	{"revoke-accessor-default", {nothing, logsIn}},
	{"revoke-self", {nothing, logsIn}},
	{"revoke-self-again", {nothing,
							  [](World& world) {
								  world.logsIn();
								  world.api.revoke(world.token);
							  }}},
	{"revoke-self-batch", {role([](LoginRole& role) { role.batch = true; }), logsIn}},
	{"revoke-self-child",
		{nothing,
			[](World& world) {
				world.api.writePolicy("parent", R"(path "auth/token/create" { capabilities = ["update"] })");
				const auto parent = world.api.createToken({.ttl = 60s, .policies = {"default", "parent"}});
				const auto child = World::parsed(world.ask("POST", "auth/token/create", "{}", "", parent).body);
				world.token = child->getObject("auth")->getValue<std::string>("client_token");
				ASSERT_EQ(world.ask("GET", "auth/token/lookup-self", "", "", world.token).status, 200);
				ASSERT_EQ(world.ask("POST", "auth/token/revoke-self", "", "", parent).status, 204);
			}}},
	{"revoke-self-no-policy", {role([](LoginRole& role) { role.noDefaultPolicy = true; }), logsIn}},
	{"sealed", {node(NodeState::sealed)}},
	{"secret-id-expired-tidied", {[](World& world) {
		 secretIdWith(world, {.ttl = 2s, .created = world.clock.now()});
		 world.clock.advance(60s);
	 }}},
	{"secret-id-lookup-default", {nothing, logsIn}},
	{"secret-id-lookup-gone", {holdsNothing, mayUseSecretIds}},
	{"secret-id-lookup-own", {[](World& world) {
								  secretIdWith(
									  world, {.usesLeft = 7, .ttl = 1h, .created = world.clock.now(), .accessor = "x"});
							  },
								 [](World& world) {
									 world.logsIn();
									 mayUseSecretIds(world);
								 }}},
	{"secret-id-self-rotate", {role([](LoginRole& role) {
								   role.secretIdUses = 3;
								   role.secretIdTtl = 600s;
							   }),
								  mayUseSecretIds}},
	{"secret-id-unwrap", {nothing, wrapsSecretId}},
	{"secret-id-unwrap-again", {nothing,
								   [](World& world) {
									   wrapsSecretId(world);
									   ASSERT_EQ(world.replay().status, 200);
								   }}},
	{"secret-id-unwrap-expired", {nothing,
									 [](World& world) {
										 wrapsSecretId(world);
										 world.clock.advance(60s);
									 }}},
	{"secret-id-wrapped",
		{[](World& world) { world.roleName = "lr"; }, [](World& world) { world.token = world.api.rootToken(); }}},
	{"standby-batch", {[](World& world) {
		 world.role.batch = true;
		 world.role.ttl = 600s;
		 world.api.setNode(NodeState::standby);
	 }}},
	{"standby-forwarded", {[](World& world) {
		 world.role.ttl = 600s;
		 world.api.setNode(NodeState::standby);
	 }}},
	{"standby-no-forwarding", {node(NodeState::standby)}},
	{"standby-unwrap", {node(NodeState::standby), wrapsSecretId}},
	{"token-unwrap", {nothing,
						 [](World& world) {
							 world.wraps("auth/approle/login", R"({"role_id":"ROLE_ID_A","secret_id":"SECRET_ID_A"})");
						 }}},
	{"unwrap-after-lost-answer", {nothing,
									 [](World& world) {
										 wrapsSecretId(world);
										 ASSERT_EQ(world.replay().status, 200);
									 }}},
	{"unwrap-leader-killed", {nothing,
								 [](World& world) {
									 wrapsSecretId(world);
									 world.api.setNode(NodeState::leaderless);
								 }}},
	{"unwrap-ordinary-token", {nothing, logsIn}},
	{"unwrap-sealed", {nothing,
						  [](World& world) {
							  wrapsSecretId(world);
							  world.api.setNode(NodeState::sealed);
						  }}},
	{"unwrap-unknown", {}},
	{"wrapping-lookup", {nothing, wrapsSecretId}},
	{"wrapping-lookup-header", {nothing, wrapsSecretId}},
	{"wrapping-lookup-token", {nothing, [](World& world) { world.wraps("auth/token/create"); }}},
	{"wrapping-lookup-used", {nothing,
								 [](World& world) {
									 wrapsSecretId(world);
									 ASSERT_EQ(
										 world.ask("POST", "sys/wrapping/unwrap", "", "", world.token).status, 200);
								 }}},
	{"wrong-mount", {noMount}},
};

std::vector<std::string> names()
{
	std::vector<std::string> all;
	std::ranges::transform(played, std::back_inserter(all), [](const auto& row) { return row.first; });
	return all;
}

std::string asTestName(const testing::TestParamInfo<std::string>& info)
{
	return std::regex_replace(info.param, std::regex("-"), "_");
}

ApiReply withoutDates(ApiReply reply)
{
	static const std::regex date(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)");
	if (reply.status >= 400) {
		reply.body = std::regex_replace(reply.body, date, "DATE");
	}
	return reply;
}

class RecordedLogin : public testing::TestWithParam<std::string>
{
};

TEST_P(RecordedLogin, GetsTheRecordedReply)
{
	World world("login/" + GetParam());
	SCOPED_TRACE(world.capture.about);
	const auto& [before, then] = played.at(GetParam());
	before(world);
	world.enable();
	then(world);
	EXPECT_EQ(differences(withoutDates(world.capture.reply), withoutDates(world.replay())), "");
}

INSTANTIATE_TEST_SUITE_P(Captures, RecordedLogin, testing::ValuesIn(names()), asTestName);

TEST(RecordedLogins, AreAllPlayed)
{
	for (const auto& name : captureNames()) {
		if (name.starts_with("login/")) {
			EXPECT_TRUE(played.contains(name.substr(6))) << name << " is played by no test";
		}
	}
}

} // namespace
} // namespace issuer::test
