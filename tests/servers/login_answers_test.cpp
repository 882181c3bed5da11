#include "server_answers.h"

/// Logins that bring a token, and those that are refused.
namespace issuer::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::string json(const std::initializer_list<std::pair<std::string, std::string>>& fields)
{
	std::string text = "{";
	for (const auto& [name, value] : fields) {
		text += (text.size() > 1 ? "," : "") + ("\"" + name + "\":\"" + value + "\"");
	}
	return text + "}";
}

class LoggingIn : public ServerAnswers
{
protected:
	/// Enables an auth mount of this test's own, "auth/<name>".
	std::string enable(const std::string& type, const std::string& config = "{}")
	{
		const auto name = own(type);
		EXPECT_THAT(
			asRoot("sys/auth/" + name, R"({"type":")" + type + R"(","config":)" + config + "}"), HasStatus(204));
		return "auth/" + name;
	}

	struct AppRole
	{
		std::string mount;
		std::string roleId;
		std::string secretId;
	};

	AppRole appRole(const std::string& role, const std::string& secretIdWish = "{}", const std::string& config = "{}")
	{
		AppRole made{enable("approle", config), {}, {}};
		EXPECT_THAT(asRoot(made.mount + "/role/web", role), HasStatus(204));
		made.roleId = text(ask("GET", made.mount + "/role/web/role-id", server().rootToken()), "data.role_id");
		made.secretId = secretIdOf(made, secretIdWish);
		return made;
	}

	std::string secretIdOf(const AppRole& role, const std::string& wish = "{}")
	{
		return text(asRoot(role.mount + "/role/web/secret-id", wish), "data.secret_id");
	}

	ApiReply logIn(const AppRole& role, const std::string& secretId, const Headers& headers = {})
	{
		return ask(
			"POST", role.mount + "/login", "", json({{"role_id", role.roleId}, {"secret_id", secretId}}), headers);
	}
	ApiReply logIn(const AppRole& role) { return logIn(role, role.secretId); }

	ApiReply logIn(const std::string& mount, const std::string& user, const std::string& password)
	{
		return ask("POST", mount + "/login/" + user, "", json({{"password", password}}));
	}

	ApiReply unwrap(const std::string& wrappingToken)
	{
		return ask("POST", "sys/wrapping/unwrap", wrappingToken, "{}");
	}
	ApiReply lookUpWrapping(const std::string& wrappingToken)
	{
		return ask("POST", "sys/wrapping/lookup", "", json({{"token", wrappingToken}}));
	}
	std::string wrappedSecretId(const AppRole& role)
	{
		return text(asRoot(role.mount + "/role/web/secret-id", "{}", {{"X-Vault-Wrap-TTL", "60s"}}), "wrap_info.token");
	}
};

const auto wrongAppRole = Refused(400, std::string("invalid role or secret ID"));
const auto notWrapped = Refused(400, std::string("wrapping token is not valid or does not exist"));

TEST_P(LoggingIn, WithAnAppRoleBringsAnOrphanTokenOfItsLimits)
{
	const auto role = appRole(R"({"token_ttl":"60s","token_max_ttl":"1h","token_policies":["app"]})");
	const auto reply = logIn(role);
	EXPECT_THAT(reply, Granted(60));
	EXPECT_THAT(keysOf(reply, "auth"),
		UnorderedElementsAre("client_token", "accessor", "policies", "token_policies", "metadata", "lease_duration",
			"renewable", "entity_id", "token_type", "orphan", "mfa_requirement", "num_uses"));
	EXPECT_EQ(text(reply, "auth.metadata.role_name"), "web");
	EXPECT_THAT(list(reply, "auth.policies"), ElementsAre("app", "default"));
	EXPECT_EQ(text(reply, "auth.orphan"), "true");
	const auto shown = lookUp(text(reply, "auth.client_token"));
	EXPECT_EQ(text(shown, "data.path"), role.mount + "/login");
	EXPECT_EQ(number(shown, "data.explicit_max_ttl"), 0) << "the role's max TTL is not shown";
}

