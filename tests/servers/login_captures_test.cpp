#include "replay_world.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <map>
#include <regex>

/// The fake Vault's logins are held to the recordings of a real server.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;

/// Changes the world before its mount is in place.
using Change = std::function<void(ReplayWorld&)>;

void nothing(ReplayWorld&) {}

Change role(const std::function<void(LoginRole&)>& change)
{
	return [change](ReplayWorld& world) { change(world.role); };
}

Change mount(const std::function<void(AuthMount&)>& change)
{
	return [change](ReplayWorld& world) { change(world.mount); };
}

Change claims(const std::function<std::map<std::string, Poco::Dynamic::Var>(ReplayWorld&)>& make)
{
	return [make](ReplayWorld& world) { world.signs(make(world)); };
}

Change shows(ClientCertificate Certificates::*which)
{
	return [which](ReplayWorld& world) { world.certificate = Certificates::shared().*which; };
}

Change node(NodeState state)
{
	return [state](ReplayWorld& world) { world.api.setNode(state); };
}

void noMount(ReplayWorld& world)
{
	world.mountName = "auth/elsewhere";
}

void isExpired(ReplayWorld& world)
{
	world.certificate = Certificates::shared().good;
	world.clock.advance(std::chrono::hours(24 * 400));
}

void holdsNothing(ReplayWorld& world)
{
	world.role.secretIds = {};
}

void reviewAway(ReplayWorld& world)
{
	world.mount.reviewAway = true;
	world.mount.jwt.keys = {"key-1"};
}

void secretIdWith(ReplayWorld& world, const SecretId& secretId)
{
	world.role.secretIds.add("SECRET_ID_A", secretId);
}

