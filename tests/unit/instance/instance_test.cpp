#include "fixture.h"

namespace issuer::vault::test {
namespace {

TEST_F(InstanceTest, BeforeItsFirstStartKnowsNothingAndAsksNothing)
{
	EXPECT_CALL(*exchange, send).Times(0);
	const auto instance = make(config());
	EXPECT_FALSE(instance->running());
	EXPECT_EQ(instance->snapshot().state, State::stopped);
	EXPECT_TRUE(instance->stop(0ms));
}

TEST_F(InstanceTest, StartWaitsForTheFirstLookUp)
{
	EXPECT_CALL(*exchange, send).WillOnce(Return(lookedUp(60s)));
	const auto instance = make(config());
	ASSERT_TRUE(start(*instance));
	EXPECT_EQ(instance->snapshot().state, State::active);
	EXPECT_TRUE(instance->stop(1h));
	EXPECT_EQ(instance->snapshot().state, State::stopped);
}

TEST_F(InstanceTest, SendsTheTokenInItsHeaderAndNowhereElse)
{
	EXPECT_CALL(*exchange, send).WillOnce([](const HttpRequest& request, transport::Deadline) {
		EXPECT_EQ(request.secretHeader, "X-Vault-Token");
		EXPECT_EQ(request.secret, secretText);
		EXPECT_EQ(request.path, "/v1/auth/token/lookup-self");
		EXPECT_EQ(request.body.find(secretText), std::string::npos);
		return lookedUp(60s);
	});
	const auto instance = make(config());
	ASSERT_TRUE(start(*instance));
	EXPECT_TRUE(instance->stop(1h));
	EXPECT_EQ(hearing.everything().find(secretText), std::string::npos);
}

TEST_F(InstanceTest, RenewsAtHalfOfTheLeaseAgainAndAgain)
{
	EXPECT_CALL(*exchange, send).WillOnce(Return(lookedUp(60s))).WillRepeatedly(Return(renewed(60s)));
	const auto instance = make(config());
	ASSERT_TRUE(start(*instance));
	for (int renewal = 0; renewal < 3; ++renewal) {
		EXPECT_LE(services->untilNextRun().value(), 30s);
		EXPECT_GE(services->untilNextRun().value(), 26s);
		services->toNextRun();
	}
	EXPECT_EQ(hearing.outcomes(Outcome::success), 3);
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, StartOfARunningOneHasNoEffect)
{
	EXPECT_CALL(*exchange, send).WillOnce(Return(lookedUp(60s)));
	const auto instance = make(config());
	ASSERT_TRUE(start(*instance));
	EXPECT_TRUE(start(*instance));
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, StartsAgainAfterStopWithALookUp)
{
	EXPECT_CALL(*exchange, send).Times(3).WillRepeatedly(Return(lookedUp(60s)));
	const auto instance = make(config());
	for (int round = 0; round < 3; ++round) {
		ASSERT_TRUE(start(*instance));
		ASSERT_TRUE(instance->stop(1h));
	}
}

TEST_F(InstanceTest, StartThatFindsNoServerSaysWhyAndDoesNotRun)
{
	EXPECT_CALL(*exchange, send).WillRepeatedly(Return(notReached()));
	const auto instance = make(config());
	const auto started = start(*instance);
	ASSERT_FALSE(started);
	EXPECT_EQ(started.error().kind, Refusal::Kind::unavailable);
	EXPECT_THAT(started.error().text, testing::HasSubstr("cannot connect to 127.0.0.1:8200"));
	EXPECT_FALSE(instance->running());
	EXPECT_EQ(services->untilNextRun(), std::nullopt);
}

TEST_F(InstanceTest, StartWithARefusedTokenSaysThatItIsRefused)
{
	EXPECT_CALL(*exchange, send).WillRepeatedly(Return(refused()));
	const auto instance = make(config());
	auto starting = std::async(std::launch::async, [&] { return instance->start(); });
	while (starting.wait_for(0s) != std::future_status::ready) {
		services->advance(100ms); // a look-up that is refused is followed by a renewal, which the policy may allow
	}
	const auto started = starting.get();
	ASSERT_FALSE(started);
	EXPECT_EQ(started.error().kind, Refusal::Kind::unavailable);
	EXPECT_THAT(started.error().text, testing::HasSubstr("does not accept the token"));
}

TEST_F(InstanceTest, StartThatHasFailedMayBeTriedAgain)
{
	EXPECT_CALL(*exchange, send).WillOnce(Return(notReached())).WillRepeatedly(Return(lookedUp(60s)));
	const auto instance = make(config());
	EXPECT_FALSE(start(*instance));
	EXPECT_TRUE(start(*instance));
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, StartWithoutAReadableTokenIsInvalidAndNamesThePlace)
{
	EXPECT_CALL(*exchange, send).Times(0);
	const auto instance = make(fileConfig());
	const auto started = start(*instance);
	ASSERT_FALSE(started);
	EXPECT_EQ(started.error().kind, Refusal::Kind::invalid);
	EXPECT_THAT(started.error().text, testing::HasSubstr("/token cannot be read: No such file"));
	EXPECT_FALSE(instance->running());
}

TEST_F(InstanceTest, InTheBackgroundStartReturnsAtOnceAndGoesOnTrying)
{
	EXPECT_CALL(*exchange, send).WillOnce(Return(notReached())).WillRepeatedly(Return(lookedUp(60s)));
	const auto instance = make(config(Config::Startup::background));
	ASSERT_TRUE(instance->start());
	services->advance(0s);
	EXPECT_EQ(instance->snapshot().state, State::starting);
	services->toNextRun();
	EXPECT_EQ(instance->snapshot().state, State::active);
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, InTheBackgroundATokenFileMayComeLater)
{
	EXPECT_CALL(*exchange, send).WillOnce(Return(lookedUp(60s)));
	const auto instance = make(fileConfig(Config::Startup::background));
	ASSERT_TRUE(instance->start());
	services->advance(0s);
	EXPECT_EQ(instance->snapshot().reason, Reason::credentialUnreadable);
	writeToken(secretText);
	services->advance(2s);
	EXPECT_EQ(instance->snapshot().state, State::active);
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, ATokenThatIsReplacedInItsFileIsUsedAtOnce)
{
	writeToken("s.first");
	std::vector<std::string> used;
	EXPECT_CALL(*exchange, send).WillRepeatedly([&](const HttpRequest& request, transport::Deadline) {
		used.emplace_back(request.secret);
		return lookedUp(3600s);
	});
	const auto instance = make(fileConfig());
	ASSERT_TRUE(start(*instance));
	writeToken("s.second");
	services->pass(30s);
	EXPECT_EQ(used, (std::vector<std::string>{"s.first", "s.second"}));
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, ALostTokenFileKeepsTheTokenAlive)
{
	writeToken("s.first");
	EXPECT_CALL(*exchange, send).WillOnce(Return(lookedUp(60s))).WillRepeatedly(Return(renewed(60s)));
	const auto instance = make(fileConfig());
	ASSERT_TRUE(start(*instance));
	writeToken("");
	services->pass(31s);
	EXPECT_EQ(hearing.outcomes(Outcome::success), 1);
	EXPECT_THAT(hearing.everything(), testing::HasSubstr("/token is empty"));
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, WhileItsTokenFileHangsABackgroundStartReturnsAndStopDoesToo)
{
	writeToken("s.first");
	services->hangFiles();
	const auto instance = make(fileConfig(Config::Startup::background));
	ASSERT_TRUE(instance->start());
	EXPECT_EQ(instance->useCredential([](std::string_view) { FAIL(); }).error().kind, Refusal::Kind::unavailable);
	services->pass(10s);
	EXPECT_THAT(hearing.everything(), testing::HasSubstr("/token has not answered for 2s"));
	EXPECT_TRUE(services->untilNextRun());
	EXPECT_TRUE(instance->stop(1h));
	services->letFilesGo();
}

TEST_F(InstanceTest, ATokenFileThatHungAtTheStartIsReadWhenItAnswers)
{
	EXPECT_CALL(*exchange, send).WillRepeatedly(Return(lookedUp(3600s)));
	writeToken("s.first");
	services->hangFiles();
	const auto instance = make(fileConfig(Config::Startup::background));
	ASSERT_TRUE(instance->start());
	services->pass(1h);
	services->letFilesGo();
	services->pass(5s);
	EXPECT_EQ(instance->snapshot().state, State::active);
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, ATokenThatWasJustReadIsNotTakenForOneThatHasEnded)
{
	writeToken(secretText);
	services->hangFiles();
	const auto instance = make(fileConfig(Config::Startup::background));
	ASSERT_TRUE(start(*instance));
	services->letFilesGo();
	EXPECT_EQ(services->overdue(), 0) << "no limit of connections would hold for it";
}

TEST_F(InstanceTest, AFailFastStartWaitsForItsTokenFileNoLongerThanStartupTimeout)
{
	writeToken("s.first");
	services->hangFiles();
	auto impatient = fileConfig();
	impatient.startupTimeout = 1ms;
	const auto instance = make(std::move(impatient));
	const auto started = instance->start();
	ASSERT_FALSE(started);
	EXPECT_EQ(started.error().kind, Refusal::Kind::unavailable);
	EXPECT_THAT(started.error().text, testing::HasSubstr("/token has not been read within startup_timeout"));
	EXPECT_FALSE(instance->running());
	services->letFilesGo();
}

TEST_F(InstanceTest, ANewTokenTakesThePlaceOfTheOldOneOnceItIsAccepted)
{
	writeToken("s.first");
	bool known = false;
	EXPECT_CALL(*exchange, send).WillRepeatedly([&](const HttpRequest& request, transport::Deadline) {
		const bool refuses = request.secret == "s.second" && !known;
		return refuses ? refused() : request.path.ends_with("renew-self") ? renewed(60s) : lookedUp(60s);
	});
	std::string lent;
	const auto instance = make(fileConfig());
	const auto use = [&] {
		EXPECT_TRUE(instance->useCredential([&](std::string_view token) { lent = token; }));
		return lent;
	};
	ASSERT_TRUE(start(*instance));
	writeToken("s.second");
	services->pass(90s);
	EXPECT_EQ(use(), "s.first");
	EXPECT_EQ(instance->snapshot().state, State::active);
	EXPECT_GE(hearing.outcomes(Outcome::success), 2) << "the old one is renewed meanwhile";
	known = true;
	services->pass(10min);
	EXPECT_EQ(use(), "s.second");
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, ATextThatIsNoTokenIsNotSentAndTheOldTokenLivesOn)
{
	writeToken("s.first");
	EXPECT_CALL(*exchange, send).WillRepeatedly([&](const HttpRequest& request, transport::Deadline) {
		EXPECT_EQ(request.secret, "s.first");
		return request.path.ends_with("renew-self") ? renewed(60s) : lookedUp(60s);
	});
	const auto instance = make(fileConfig());
	ASSERT_TRUE(start(*instance));
	for (const auto* text : {"null\n", R"({"auth":{"client_token":"s.CANARY"}})", "VAULT_TOKEN=s.CANARY"}) {
		writeToken(text);
		services->pass(31s);
	}
	EXPECT_THAT(hearing.everything(), testing::HasSubstr("the word for \"nothing\""));
	EXPECT_THAT(hearing.everything(), testing::Not(testing::HasSubstr("CANARY")));
	EXPECT_EQ(instance->snapshot().state, State::active);
	EXPECT_GE(hearing.outcomes(Outcome::success), 2);
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, OfADeadTokenAReplacementIsNoticedWithin2Seconds)
{
	writeToken("s.first");
	bool revoked = false;
	EXPECT_CALL(*exchange, send).WillRepeatedly([&](const HttpRequest& request, transport::Deadline) {
		return request.secret == "s.second" ? lookedUp(3600s) : revoked ? refused() : lookedUp(20s);
	});
	const auto instance = make(fileConfig());
	ASSERT_TRUE(start(*instance));
	revoked = true;
	services->pass(3h);
	EXPECT_EQ(instance->snapshot().state, State::expired);
	writeToken("s.second");
	services->pass(2s);
	EXPECT_EQ(instance->snapshot().state, State::active);
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, FailuresKeepGoing)
{
	EXPECT_CALL(*exchange, send).WillOnce(Return(lookedUp(60s))).WillRepeatedly(Return(notReached()));
	const auto instance = make(config());
	ASSERT_TRUE(start(*instance));
	for (int failure = 0; failure < 4; ++failure) {
		services->toNextRun();
	}
	EXPECT_EQ(hearing.outcomes(Outcome::failure), 4);
	EXPECT_EQ(instance->snapshot().state, State::retrying);
	EXPECT_EQ(instance->snapshot().consecutiveFailures, 4);
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, RenewNowDoesNotWaitForHalfOfTheLease)
{
	EXPECT_CALL(*exchange, send).WillOnce(Return(lookedUp(3600s))).WillOnce(Return(renewed(3600s)));
	const auto instance = make(config());
	ASSERT_TRUE(start(*instance));
	services->advance(10s);
	ASSERT_TRUE(instance->renewNow());
	services->advance(1s);
	EXPECT_EQ(hearing.outcomes(Outcome::success), 1);
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, ANudgeDuringARequestIsNotForgotten)
{
	std::unique_ptr<Instance> instance;
	EXPECT_CALL(*exchange, send)
		.WillOnce(Return(lookedUp(3600s)))
		.WillOnce([&](const HttpRequest&, transport::Deadline) {
			EXPECT_TRUE(instance->renewNow());
			return renewed(3600s);
		})
		.WillOnce(Return(renewed(3600s)));
	instance = make(config());
	ASSERT_TRUE(start(*instance));
	services->toNextRun();
	services->advance(1s);
	EXPECT_EQ(hearing.outcomes(Outcome::success), 2);
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, NudgesAreForRunningOnes)
{
	const auto instance = make(config());
	EXPECT_EQ(instance->renewNow().error().kind, Refusal::Kind::state);
	EXPECT_EQ(instance->credentialChanged().error().kind, Refusal::Kind::state);
}

TEST_F(InstanceTest, AnExceptionOfTheTransportIsAFailureAndNotTheEnd)
{
	EXPECT_CALL(*exchange, send)
		.WillOnce(Return(lookedUp(60s)))
		.WillOnce([](const HttpRequest&, transport::Deadline) -> Sent { throw std::bad_alloc(); })
		.WillRepeatedly(Return(renewed(60s)));
	const auto instance = make(config());
	ASSERT_TRUE(start(*instance));
	services->toNextRun();
	EXPECT_EQ(instance->snapshot().state, State::retrying);
	services->toNextRun();
	EXPECT_EQ(instance->snapshot().state, State::active);
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, EvenAThrownValueThatIsNoExceptionDoesNotEndIt)
{
	EXPECT_CALL(*exchange, send)
		.WillOnce(Return(lookedUp(60s)))
		.WillOnce([](const HttpRequest&, transport::Deadline) -> Sent { throw 42; })
		.WillRepeatedly(Return(renewed(60s)));
	const auto instance = make(config());
	ASSERT_TRUE(start(*instance));
	services->toNextRun();
	services->pass(10s);
	EXPECT_EQ(instance->snapshot().state, State::active);
	EXPECT_EQ(hearing.outcomes(Outcome::success), 1) << "it was renewed after that";
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, AnotherVerdictOfTlsIsPassedOnOnce)
{
	auto warned = lookedUp(60s);
	warned->advice = {"the client certificate ends in 20 days"};
	auto again = renewed(60s);
	again->advice = warned->advice;
	EXPECT_CALL(*exchange, send).WillOnce(Return(warned)).WillRepeatedly(Return(again));
	const auto instance = make(config());
	ASSERT_TRUE(start(*instance));
	services->toNextRun();
	services->toNextRun();
	const auto text = hearing.everything();
	const auto first = text.find("tls: the client certificate ends in 20 days");
	EXPECT_NE(first, std::string::npos);
	EXPECT_EQ(text.find("tls: ", first + 1), std::string::npos);
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(InstanceTest, EachStartPassesItOnAnew)
{
	auto warned = lookedUp(60s);
	warned->advice = {"certificates are not verified"};
	EXPECT_CALL(*exchange, send).WillRepeatedly(Return(warned));
	const auto instance = make(config());
	for (int round = 0; round < 2; ++round) {
		ASSERT_TRUE(start(*instance));
		ASSERT_TRUE(instance->stop(1h));
	}
	const auto text = hearing.everything();
	const auto first = text.find("tls: certificates are not verified");
	EXPECT_NE(text.find("tls: certificates are not verified", first + 1), std::string::npos);
}

TEST_F(InstanceTest, ShowsTheTokenInUseAndNoneBeforeItWasRead)
{
	EXPECT_CALL(*exchange, send).WillRepeatedly(Return(lookedUp(60s)));
	writeToken("s.first\n");
	const auto instance = make(fileConfig());
	EXPECT_EQ(instance->useCredential([](std::string_view) { FAIL(); }).error().kind, Refusal::Kind::unavailable);
	ASSERT_TRUE(start(*instance));
	std::string shown;
	EXPECT_TRUE(instance->useCredential([&](std::string_view token) { shown = token; }));
	EXPECT_EQ(shown, "s.first");
	EXPECT_TRUE(instance->stop(1h));
}

} // namespace
} // namespace issuer::vault::test