TEST_P(LoggingIn, TwiceBringsTwoTokensOfOneEntity)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	const auto first = logIn(role);
	const auto second = logIn(role);
	EXPECT_NE(text(first, "auth.client_token"), text(second, "auth.client_token"));
	EXPECT_EQ(text(first, "auth.entity_id"), text(second, "auth.entity_id"));
	EXPECT_THAT(renew(text(first, "auth.client_token")), Granted(60));
}

TEST_P(LoggingIn, BringsATokenThatMeetsTheMaxTtlOfItsRoleWhileTheNextLivesOn)
{
	const auto role = appRole(R"({"token_ttl":"2s","token_max_ttl":"3s"})");
	const auto first = text(logIn(role), "auth.client_token");
	EXPECT_THAT(untilOtherThan(200, [&] { return renew(first); }), pastMaxTtlReply());
	const auto second = text(logIn(role), "auth.client_token");
	untilOtherThan(200, [&] { return lookUp(first); });
	EXPECT_THAT(lookUp(second), HasStatus(200));
}

TEST_P(LoggingIn, TellsOfATokenThatIsCappedFromItsBirth)
{
	const auto capped = R"(TTL of "1m" exceeded the effective max_ttl of "45s"; TTL value is capped accordingly)";
	const auto byRole = logIn(appRole(R"({"token_ttl":"60s","token_explicit_max_ttl":"45s"})"));
	EXPECT_THAT(byRole, Granted(45));
	EXPECT_EQ(warning(byRole), capped);
}

TEST_P(LoggingIn, TellsOfATokenThatItsMountCaps)
{
	const auto reply = logIn(appRole(R"({"token_ttl":"60s"})", "{}", R"({"max_lease_ttl":"20s"})"));
	EXPECT_THAT(reply, Granted(20));
	EXPECT_THAT(warning(reply), HasSubstr(R"(exceeded the effective max_ttl of "20s")"));
}

TEST_P(LoggingIn, MayBringABatchToken)
{
	const auto reply = logIn(appRole(R"({"token_ttl":"60s","token_type":"batch"})"));
	EXPECT_THAT(reply, Granted(60));
	EXPECT_EQ(text(reply, "auth.token_type"), "batch");
	EXPECT_EQ(text(reply, "auth.renewable"), "false");
	EXPECT_EQ(text(reply, "auth.accessor"), "");
	EXPECT_THAT(ask("POST", "auth/token/revoke-self", text(reply, "auth.client_token")),
		Refused(400, std::string("batch tokens cannot be revoked")));
}

TEST_P(LoggingIn, WithoutDefaultPolicyBringsATokenThatCanDoNothing)
{
	const auto reply = logIn(appRole(R"({"token_ttl":"60s","token_no_default_policy":true})"));
	EXPECT_THAT(reply, Granted(60));
	EXPECT_FALSE(keysOf(reply, "auth").contains("token_policies"));
	const auto token = text(reply, "auth.client_token");
	EXPECT_THAT(renew(token), policyRefusedReply());
	EXPECT_THAT(lookUp(token), policyRefusedReply());
	EXPECT_THAT(ask("POST", "auth/token/revoke-self", token), policyRefusedReply());
}

TEST_P(LoggingIn, IsRefusedInTheseWords)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	EXPECT_THAT(logIn(role, "00000000-0000-0000-0000-000000000000"), wrongAppRole);
	EXPECT_THAT(logIn({role.mount, "wrong", {}}, role.secretId), wrongAppRole);
	EXPECT_THAT(logIn(role, ""), Refused(400, std::string("missing secret_id")));
	EXPECT_THAT(ask("POST", role.mount + "/login", "", "{}"), Refused(500, std::string("missing role_id")));
	EXPECT_THAT(ask("GET", role.mount + "/login", ""), Refused(405, std::string("unsupported operation")));
	EXPECT_THAT(ask("POST", "auth/" + own("nosuch") + "/login", "", "{}"), tokenRefusedReply());
}

TEST_P(LoggingIn, FromAnotherAddressIsRefused)
{
	EXPECT_THAT(logIn(appRole(R"({"token_ttl":"60s","secret_id_bound_cidrs":["10.0.0.0/8"]})")),
		RefusedWith(400, std::string("unauthorized by CIDR restrictions on the role")));
}

