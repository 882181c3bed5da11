#include "vault_fixture.h"

#include <chrono>
#include <filesystem>
#include <issuer/credential.h>
#include <string>

/// The life of a token: the built plugin against a server with honest leases.
namespace issuer::test {
namespace {

TEST_P(OverEither, ATokenLivesOnThroughRenewals)
{
	const auto token = tokenFor({.ttl = 4s});
	TestIssuer issuer(plugin, host, config(token));
	ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
	ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_SUCCESS, 3)); // longer than its first lease
	EXPECT_TRUE(vault->api().isAlive(token));
	EXPECT_EQ(health(issuer).state, ISSUER_STATE_ACTIVE);
	EXPECT_EQ(count(host.events(), ISSUER_RESULT_FAILURE), 0);
}

TEST_P(OverEither, AnOutageOfTheServerIsSurvived)
{
	TestIssuer issuer(plugin, host, config(tokenFor({.ttl = 60s})));
	ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
	vault->stop();
	renewNow(issuer);
	ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_FAILURE, 1));
	EXPECT_EQ(health(issuer).state, ISSUER_STATE_RETRYING);
	vault->start();
	ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_SUCCESS, 1));
	EXPECT_EQ(health(issuer).state, ISSUER_STATE_ACTIVE);
}

INSTANTIATE_TEST_SUITE_P(, OverEither, testing::Values(Over::tcp, Over::tls),
	[](const auto& param) { return param.param == Over::tcp ? "Tcp" : "Tls"; });

/// A way for a server to be no help, which passes.
class Trouble : public VaultTest, public testing::WithParamInterface<Fault>
{
};

TEST_P(Trouble, ThatPassesCostsNoToken)
{
	const auto token = tokenFor({.ttl = 60s});
	TestIssuer issuer(plugin, host, config(token, R"(,"renewal":{"request_timeout":"1s"})"));
	ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
	vault->faults().add(GetParam());
	renewNow(issuer);
	ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_FAILURE, 1));
	vault->faults().clear();
	renewNow(issuer);
	ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_SUCCESS, 1));
	EXPECT_TRUE(vault->api().isAlive(token));
	EXPECT_EQ(health(issuer).state, ISSUER_STATE_ACTIVE);
}

INSTANTIATE_TEST_SUITE_P(, Trouble,
	testing::Values(faults::error(503, "Vault is sealed"), faults::error(500, "internal error"),
		faults::error(429, "rate limit quota exceeded"), faults::retryAfter(429, "rate limit quota exceeded", "0"),
		faults::hang(), faults::close(), faults::drip(300ms), faults::proxyPage(200), faults::proxyPage(502),
		faults::noContent(), faults::tokenRefused(), faults::policyRefused()),
	[](const auto& param) {
		auto name = param.param.name;
		std::ranges::replace_if(
			name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
		return std::to_string(param.index) + "_" + name;
	});

TEST_F(VaultTest, TheHourOfDeathIsToldByTheFirstAnswerAndRightToTwoSeconds)
{
	const auto token = tokenFor({.ttl = 4s, .explicitMaxTtl = 6s});
	const auto death = std::chrono::system_clock::now() + 6s;
	TestIssuer issuer(plugin, host, config(token));
	ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
	const std::chrono::system_clock::time_point forecast(std::chrono::milliseconds(health(issuer).capped_at_unix_ms));
	EXPECT_LE(std::chrono::abs(forecast - death), 2s);
	ASSERT_TRUE(host.awaitState(ISSUER_STATE_EXPIRED));
	EXPECT_FALSE(vault->api().isAlive(token));
	EXPECT_EQ(count(host.events(), ISSUER_RESULT_NOT_RENEWABLE), 1);
	const auto deaths = host.events();
	EXPECT_EQ(std::ranges::count_if(deaths,
				  [](const Heard& heard) {
					  return heard.event.kind == ISSUER_EVENT_STATE && heard.event.state == ISSUER_STATE_EXPIRED;
				  }),
		1);
}

TEST_F(VaultTest, ARootTokenIsLeftInPeace)
{
	TestIssuer issuer(plugin, host, config(vault->rootToken()));
	ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
	EXPECT_EQ(health(issuer).state, ISSUER_STATE_NO_EXPIRY);
	EXPECT_EQ(health(issuer).next_unix_ms, -1);
}

TEST_F(VaultTest, ABatchTokenIsNotRenewableAndItsEndIsKnown)
{
	TestIssuer issuer(plugin, host, config(tokenFor({.ttl = 60s, .batch = true})));
	ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
	ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_NOT_RENEWABLE, 1));
	EXPECT_EQ(health(issuer).state, ISSUER_STATE_NOT_RENEWABLE);
	EXPECT_EQ(health(issuer).reason, ISSUER_REASON_BATCH);
	EXPECT_GT(health(issuer).expires_unix_ms, 0);
}

TEST_F(VaultTest, ATokenOfFewUsesIsNotUsedUp)
{
	const auto token = tokenFor({.ttl = 60s, .numUses = 4});
	TestIssuer issuer(plugin, host, config(token));
	ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
	ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_NOT_RENEWABLE, 1));
	EXPECT_EQ(health(issuer).reason, ISSUER_REASON_LIMITED_USES);
	EXPECT_GE(health(issuer).next_unix_ms, health(issuer).expires_unix_ms); // when there is nothing left to use up
	EXPECT_EQ(vault->log().entries().size(), 1);
}

TEST_F(VaultTest, AReplacedTokenFileBringsADeadIssuerBack)
{
	const TempDir folder;
	const auto first = tokenFor({.ttl = 60s});
	const auto file = folder.write("token", first);
	const auto json = R"({"address":")" + vault->address() + R"(","token":{"file":")" + file.string() + R"("}})";
	TestIssuer issuer(plugin, host, json);
	ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
	vault->api().revoke(first);
	renewNow(issuer);
	ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_FAILURE, 1));

	const auto second = tokenFor({.ttl = 60s});
	std::filesystem::rename(folder.write("token.new", second), file);
	ASSERT_TRUE(host.awaitState(ISSUER_STATE_ACTIVE));
	std::string shown;
	EXPECT_EQ(plugin.extension<issuer_credential_ext>(ISSUER_EXT_CREDENTIAL)
				  ->use(
					  issuer.get(),
					  [](void* ctx, issuer_str secret) noexcept {
						  *static_cast<std::string*>(ctx) = {secret.ptr, secret.len};
					  },
					  &shown, nullptr),
		ISSUER_OK);
	EXPECT_EQ(shown, second);
}

TEST_F(VaultTest, AStartWithoutAServerIsUnavailableAndWorksWhenItIsBack)
{
	vault->stop();
	TestIssuer issuer(plugin, host, config(tokenFor({.ttl = 60s})));
	EXPECT_EQ(issuer.start(), ISSUER_E_UNAVAILABLE);
	EXPECT_THAT(issuer.message(), HasSubstr(vault->address()));
	vault->start();
	EXPECT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
}

TEST_F(VaultTest, NoTextEverHoldsTheToken)
{
	const auto token = tokenFor({.ttl = 60s});
	{
		TestIssuer issuer(plugin, host, config(token));
		ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
		vault->faults().add(faults::error(500, "cannot renew " + token));
		renewNow(issuer);
		ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_FAILURE, 1));
	}
	EXPECT_THAT(host.everything(), Not(HasSubstr(token)));
}

} // namespace
} // namespace issuer::test
