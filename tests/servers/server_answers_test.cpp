#include "server_answers.h"

#include <optional>

/// Addresses, namespaces, and the states of a server.
namespace issuer::test {
namespace {

class ServerItself : public ServerAnswers
{
};

TEST_P(ServerItself, AnswersOtherVerbsLikeAMissingPolicy)
{
	const auto token = create(R"({"ttl":"60s","policies":["default"]})");
	for (const std::string verb : {"GET", "DELETE", "LIST"}) {
		EXPECT_THAT(ask(verb, "auth/token/renew-self", token), policyRefusedReply()) << verb;
	}
	for (const std::string verb : {"POST", "PUT", "DELETE", "LIST"}) {
		EXPECT_THAT(ask(verb, "auth/token/lookup-self", token), policyRefusedReply()) << verb;
	}
	const auto head = ask("HEAD", "auth/token/renew-self", token);
	EXPECT_EQ(head.status, 403);
	EXPECT_EQ(head.body, "");
}

TEST_P(ServerItself, TellsRootWhichVerbsThereAre)
{
	const auto token = create(R"({"ttl":"60s","policies":["root"]})");
	EXPECT_THAT(
		ask("GET", "auth/token/renew-self", token), Refused(405, "1 error occurred:\n\t* unsupported operation\n\n"));
	EXPECT_THAT(ask("POST", "auth/token/lookup-self", token), HasStatus(200));
}

TEST_P(ServerItself, AnswersUnknownPathsLikeAMissingPolicy)
{
	const auto token = create(R"({"ttl":"60s","policies":["default"]})");
	EXPECT_THAT(ask("POST", "auth/nosuch/renew-self", token), policyRefusedReply());
	EXPECT_THAT(ask("POST", "nosuch/renew-self", token), policyRefusedReply());
	const auto root = server().rootToken();
	EXPECT_THAT(ask("GET", "nosuch/lookup-self", root),
		Refused(404, "no handler for route \"nosuch/lookup-self\". route entry not found."));
	EXPECT_THAT(ask("GET", "auth/token/nosuch", root), RefusedWith(404, "unsupported path"));
}

TEST_P(ServerItself, IsAtItsExactPathsOnly)
{
	const auto token = create(R"({"ttl":"60s","policies":["default"]})");
	for (const std::string path :
		{"/auth/token/renew-self", "/v2/auth/token/renew-self", "/V1/auth/token/renew-self"}) {
		const auto reply = ask("POST", path, token);
		EXPECT_THAT(reply, HasStatus(404)) << path;
		EXPECT_THAT(list(reply, "errors"), testing::IsEmpty()) << path;
	}
	EXPECT_THAT(ask("POST", "auth/token/renew-self/", token), Refused(400, "cannot write to a path ending in '/'"));
	EXPECT_THAT(ask("GET", "auth/token/lookup-self/", token), policyRefusedReply());
}

TEST_P(ServerItself, RedirectsPathsThatAreNotClean)
{
	for (const std::string path : {"/v1//auth/token/renew-self", "/v1/auth/token/../token/renew-self"}) {
		const auto reply = ask("POST", path, "any");
		EXPECT_THAT(reply, HasStatus(307)) << path;
		EXPECT_EQ(reply.header("Location"), "/v1/auth/token/renew-self") << path;
	}
}

TEST_P(ServerItself, TellsItsHealthWithoutAToken)
{
	const auto health = ask("GET", "sys/health", "");
	EXPECT_THAT(health, HasStatus(200));
	EXPECT_EQ(text(health, "sealed"), "false");
	EXPECT_EQ(text(ask("GET", "sys/seal-status", ""), "initialized"), "true");
}

TEST_P(ServerItself, KeepsTokensInNamespaces)
{
	if (!server().hasNamespaces()) {
		GTEST_SKIP() << "this edition of the server has no namespaces";
	}
	const auto name = own("ns");
	const ApiReply made = asRoot("sys/namespaces/" + name, "{}");
	EXPECT_THAT(made, HasStatus(200));
	const Headers inside{{"X-Vault-Namespace", name}};
	const auto token = create(R"({"ttl":"60s","policies":["default"]})", "create", inside);
	EXPECT_EQ(token.substr(0, 2), "s.");
	EXPECT_EQ(token.size(), std::string("s.0123456789abcdefghijklmn.ABCDEF").size());
	for (const auto& where : {name, name + "/", std::string("root"), std::string()}) {
		const auto reply = renew(token, "{}", {{"X-Vault-Namespace", where}});
		EXPECT_THAT(reply, Granted(60)) << where;
	}
	EXPECT_THAT(ask("POST", name + "/auth/token/renew-self", token), Granted(60));
	EXPECT_EQ(text(lookUp(token), "data.namespace_path"), name + "/");
	EXPECT_EQ(lookUp(token, inside).header("X-Vault-Namespace"), name);
}

TEST_P(ServerItself, DoesNotKnowOtherNamespaces)
{
	if (!server().hasNamespaces()) {
		GTEST_SKIP() << "this edition of the server has no namespaces";
	}
	EXPECT_THAT(
		renew(server().rootToken(), "{}", {{"X-Vault-Namespace", "nosuch"}}), Refused(404, "namespace not found"));
}

TEST_P(ServerItself, LocksANamespace)
{
	if (!server().hasNamespaces()) {
		GTEST_SKIP() << "this edition of the server has no namespaces";
	}
	const auto name = own("ns");
	asRoot("sys/namespaces/" + name, "{}");
	const Headers inside{{"X-Vault-Namespace", name}};
	const auto token = create(R"({"ttl":"60s","policies":["default"]})", "create", inside);
	asRoot("sys/namespaces/api-lock/lock/" + name, "{}");
	EXPECT_THAT(renew(token, "{}", inside),
		Refused(503, "API access to this namespace has been locked by an administrator - \"" + name +
						 "/\" must be unlocked to gain access."));
}

TEST_P(ServerItself, AnswersNoTokenWhileItIsSealed)
{
	const auto own = freshServer();
	const auto token =
		text(askServer(*own, "POST", "auth/token/create", own->rootToken(), R"({"ttl":"60s"})"), "auth.client_token");
	const auto renewal = [&](const std::string& who) {
		return askServer(*own, "POST", "auth/token/renew-self", who, "{}");
	};
	EXPECT_THAT(askServer(*own, "PUT", "sys/seal", own->rootToken()), HasStatus(204));
	EXPECT_THAT(renewal(token), Refused(503, "Vault is sealed"));
	EXPECT_THAT(renewal("unknown"), Refused(503, "Vault is sealed"));
	EXPECT_THAT(askServer(*own, "GET", "auth/token/lookup-self", token), Refused(503, "Vault is sealed"));
	EXPECT_THAT(askServer(*own, "GET", "sys/health", ""), HasStatus(503));
	EXPECT_EQ(text(askServer(*own, "GET", "sys/seal-status", ""), "sealed"), "true");

	EXPECT_THAT(askServer(*own, "PUT", "sys/unseal", "", R"({"key":")" + own->unsealKey() + "\"}"), HasStatus(200));
	EXPECT_THAT(renewal(token), Granted(60));
}

TEST_P(ServerItself, RefusesWhatIsBeyondAQuotaWithoutALookAtTheToken)
{
	const auto own = freshServer();
	const auto token =
		text(askServer(*own, "POST", "auth/token/create", own->rootToken(), R"({"ttl":"60s"})"), "auth.client_token");
	const auto renewal = [&](const std::string& who) {
		return askServer(*own, "POST", "auth/token/renew-self", who, "{}");
	};
	const auto refused = Refused(429, "request path \"auth/token/renew-self\": rate limit quota exceeded");
	askServer(*own, "POST", "sys/quotas/rate-limit/all", own->rootToken(), R"({"rate":2,"interval":"60s"})");
	EXPECT_THAT(renewal(token), Granted(60));
	EXPECT_THAT(renewal(token), Granted(60));
	EXPECT_THAT(renewal(token), refused);
	EXPECT_EQ(renewal(token).header("Retry-After"), std::nullopt);
	EXPECT_THAT(renewal("unknown"), refused);
}

INSTANTIATE_TEST_SUITE_P(Fake, ServerItself, testing::Values(ServerKind::fake), nameOf);
INSTANTIATE_TEST_SUITE_P(Real, ServerItself, testing::ValuesIn(realServers()), nameOf);

TEST(RealServer, IsAskedTheSame)
{
	if (realServers().empty()) {
		GTEST_SKIP() << "neither bao nor vault is on PATH: the fake is judged by the recordings alone";
	}
}

} // namespace
} // namespace issuer::test