TEST_P(LoggingIn, FromAnotherAddressBringsATokenThatIsDead)
{
	const auto reply = logIn(appRole(R"({"token_ttl":"60s","token_bound_cidrs":["10.0.0.0/8"]})"));
	EXPECT_THAT(reply, Granted(60));
	EXPECT_THAT(lookUp(text(reply, "auth.client_token")), tokenRefusedReply());
}

TEST_P(LoggingIn, SpendsAUseOfTheSecretId)
{
	const auto role = appRole(R"({"token_ttl":"60s"})", R"({"num_uses":2})");
	EXPECT_THAT(logIn(role), Granted(60));
	const auto shown = asRoot(role.mount + "/role/web/secret-id/lookup", json({{"secret_id", role.secretId}}));
	EXPECT_EQ(number(shown, "data.secret_id_num_uses"), 1) << "which a look-up does not";
	EXPECT_EQ(text(shown, "data.expiration_time"), "0001-01-01T00:00:00Z");
	EXPECT_THAT(logIn(role), Granted(60));
	EXPECT_THAT(logIn(role), wrongAppRole);
	EXPECT_THAT(
		asRoot(role.mount + "/role/web/secret-id/lookup", json({{"secret_id", role.secretId}})), HasStatus(204));
}

TEST_P(LoggingIn, NeedsNoSecretIdWhereTheRoleBindsNone)
{
	const auto role = appRole(R"({"token_ttl":"60s","bind_secret_id":false,"secret_id_bound_cidrs":["127.0.0.0/8"]})");
	EXPECT_THAT(ask("POST", role.mount + "/login", "", json({{"role_id", role.roleId}})), Granted(60));
}

TEST_P(LoggingIn, TakesRoleIdAndSecretIdWithBlanksAroundThem)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	EXPECT_THAT(logIn({role.mount, role.roleId + "\\n", {}}, role.secretId + "\\n"), Granted(60));
}

TEST_P(LoggingIn, WarnsOfFieldsThatItDoesNotKnow)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	const auto reply = ask("POST", role.mount + "/login", "",
		json({{"role_id", role.roleId}, {"secret_id", role.secretId}, {"foo", "1"}}));
	EXPECT_EQ(warning(reply), "Endpoint ignored these unrecognized parameters: [foo]");
}

TEST_P(LoggingIn, BringsATokenThatIsNotRenewedOnceItsRoleIsGone)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	const auto token = text(logIn(role), "auth.client_token");
	EXPECT_THAT(ask("DELETE", role.mount + "/role/web", server().rootToken()), HasStatus(204));
	EXPECT_THAT(renew(token), RefusedWith(500, std::string("role web does not exist during renewal")));
	EXPECT_THAT(logIn(role), wrongAppRole);
}

TEST_P(LoggingIn, WithFiveWrongSecretIdsLocksTheRoleForAllClients)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	const auto living = text(logIn(role), "auth.client_token");
	for (int i = 0; i < 5; ++i) {
		EXPECT_THAT(logIn(role, "wrong"), wrongAppRole);
	}
	EXPECT_THAT(logIn(role), tokenRefusedReply()) << "also with the right one";
	EXPECT_THAT(logIn(role, secretIdOf(role)), tokenRefusedReply());
	EXPECT_THAT(renew(living), Granted(60)) << "living tokens are not concerned";
}

TEST_P(LoggingIn, RightlyForgetsTheWrongOnes)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	for (int round = 0; round < 3; ++round) {
		for (int i = 0; i < 4; ++i) {
			EXPECT_THAT(logIn(role, "wrong"), wrongAppRole);
		}
		EXPECT_THAT(logIn(role), Granted(60));
	}
}

TEST_P(LoggingIn, WithoutASecretIdCountsToNoLockout)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	for (int i = 0; i < 8; ++i) {
		EXPECT_THAT(logIn(role, ""), HasStatus(400));
	}
	EXPECT_THAT(logIn(role), Granted(60));
}

TEST_P(LoggingIn, DoesNotLockWhereTheMountIsTunedSo)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	EXPECT_THAT(
		asRoot("sys/" + role.mount + "/tune", R"({"user_lockout_config":{"lockout_disable":true}})"), HasStatus(204));
	for (int i = 0; i < 8; ++i) {
		EXPECT_THAT(logIn(role, "wrong"), wrongAppRole);
	}
	EXPECT_THAT(logIn(role), Granted(60));
}

