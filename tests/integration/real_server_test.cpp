#include "mock_host.h"
#include "real_vault.h"

#include <functional>
#include <issuer/control.h>
#include <issuer/health.h>
#include <memory>
#include <string>

/// The built plugin against a real server behind TLS that demands a client certificate. One server for all tests of a
/// process, so none of them may disturb it; outages are in outage_matrix.cpp.
namespace issuer::test {
namespace {

using testing::HasSubstr;
using testing::NiceMock;

/// Certificates, and a server that has one of them.
struct Server
{
	TempDir folder;
	TestPki authority{folder.path()};
	Identity client = authority.client();
	RealVault vault{RealVault::Tls{authority.server(), authority.caFile()}};
};

std::unique_ptr<Server> server; // NOLINT: made on first use, and ended before the process does

class EndOfServer : public testing::Environment
{
public:
	void TearDown() override { server.reset(); }
};

const auto* const endOfServer = testing::AddGlobalTestEnvironment(new EndOfServer);

class RealServer : public testing::Test
{
protected:
	void SetUp() override
	{
		if (!RealVault::isInstalled()) {
			GTEST_SKIP() << RealVault::missing;
		}
		if (!server) {
			server = std::make_unique<Server>();
			std::printf("%s\n", server->vault.nameAndVersion().c_str());
		}
	}

	static const VaultAdmin& admin() { return server->vault.admin(); }

	/// `more` begins with a comma.
	static std::string config(const std::string& token, const std::string& more = "")
	{
		return R"({"address":")" + server->vault.tlsAddress() + R"(","token":{"value":")" + token +
			   R"("},"tls":{"ca_file":")" + server->authority.caFile().string() + R"(","client_cert":")" +
			   server->client.certificate.string() + R"(","client_key":")" + server->client.key.string() + "\"}" +
			   more + "}";
	}

	[[nodiscard]] issuer_health health(const TestIssuer& issuer) const
	{
		issuer_health health{};
		health.struct_size = sizeof health;
		EXPECT_EQ(plugin.extension<issuer_health_ext>(ISSUER_EXT_HEALTH)->snapshot(issuer.get(), &health, nullptr),
			ISSUER_OK);
		return health;
	}

	void renewNow(const TestIssuer& issuer) const
	{
		EXPECT_EQ(
			plugin.extension<issuer_control_ext>(ISSUER_EXT_CONTROL)->renew_now(issuer.get(), nullptr), ISSUER_OK);
	}

	/// Started with the token, and renewed once more.
	void expectRenewals(const std::string& token, const std::string& more = "")
	{
		TestIssuer issuer(plugin, host, config(token, more));
		ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
		renewNow(issuer);
		ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_SUCCESS, 1));
		EXPECT_EQ(health(issuer).state, ISSUER_STATE_ACTIVE);
		EXPECT_EQ(health(issuer).failure, 0U);
	}

	void expectNotRenewable(const std::string& token, issuer_reason reason)
	{
		TestIssuer issuer(plugin, host, config(token));
		ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
		ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_NOT_RENEWABLE, 1));
		EXPECT_EQ(health(issuer).state, ISSUER_STATE_NOT_RENEWABLE);
		EXPECT_EQ(health(issuer).reason, reason);
		EXPECT_GT(health(issuer).expires_unix_ms, 0);
	}

	LoadedPlugin plugin{ISSUER_VAULT_PLUGIN};
	NiceMock<MockHost> host;
};

TEST_F(RealServer, RenewsAnOrdinaryToken)
{
	expectRenewals(admin().createToken(R"({"policies":["default"],"ttl":"60s"})"));
}

TEST_F(RealServer, RenewsAPeriodicToken)
{
	expectRenewals(admin().createToken(R"({"policies":["default"],"period":"60s"})"));
}

TEST_F(RealServer, RenewsATokenOfARole)
{
	admin().write("auth/token/roles/periodic", R"({"token_period":"60s"})");
	expectRenewals(admin().createToken(R"({"policies":["default"]})", "create/periodic"));
}

TEST_F(RealServer, RenewsATokenOfANamespace)
{
	if (admin().ask("POST", "sys/namespaces/team", "{}").status != 200) {
		GTEST_SKIP() << "this edition of the server has no namespaces";
	}
	expectRenewals(
		admin().createToken(R"({"policies":["default"],"ttl":"60s"})", "create", "team"), R"(,"namespace":"team")");
}

