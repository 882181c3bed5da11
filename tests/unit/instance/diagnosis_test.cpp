#include "fixture.h"

#include <filesystem>

namespace issuer::vault::test {
namespace {

using Level = Finding::Level;

class DiagnosisTest : public InstanceTest
{
protected:
	/// Level and topic of each finding, in order: "ok credential".
	std::vector<std::string> diagnosed(Config config)
	{
		const auto instance = make(std::move(config));
		EXPECT_TRUE(instance->diagnose(10s, [&](const Finding& finding) { findings.push_back(finding); }));
		EXPECT_FALSE(instance->running());
		std::vector<std::string> texts;
		for (const auto& finding : findings) {
			constexpr const char* names[] = {"ok ", "note ", "warn ", "problem "};
			texts.push_back(names[static_cast<int>(finding.level)] + finding.topic);
		}
		return texts;
	}

	void serverAnswers(const Sent& lookUp, const Sent& capabilities = allowed("update"))
	{
		EXPECT_CALL(*exchange, send).WillRepeatedly([=](const HttpRequest& request, transport::Deadline) {
			EXPECT_THAT(request.path, testing::Not(testing::HasSubstr("renew")));
			return request.path == "/v1/auth/token/lookup-self" ? lookUp : capabilities;
		});
	}

	static Sent allowed(const std::string& what)
	{
		return reply(200, R"({"data":{"auth/token/renew-self":[")" + what + R"("]}})");
	}

	std::vector<Finding> findings;
};

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(DiagnosisTest, APeriodicTokenLivesForEver)
{
	serverAnswers(lookedUp(60s, R"(,"period":3600)"));
	EXPECT_THAT(diagnosed(config()), ElementsAre("ok credential", "ok address", "ok policy", "ok lifetime"));
	EXPECT_EQ(findings.back().text, "periodic: each renewal brings 1 h 0 min, for ever");
}

TEST_F(DiagnosisTest, ACappedTokenIsToldItsHour)
{
	serverAnswers(lookedUp(60s, R"(,"explicit_max_ttl":3600,"creation_time":1800000000)"));
	EXPECT_THAT(diagnosed(config()), ElementsAre("ok credential", "ok address", "ok policy", "warn lifetime"));
	EXPECT_THAT(findings.back().text, HasSubstr("dies 2027-01-15T09:00:00Z (1 h 0 min), however often it is renewed"));
	EXPECT_THAT(findings.back().advice, HasSubstr("periodic"));
}

TEST_F(DiagnosisTest, ATokenWithoutPowerIsToldWhatItLacks)
{
	serverAnswers(lookedUp(60s), allowed("deny"));
	EXPECT_THAT(diagnosed(config()), ElementsAre("ok credential", "ok address", "problem policy", "note lifetime"));
	EXPECT_THAT(findings.at(2).advice, HasSubstr("auth/token/renew-self"));
}

TEST_F(DiagnosisTest, ATokenThatMayNotEvenAskIsToldSo)
{
	const auto denied = reply(403, R"({"errors":["1 error occurred:\n\t* permission denied\n\n"]})");
	serverAnswers(denied, denied);
	EXPECT_THAT(diagnosed(config()), ElementsAre("ok credential", "ok address", "warn policy", "problem policy"));
}

TEST_F(DiagnosisTest, ARootTokenNeedsNothing)
{
	serverAnswers(reply(200, R"({"data":{"ttl":0,"expire_time":null}})"));
	EXPECT_THAT(diagnosed(config()), ElementsAre("ok credential", "ok address", "note lifetime"));
}

TEST_F(DiagnosisTest, ATokenOfFewUsesIsAskedOnlyOnce)
{
	EXPECT_CALL(*exchange, send)
		.WillOnce(Return(reply(200, R"({"data":{"ttl":60,"expire_time":"2027-01-15T08:10:00Z","num_uses":3}})")));
	EXPECT_THAT(diagnosed(config()), ElementsAre("ok credential", "ok address", "problem lifetime"));
}

TEST_F(DiagnosisTest, ABatchTokenDies)
{
	serverAnswers(reply(200, R"({"data":{"ttl":60,"expire_time":"2027-01-15T08:10:00Z","type":"batch"}})"));
	EXPECT_THAT(diagnosed(config()), ElementsAre("ok credential", "ok address", "problem lifetime"));
	EXPECT_EQ(findings.back().advice, "use a service token");
}

TEST_F(DiagnosisTest, TheFirstFailureEndsIt)
{
	EXPECT_THAT(diagnosed(fileConfig()), ElementsAre("problem credential"));
	findings.clear();
	serverAnswers(notReached());
	EXPECT_THAT(diagnosed(config()), ElementsAre("ok credential", "problem address"));
	findings.clear();
	serverAnswers(tl::unexpected(ExchangeError{ExchangeError::Kind::tls, "unknown authority"}));
	EXPECT_THAT(diagnosed(config()), ElementsAre("ok credential", "problem tls"));
	findings.clear();
	serverAnswers(refused());
	EXPECT_THAT(diagnosed(config()), ElementsAre("ok credential", "ok address", "problem credential"));
	findings.clear();
	serverAnswers(reply(503, R"({"errors":["Vault is sealed"]})"));
	EXPECT_THAT(diagnosed(config()), ElementsAre("ok credential", "ok address", "problem server"));
}

TEST_F(DiagnosisTest, ATokenFileThatAllUsersMayReadIsWarnedOf)
{
	namespace fs = std::filesystem;
	serverAnswers(notReached());
	const Config config = fileConfig();
	std::ofstream(config.token.name) << "hvs.token";
	const auto diagnosedWith = [&](fs::perms file, fs::perms folder) {
		fs::permissions(config.token.name, file);
		fs::permissions(fs::path(config.token.name).parent_path(), folder);
		findings.clear();
		return diagnosed(fileConfig());
	};
	constexpr fs::perms own = fs::perms::owner_all;
	constexpr fs::perms all = own | fs::perms::others_read | fs::perms::others_exec;
	EXPECT_THAT(diagnosedWith(all, all), ElementsAre("ok credential", "warn credential", "problem address"));
	EXPECT_EQ(findings[1].text, "all users of this machine may read token file " + config.token.name);
	EXPECT_THAT(diagnosedWith(all, own), ElementsAre("ok credential", "problem address")) << "no other user reaches it";
	EXPECT_THAT(diagnosedWith(own | fs::perms::group_read, all), ElementsAre("ok credential", "problem address"));
}

TEST_F(DiagnosisTest, IsNotForRunningOnes)
{
	serverAnswers(lookedUp(60s));
	const auto instance = make(config());
	ASSERT_TRUE(instance->start());
	EXPECT_EQ(instance->diagnose(1s, [](const Finding&) { FAIL(); }).error().kind, Refusal::Kind::state);
	EXPECT_TRUE(instance->stop(1h));
}

} // namespace
} // namespace issuer::vault::test