TEST_P(LoggingIn, WithAPasswordBringsAToken)
{
	const auto mount = enable("userpass");
	EXPECT_THAT(asRoot(mount + "/users/bob", R"({"password":"right","token_ttl":"60s"})"), HasStatus(204));
	const auto reply = logIn(mount, "bob", "right");
	EXPECT_THAT(reply, Granted(60));
	EXPECT_EQ(text(reply, "auth.metadata.username"), "bob");
	EXPECT_THAT(logIn(mount, "bob", "wrong"), Refused(400, std::string("invalid username or password")));
	EXPECT_THAT(logIn(mount, "nobody", "wrong"), Refused(400, std::string("invalid username or password")));
	EXPECT_THAT(logIn(mount, "bob", "right\\n"), HasStatus(400)) << "a line end is part of a password";
	EXPECT_THAT(logIn(mount, "bob", ""), Refused(500, std::string("missing password")));
}

TEST_P(LoggingIn, WithFiveWrongPasswordsLocksTheUser)
{
	const auto mount = enable("userpass");
	EXPECT_THAT(asRoot(mount + "/users/bob", R"({"password":"right","token_ttl":"60s"})"), HasStatus(204));
	for (int i = 0; i < 5; ++i) {
		EXPECT_THAT(logIn(mount, "bob", "wrong"), HasStatus(400));
	}
	EXPECT_THAT(logIn(mount, "bob", "right"), tokenRefusedReply());
}

TEST_P(LoggingIn, BringsATokenThatIsNotRenewedOnceItsUserIsGone)
{
	const auto mount = enable("userpass");
	EXPECT_THAT(asRoot(mount + "/users/bob", R"({"password":"right","token_ttl":"60s"})"), HasStatus(204));
	const auto token = text(logIn(mount, "bob", "right"), "auth.client_token");
	EXPECT_THAT(ask("DELETE", mount + "/users/bob", server().rootToken()), HasStatus(204));
	EXPECT_THAT(renew(token), HasStatus(204)) << "which is no renewal";
}

TEST_P(LoggingIn, WithNothingShowsTheKindOfTheMount)
{
	EXPECT_THAT(
		ask("POST", enable("userpass") + "/login/nobody", "", "{}"), Refused(500, std::string("missing password")));
	EXPECT_THAT(ask("POST", enable("approle") + "/login", "", "{}"), Refused(500, std::string("missing role_id")));
	EXPECT_THAT(
		ask("POST", enable("cert") + "/login", "", "{}"), Refused(400, std::string("no client certificate found")));
}

TEST_P(LoggingIn, NeverNeedsATokenAndIsNotHurtByADeadOne)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	const auto reply = ask("POST", role.mount + "/login", "s.dead000000000000000000000",
		json({{"role_id", role.roleId}, {"secret_id", role.secretId}}));
	EXPECT_THAT(reply, Granted(60));
}

TEST_P(LoggingIn, MayBeWrapped)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	const auto wrapped = logIn(role, role.secretId, {{"X-Vault-Wrap-TTL", "60s"}});
	EXPECT_THAT(wrapped, HasStatus(200));
	EXPECT_TRUE(field(wrapped, "auth").isEmpty());
	EXPECT_EQ(text(wrapped, "wrap_info.creation_path"), role.mount + "/login");
	EXPECT_THAT(unwrap(text(wrapped, "wrap_info.token")), Granted(60));
}

TEST_P(LoggingIn, WithAWrappedSecretIdTakesOneUnwrapping)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	const auto token = wrappedSecretId(role);
	const auto shown = lookUpWrapping(token);
	EXPECT_EQ(text(shown, "data.creation_path"), role.mount + "/role/web/secret-id");
	EXPECT_EQ(number(shown, "data.creation_ttl"), 60);
	EXPECT_THAT(lookUpWrapping(token), HasStatus(200)) << "which consumes nothing";

	const auto unwrapped = unwrap(token);
	EXPECT_THAT(keysOf(unwrapped, "data"),
		UnorderedElementsAre("secret_id", "secret_id_accessor", "secret_id_num_uses", "secret_id_ttl"));
	EXPECT_THAT(logIn(role, text(unwrapped, "data.secret_id")), Granted(60));
	EXPECT_THAT(unwrap(token), notWrapped);
	EXPECT_THAT(lookUpWrapping(token), notWrapped);
}