TEST_F(RealServer, AWrongNamespaceIsAFaultOfTheConfigurationAndNamed)
{
	const auto token = admin().createToken(R"({"policies":["default"],"ttl":"60s"})");
	TestIssuer issuer(plugin, host, config(token, R"(,"namespace":"nowhere")"));
	EXPECT_EQ(issuer.start(), ISSUER_E_UNAVAILABLE);
	EXPECT_THAT(issuer.message(), HasSubstr("namespace"));
}

TEST_F(RealServer, LeavesARootTokenInPeace)
{
	TestIssuer issuer(plugin, host, config(server->vault.rootToken()));
	ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
	EXPECT_EQ(health(issuer).state, ISSUER_STATE_NO_EXPIRY);
	EXPECT_EQ(health(issuer).next_unix_ms, -1);
}

TEST_F(RealServer, KnowsABatchToken)
{
	expectNotRenewable(
		admin().createToken(R"({"policies":["default"],"type":"batch","ttl":"60s"})"), ISSUER_REASON_BATCH);
}

TEST_F(RealServer, KnowsATokenThatWasMadeNotRenewable)
{
	expectNotRenewable(
		admin().createToken(R"({"policies":["default"],"renewable":false,"ttl":"60s"})"), ISSUER_REASON_NOT_RENEWABLE);
}

TEST_F(RealServer, DoesNotUseUpATokenOfFewUses)
{
	const auto token = admin().createToken(R"({"policies":["default"],"num_uses":3,"ttl":"60s"})");
	expectNotRenewable(token, ISSUER_REASON_LIMITED_USES);
	EXPECT_TRUE(admin().isAlive(token)); // the second use
	EXPECT_TRUE(admin().isAlive(token)); // and the third: the plugin has had one
}

TEST_F(RealServer, ADeniedRenewalIsMendedByAPolicy)
{
	admin().write(
		"sys/policies/acl/looks", R"({"policy":"path \"auth/token/lookup-self\" {capabilities=[\"read\"]}"})");
	const auto token = admin().createToken(R"({"policies":["looks"],"no_default_policy":true,"ttl":"60s"})");
	TestIssuer issuer(plugin, host, config(token));
	ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
	renewNow(issuer);
	ASSERT_TRUE(host.awaitState(ISSUER_STATE_DENIED));
	EXPECT_EQ(health(issuer).reason, ISSUER_REASON_REFUSED);

	admin().write(
		"sys/policies/acl/looks", R"({"policy":"path \"auth/token/*\" {capabilities=[\"read\",\"update\"]}"})");
	renewNow(issuer);
	ASSERT_TRUE(host.awaitState(ISSUER_STATE_ACTIVE));
	EXPECT_EQ(health(issuer).consecutive_failures, 0U);
}

TEST_F(RealServer, ARevokedTokenIsTriedUntilItsEndAsTheRefusalMayHeal)
{
	const auto token = admin().createToken(R"({"policies":["default"],"ttl":"60s"})");
	TestIssuer issuer(plugin, host, config(token));
	ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
	admin().revoke(token);
	renewNow(issuer);
	ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_FAILURE, 1));
	EXPECT_EQ(health(issuer).state, ISSUER_STATE_RETRYING);
	EXPECT_EQ(health(issuer).reason, ISSUER_REASON_REFUSED);
}

TEST_F(RealServer, ARevokedTokenIsExpiredWithItsLease)
{
	const auto token = admin().createToken(R"({"policies":["default"],"ttl":"2s"})");
	TestIssuer issuer(plugin, host, config(token));
	ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
	admin().revoke(token);
	ASSERT_TRUE(host.awaitState(ISSUER_STATE_EXPIRED));
}

TEST_F(RealServer, WithoutAClientCertificateThereIsNoStart)
{
	const auto token = admin().createToken(R"({"policies":["default"],"ttl":"60s"})");
	TestIssuer issuer(plugin, host,
		R"({"address":")" + server->vault.tlsAddress() + R"(","token":{"value":")" + token +
			R"("},"tls":{"ca_file":")" + server->authority.caFile().string() + R"("},"startup_timeout":"5s"})");
	EXPECT_EQ(issuer.start(), ISSUER_E_UNAVAILABLE);
	EXPECT_THAT(issuer.message(), HasSubstr("certificate"));
}

} // namespace
} // namespace issuer::test
