#include "server_answers.h"

/// Which tokens may do which calls.
namespace issuer::test {
namespace {

class Access : public ServerAnswers
{
};

TEST_P(Access, IsRefusedToTokensThatTheServerDoesNotKnow)
{
	for (const std::string token : {"s.0123456789abcdefghijklmn", "nonsense", ""}) {
		SCOPED_TRACE("token \"" + token + "\"");
		EXPECT_THAT(lookUp(token), tokenRefusedReply());
		EXPECT_THAT(renew(token), tokenRefusedReply());
	}
}

TEST_P(Access, IsGivenToTokensWithSpaceAroundAndAsABearer)
{
	const auto token = create(R"({"ttl":"60s","policies":["default"]})");
	EXPECT_THAT(lookUp(" " + token + "\t"), HasStatus(200));
	EXPECT_THAT(lookUp("", {{"Authorization", "Bearer " + token}}), HasStatus(200));
}

TEST_P(Access, EndsWithARevocation)
{
	const auto token = create(R"({"ttl":"60s","policies":["default"]})");
	EXPECT_THAT(asRoot("auth/token/revoke", R"({"token":")" + token + "\"}"), HasStatus(204));
	EXPECT_THAT(renew(token), tokenRefusedReply());
	const auto reply = asRoot("auth/token/create", R"({"ttl":"60s","policies":["default"]})");
	asRoot("auth/token/revoke-accessor", R"({"accessor":")" + text(reply, "auth.accessor") + "\"}");
	EXPECT_THAT(renew(text(reply, "auth.client_token")), tokenRefusedReply());
}

TEST_P(Access, CanBeGivenBack)
{
	const auto token = create(R"({"ttl":"60s","policies":["default"]})");
	const auto reply = ask("POST", "auth/token/revoke-self", token);
	EXPECT_THAT(reply, HasStatus(204));
	EXPECT_EQ(reply.body, "");
	EXPECT_THAT(ask("POST", "auth/token/revoke-self", token), tokenRefusedReply());
	const auto batch = create(R"({"ttl":"60s","type":"batch","policies":["default"]})");
	EXPECT_THAT(ask("POST", "auth/token/revoke-self", batch), Refused(400, "batch tokens cannot be revoked"));
}

TEST_P(Access, OfChildrenEndsWithTheirParents)
{
	const auto parent = create(R"({"ttl":"60s","policies":["root"]})");
	const auto child =
		text(ask("POST", "auth/token/create", parent, R"({"policies":["default"]})"), "auth.client_token");
	const auto orphan = text(
		ask("POST", "auth/token/create", parent, R"({"policies":["default"],"no_parent":true})"), "auth.client_token");
	ask("POST", "auth/token/revoke-self", parent);
	EXPECT_THAT(lookUp(child), tokenRefusedReply());
	EXPECT_THAT(lookUp(orphan), HasStatus(200));
	EXPECT_EQ(text(lookUp(orphan), "data.orphan"), "true");
}

TEST_P(Access, IsBoundToAnAddress)
{
	const auto role = own("role");
	asRoot("auth/token/roles/" + role, R"({"token_bound_cidrs":["10.11.12.13/32"]})");
	const auto token = create(R"({"ttl":"60s"})", "create/" + role);
	EXPECT_THAT(lookUp(token), tokenRefusedReply());
	EXPECT_THAT(renew(token), tokenRefusedReply());
}

TEST_P(Access, FollowsThePolicyAtOnce)
{
	const auto policy = own("policy");
	const auto write = [&](const std::string& rule) {
		asRoot("sys/policies/acl/" + policy,
			R"({"policy":"path \"auth/token/renew-self\" { capabilities = [\")" + rule + R"(\"] }"})");
	};
	write("update");
	const auto token = create(R"({"ttl":"60s","no_default_policy":true,"policies":[")" + policy + "\"]}");
	EXPECT_THAT(renew(token), Granted(60));
	EXPECT_THAT(lookUp(token), policyRefusedReply());
	write("deny");
	EXPECT_THAT(renew(token), policyRefusedReply());
	write("update");
	EXPECT_THAT(renew(token), Granted(60));
}

TEST_P(Access, ToItselfComesWithThePolicyDefault)
{
	const auto token = create(R"({"ttl":"60s","no_default_policy":true,"policies":["nothing"]})");
	EXPECT_THAT(lookUp(token), policyRefusedReply());
	EXPECT_THAT(renew(token), policyRefusedReply());
	EXPECT_THAT(
		ask("POST", "sys/capabilities-self", token, R"({"paths":["auth/token/renew-self"]})"), policyRefusedReply());
}

TEST_P(Access, SurvivesADenyOfAWiderPath)
{
	const auto policy = own("policy");
	asRoot("sys/policies/acl/" + policy, R"({"policy":"path \"auth/token/*\" { capabilities = [\"deny\"] }"})");
	const auto token = create(R"({"ttl":"60s","policies":["default",")" + policy + "\"]}");
	EXPECT_THAT(renew(token), Granted(60));
}

TEST_P(Access, IsToldByCapabilities)
{
	const auto token = create(R"({"ttl":"60s","policies":["default"]})");
	const auto reply = ask("POST", "sys/capabilities-self", token,
		R"({"paths":["auth/token/renew-self","auth/token/lookup-self","secret/x"]})");
	EXPECT_THAT(list(reply, "data.auth/token/renew-self"), testing::ElementsAre("update"));
	EXPECT_THAT(list(reply, "auth/token/lookup-self"), testing::ElementsAre("read"));
	EXPECT_THAT(list(reply, "secret/x"), testing::ElementsAre("deny"));
}

TEST_P(Access, DoesNotCreateTokensWithoutAPolicyForIt)
{
	const auto token = create(R"({"ttl":"60s","policies":["default"]})");
	EXPECT_THAT(ask("POST", "auth/token/create", token, "{}"), policyRefusedReply());
}

TEST_P(Access, WithAWrappingTokenDestroysIt)
{
	const auto wrapped =
		asRoot("auth/token/create", R"({"ttl":"60s","policies":["default"]})", {{"X-Vault-Wrap-TTL", "60s"}});
	const auto token = text(wrapped, "wrap_info.token");
	EXPECT_THAT(renew(token), policyRefusedReply());
	EXPECT_THAT(renew(token), tokenRefusedReply());
}

INSTANTIATE_TEST_SUITE_P(Fake, Access, testing::Values(ServerKind::fake), nameOf);
INSTANTIATE_TEST_SUITE_P(Real, Access, testing::ValuesIn(realServers()), nameOf);

} // namespace
} // namespace issuer::test