TEST_P(LoggingIn, WithAWrappingTokenItselfIsRefusedAndSpendsItNot)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	const auto token = wrappedSecretId(role);
	EXPECT_THAT(logIn(role, token), wrongAppRole);
	EXPECT_THAT(unwrap(token), HasStatus(200));
}

TEST_P(LoggingIn, UnwrapsNoOtherToken)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	const auto token = text(logIn(role), "auth.client_token");
	EXPECT_THAT(unwrap(token), notWrapped);
	EXPECT_THAT(unwrap("s.unknown00000000000000000"), notWrapped);
	EXPECT_THAT(renew(token), Granted(60)) << "an ordinary token is not hurt by it";
}

TEST_P(LoggingIn, BringsATokenThatCanRevokeItself)
{
	const auto role = appRole(R"({"token_ttl":"60s"})");
	const auto token = text(logIn(role), "auth.client_token");
	EXPECT_THAT(ask("POST", "auth/token/revoke-self", token, "{}"), HasStatus(204));
	EXPECT_THAT(lookUp(token), tokenRefusedReply());
	EXPECT_THAT(ask("POST", "auth/token/revoke-self", token, "{}"), tokenRefusedReply());
}

TEST_P(LoggingIn, LetsATokenSeeItsSecretIdOnlyWhereAPolicyAllowsIt)
{
	const auto role =
		appRole(R"({"token_ttl":"60s","token_policies":[")" + own("policy") + R"("]})", R"({"num_uses":7,"ttl":"1h"})");
	const auto path = role.mount + "/role/web/secret-id/lookup";
	const auto body = json({{"secret_id", role.secretId}});
	const auto token = text(logIn(role), "auth.client_token");
	EXPECT_THAT(ask("POST", path, token, body), policyRefusedReply());

	EXPECT_THAT(asRoot("sys/policies/acl/" + own("policy"),
					R"({"policy":"path \")" + path + R"(\" { capabilities = [\"update\"] }"})"),
		HasStatus(204));
	const auto shown = ask("POST", path, token, body);
	EXPECT_EQ(number(shown, "data.secret_id_num_uses"), 6);
	EXPECT_EQ(number(shown, "data.secret_id_ttl"), 3600);
	EXPECT_THAT(ask("POST", path, token, json({{"secret_id", "gone"}})), HasStatus(204));
}

TEST_P(LoggingIn, HappensInANamespace)
{
	if (!server().hasNamespaces()) {
		GTEST_SKIP() << "this server has no namespaces";
	}
	const Headers inside{{"X-Vault-Namespace", own("ns")}};
	EXPECT_THAT(asRoot("sys/namespaces/" + own("ns"), "{}"), HasStatus(200));
	EXPECT_THAT(asRoot("sys/auth/approle", R"({"type":"approle"})", inside), HasStatus(204));
	EXPECT_THAT(asRoot("auth/approle/role/web", R"({"token_ttl":"60s"})", inside), HasStatus(204));
	const auto roleId =
		text(ask("GET", "auth/approle/role/web/role-id", server().rootToken(), "", inside), "data.role_id");
	const auto secretId = text(asRoot("auth/approle/role/web/secret-id", "{}", inside), "data.secret_id");
	const AppRole role{"auth/approle", roleId, secretId};
	const auto reply = logIn(role, secretId, inside);
	EXPECT_THAT(reply, Granted(60));
	EXPECT_THAT(lookUp(text(reply, "auth.client_token")), HasStatus(200)) << "its token tells the namespace";
	EXPECT_THAT(
		ask("POST", own("ns") + "/auth/approle/login", "", json({{"role_id", roleId}, {"secret_id", secretId}})),
		Granted(60));
}

INSTANTIATE_TEST_SUITE_P(Fake, LoggingIn, testing::Values(ServerKind::fake), nameOf);
INSTANTIATE_TEST_SUITE_P(Real, LoggingIn, testing::ValuesIn(realServers()), nameOf);

} // namespace
} // namespace issuer::test