Change locked(int wrong)
{
	return [wrong](ReplayWorld& world) {
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

void logsIn(ReplayWorld& world)
{
	world.logsIn();
}

void wrapsSecretId(ReplayWorld& world)
{
	world.wraps("auth/approle/role/a/secret-id");
}

void mayUseSecretIds(ReplayWorld& world)
{
	world.api.writePolicy("self", R"(path "auth/approle/role/a/*" { capabilities = ["update"] })");
	world.token = world.api.createToken({.ttl = 60s, .policies = {"default", "self"}});
}

/// Logs in with the good certificate, then shows another.
Change renewsWith(ClientCertificate Certificates::*other)
{
	return [other](ReplayWorld& world) {
		world.certificate = Certificates::shared().good;
		world.token = tokenOf(world.ask("POST", "auth/cert/login", "{}"));
		world.certificate = Certificates::shared().*other;
	};
}

void isCertMount(ReplayWorld& world)
{
	world.mountName = "auth/cert";
	world.mount.type = "cert";
}

const std::map<std::string, Prepare> played{
	{"approle", {}},
	{"approle-batch", {role([](LoginRole& role) { role.batch = true; })}},
	{"approle-dead-token-header", {}},
	{"approle-empty-secret-id", {}},
	{"approle-entity-disabled", {[](ReplayWorld& world) { world.others.disabledEntities.insert("ROLE_ID_A"); }}},
	{"approle-explicit-max", {role([](LoginRole& role) { role.explicitMaxTtl = 45s; })}},
	{"approle-get", {}},
	{"approle-identity-policies", {[](ReplayWorld& world) { world.others.entityPolicies["ROLE_ID_A"] = {"idpol"}; }}},
	{"approle-locked-out", {locked(5)}},
	{"approle-login-wrapped-reply", {}},
	{"approle-mount-batch", {mount([](AuthMount& mount) {
		 mount.batch = true;
		 mount.maxTtl = 20s;
	 })}},
	{"approle-namespace", {}},
	{"approle-namespace-locked", {[](ReplayWorld& world) { world.api.lockNamespace("ns1"); }}},
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
	{"approle-secret-id-cidr", {[](ReplayWorld& world) { secretIdWith(world, {.cidrs = {"10.0.0.0/8"}}); }}},
	{"approle-secret-id-cidr-num-uses",
		{[](ReplayWorld& world) { secretIdWith(world, {.usesLeft = 2, .cidrs = {"10.0.0.0/8"}}); }}},
	{"approle-secret-id-destroyed", {role([](LoginRole& role) { role.secretIds.destroy("SECRET_ID_A"); })}},
	{"approle-secret-id-expired", {[](ReplayWorld& world) {
		 secretIdWith(world, {.ttl = 2s, .created = world.clock.now()});
		 world.clock.advance(2500ms);
	 }}},
	{"approle-secret-id-used-up", {[](ReplayWorld& world) { secretIdWith(world, {.usesLeft = 1}); }, logsIn}},
	{"approle-service", {}},
	{"approle-token-cidr", {role([](LoginRole& role) { role.tokenCidrs = {"10.0.0.0/8"}; })}},
	{"approle-ttl-over-mount-max", {mount([](AuthMount& mount) { mount.maxTtl = 20s; })}},
	{"approle-wrong-role-id", {role([](LoginRole& role) { role.roleId = "other"; })}},
	{"approle-wrong-secret-id", {holdsNothing}},

	{"cert", {shows(&Certificates::good)}},
	{"cert-common-name", {[](ReplayWorld& world) {
		 world.role.commonNames = {"client1"};
		 world.certificate = Certificates::shared().wrongName;
	 }}},
	{"cert-expired", {isExpired}},
	{"cert-no-certificate", {}},
	{"cert-not-trusted", {shows(&Certificates::ofOther)}},
	{"cert-over-plain-http", {}},
	{"cert-role-unknown", {[](ReplayWorld& world) {
		 world.roleName = "web";
		 world.certificate = Certificates::shared().good;
	 }}},
	{"cert-renew-expired-certificate",
		{isCertMount,
			[](ReplayWorld& world) {
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
									[](ReplayWorld& world) {
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
	{"jwt-expired", {claims([](ReplayWorld& world) {
		 return std::map<std::string, Poco::Dynamic::Var>{{"exp", world.now() - 65}};
	 })}},
	{"jwt-jwks-unreachable", {mount([](AuthMount& mount) {
		 mount.keysAway = true;
		 mount.peer = "127.0.0.1:PORT";
	 })}},
	{"jwt-malformed", {[](ReplayWorld& world) { world.jwt = "no JWT"; }}},
	{"jwt-newline", {[](ReplayWorld& world) { world.jwt += "\\n"; }}},
	{"jwt-not-yet-valid", {claims([](ReplayWorld& world) {
		 return std::map<std::string, Poco::Dynamic::Var>{{"nbf", world.now() + 65}};
	 })}},
	{"jwt-role-deleted-renew", {[](ReplayWorld& world) { world.roleName = "jr"; },
								   [](ReplayWorld& world) {
									   world.logsIn();
									   ASSERT_EQ(world.ask("DELETE", "auth/approle/role/jr").status, 204);
								   }}},
	{"jwt-role-unknown", {[](ReplayWorld& world) { world.roleName = "web"; }}},
	{"jwt-wrong-audience", {role([](LoginRole& role) { role.jwt.audiences = {"other"}; })}},
	{"jwt-wrong-issuer", {mount([](AuthMount& mount) { mount.jwt.issuer = "other"; })}},
	{"jwt-wrong-signature", {[](ReplayWorld& world) { world.signs({}, "key-2"); }}},

	{"kubernetes", {}},
	{"kubernetes-audience", {role([](LoginRole& role) { role.jwt.audiences = {"other"}; })}},
	{"kubernetes-jwt-expired", {claims([](ReplayWorld& world) {
		 return std::map<std::string, Poco::Dynamic::Var>{{"exp", world.now() - 65}};
	 })}},
	{"kubernetes-malformed", {[](ReplayWorld& world) { world.jwt = "no JWT"; }}},
	{"kubernetes-review-500", {reviewAway}},
	{"kubernetes-review-down", {reviewAway}},
	{"kubernetes-review-forbidden", {reviewAway}},
	{"kubernetes-review-not-authenticated", {reviewAway}},
	{"kubernetes-review-unauthorized", {reviewAway}},
	{"kubernetes-role-unknown", {[](ReplayWorld& world) { world.roleName = "web"; }}},
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
	{"userpass-unknown-user", {[](ReplayWorld& world) { world.roleName = "bob"; }}},
	{"userpass-wrong-password", {role([](LoginRole& role) { role.password = "other"; })}},

	{"leader-killed", {node(NodeState::leaderless)}},
	{"locked-out-renew", {nothing,
							 [](ReplayWorld& world) {
								 world.logsIn();
								 locked(5)(world);
								 world.enable();
							 }}},
	{"mfa-required", {role([](LoginRole& role) { role.wantsMfa = true; })}},
	{"mount-disabled", {noMount}},
	{"not-initialised", {node(NodeState::uninitialised)}},
	{"rate-limited", {[](ReplayWorld& world) { world.api.setQuota(Quota::Rule{.rate = 1, .interval = 20s}); }, logsIn}},
	{"revoke-accessor-default", {nothing, logsIn}},
	{"revoke-self", {nothing, logsIn}},
	{"revoke-self-again", {nothing,
							  [](ReplayWorld& world) {
								  world.logsIn();
								  world.api.revoke(world.token);
							  }}},
	{"revoke-self-batch", {role([](LoginRole& role) { role.batch = true; }), logsIn}},
	{"revoke-self-child",
		{nothing,
			[](ReplayWorld& world) {
				world.api.writePolicy("parent", R"(path "auth/token/create" { capabilities = ["update"] })");
				const auto parent = world.api.createToken({.ttl = 60s, .policies = {"default", "parent"}});
				world.token = tokenOf(world.ask("POST", "auth/token/create", "{}", "", parent));
				ASSERT_EQ(world.ask("GET", "auth/token/lookup-self", "", "", world.token).status, 200);
				ASSERT_EQ(world.ask("POST", "auth/token/revoke-self", "", "", parent).status, 204);
			}}},
	{"revoke-self-no-policy", {role([](LoginRole& role) { role.noDefaultPolicy = true; }), logsIn}},
	{"sealed", {node(NodeState::sealed)}},
	{"secret-id-expired-tidied", {[](ReplayWorld& world) {
		 secretIdWith(world, {.ttl = 2s, .created = world.clock.now()});
		 world.clock.advance(60s);
	 }}},
	{"secret-id-lookup-default", {nothing, logsIn}},
	{"secret-id-lookup-gone", {holdsNothing, mayUseSecretIds}},
	{"secret-id-lookup-own", {[](ReplayWorld& world) {
								  secretIdWith(
									  world, {.usesLeft = 7, .ttl = 1h, .created = world.clock.now(), .accessor = "x"});
							  },
								 [](ReplayWorld& world) {
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
								   [](ReplayWorld& world) {
									   wrapsSecretId(world);
									   ASSERT_EQ(world.replay().status, 200);
								   }}},
	{"secret-id-unwrap-expired", {nothing,
									 [](ReplayWorld& world) {
										 wrapsSecretId(world);
										 world.clock.advance(60s);
									 }}},
	{"secret-id-wrapped", {[](ReplayWorld& world) { world.roleName = "lr"; },
							  [](ReplayWorld& world) { world.token = world.api.rootToken(); }}},
	{"standby-batch", {[](ReplayWorld& world) {
		 world.role.batch = true;
		 world.role.ttl = 600s;
		 world.api.setNode(NodeState::standby);
	 }}},
	{"standby-forwarded", {[](ReplayWorld& world) {
		 world.role.ttl = 600s;
		 world.api.setNode(NodeState::standby);
	 }}},
	{"standby-no-forwarding", {node(NodeState::standby)}},
	{"standby-unwrap", {node(NodeState::standby), wrapsSecretId}},
	{"token-unwrap", {nothing,
						 [](ReplayWorld& world) {
							 world.wraps("auth/approle/login", R"({"role_id":"ROLE_ID_A","secret_id":"SECRET_ID_A"})");
						 }}},
	{"unwrap-after-lost-answer", {nothing,
									 [](ReplayWorld& world) {
										 wrapsSecretId(world);
										 ASSERT_EQ(world.replay().status, 200);
									 }}},
	{"unwrap-leader-killed", {nothing,
								 [](ReplayWorld& world) {
									 wrapsSecretId(world);
									 world.api.setNode(NodeState::leaderless);
								 }}},
	{"unwrap-ordinary-token", {nothing, logsIn}},
	{"unwrap-sealed", {nothing,
						  [](ReplayWorld& world) {
							  wrapsSecretId(world);
							  world.api.setNode(NodeState::sealed);
						  }}},
	{"unwrap-unknown", {}},
	{"wrapping-lookup", {nothing, wrapsSecretId}},
	{"wrapping-lookup-header", {nothing, wrapsSecretId}},
	{"wrapping-lookup-token", {nothing, [](ReplayWorld& world) { world.wraps("auth/token/create"); }}},
	{"wrapping-lookup-used", {nothing,
								 [](ReplayWorld& world) {
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
	ReplayWorld world("login/" + GetParam());
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
