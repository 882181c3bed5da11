#include "login_fixture.h"

#include <gmock/gmock.h>

/// Failed logins: the pauses of each kind of failure, and no lockout.
namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using Kind = LoginTrouble::Kind;

TEST(LoginRefusal, OfTheMaterialIsTriedOnceMoreAndThenFarApart)
{
	LoginFixture fixture;
	fixture.begin().meet(refused(Kind::material));
	EXPECT_EQ(fixture.pause(), 30s);
	fixture.meet(refused(Kind::material));
	EXPECT_EQ(fixture.pause(), 16min);
	fixture.meet(refused(Kind::material));
	EXPECT_EQ(fixture.pause(), 32min);
	for (int tries = 0; tries < 5; ++tries) {
		fixture.meet(refused(Kind::material));
	}
	EXPECT_EQ(fixture.pause(), 4h);
	EXPECT_EQ(fixture.keeper.successor().outlook, Successor::Outlook::failed);
	EXPECT_EQ(fixture.events.front().reason, Reason::loginRefused);
}

TEST(LoginRefusal, OfTheMaterialEndsWithOtherBytes)
{
	LoginFixture fixture;
	fixture.begin().meet(refused(Kind::material)).meet(refused(Kind::material)).wait(1min).find(material(2));
	EXPECT_EQ(fixture.pause(), 250ms);
	fixture.meet(refused(Kind::material));
	EXPECT_EQ(fixture.pause(), 30s) << "other bytes, another row";
}

TEST(LoginRefusal, OfTheMaterialIsNotHurriedByTheHost)
{
	LoginFixture fixture;
	fixture.begin().meet(refused(Kind::material)).meet(refused(Kind::material));
	fixture.keeper.renewNow(fixture.now);
	EXPECT_EQ(fixture.pause(), 16min);
}

TEST(LoginRefusal, ByAConfigurationIsProbedSlowly)
{
	LoginFixture fixture;
	fixture.begin().meet(refused(Kind::configuration, Reason::config));
	EXPECT_EQ(fixture.pause(), 1min);
	fixture.meet(refused(Kind::configuration, Reason::config));
	EXPECT_EQ(fixture.pause(), 2min);
	for (int tries = 0; tries < 5; ++tries) {
		fixture.meet(refused(Kind::configuration, Reason::config));
	}
	EXPECT_EQ(fixture.pause(), 15min);
	fixture.keeper.renewNow(fixture.now);
	EXPECT_EQ(fixture.pause(), 1s - 10ms) << "the host may hurry it";
}

TEST(LoginRefusal, InWordsThatMayMeanALockoutGoesToAnotherAddressAndThenWaits)
{
	LoginFixture fixture;
	fixture.begin();
	EXPECT_FALSE(fixture.take().nextAddress);
	fixture.answer(refused(Kind::ambiguous));
	EXPECT_TRUE(fixture.take().nextAddress);
	for (const auto pause : {1min, 2min, 4min, 8min, 16min, 16min}) {
		fixture.answer(refused(Kind::ambiguous));
		EXPECT_EQ(fixture.pause(), pause);
		EXPECT_FALSE(fixture.take().nextAddress);
	}
}

TEST(LoginRefusal, OfKubernetesWithoutWordsIsAnOutage)
{
	LoginFixture fixture(calm(LoginMethod::kubernetes));
	fixture.begin().meet(refused(Kind::ambiguous));
	ASSERT_NE(fixture.pause(), std::nullopt);
	EXPECT_LT(*fixture.pause(), 2s);
	EXPECT_EQ(fixture.keeper.successor().outlook, Successor::Outlook::retrying);
}

TEST(LoginRefusal, ThatPassesIsTriedAgainBeforeTheTokenEnds)
{
	LoginFixture fixture(calm(LoginMethod::jwt));
	fixture.beginLoggedIn(1h).wait(30min);
	auto life = living(fixture.now, 30min, 30min);
	life.maxTtlEnd = fixture.now.boot + 30min;
	fixture.follow(life).wait(29min);
	while (fixture.now.boot < *life.maxTtlEnd - 5s) {
		fixture.meet(notSent());
		EXPECT_LE(*fixture.keeper.next(), *life.maxTtlEnd - 5s + 2s);
	}
}

TEST(LoginRefusal, AsksAgainNoSoonerThanTheServerAllows)
{
	LoginFixture fixture;
	auto quota = refused(Kind::passes, Reason::throttled);
	quota.retryAfter = 20s;
	fixture.begin().meet(quota);
	EXPECT_EQ(fixture.pause(), 20s);
}

TEST(LoginRefusal, LeavesLaterTriesTimeBeforeTheTokenEnds)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h).wait(30min);
	auto life = living(fixture.now, 40s, 30min);
	life.maxTtlEnd = life.expiry;
	fixture.follow(life);
	EXPECT_EQ(fixture.take().budget, 10s);
}

TEST(LoginRefusal, IsToldByOneEventEachAndFarFewerLines)
{
	LoginFixture fixture;
	fixture.begin();
	for (int tries = 0; tries < 8; ++tries) {
		fixture.meet(refused(Kind::configuration, Reason::config));
	}
	EXPECT_THAT(fixture.events, SizeIs(8));
	EXPECT_THAT(fixture.lines(), SizeIs(4)) << "1st, 2nd, 4th, 8th";
	EXPECT_EQ(fixture.events[0].kind, EventKind::login);
	EXPECT_THAT(fixture.lines()[0], HasSubstr("login failed: the server said no; attempt 1"));
}

TEST(LoginLostAnswer, IsFollowedByAnEmptyLoginUntilTheServerAnswers)
{
	LoginFixture fixture;
	fixture.begin().meet(lostAnswer(), 30s);
	EXPECT_GE(fixture.pause(), 5s);
	auto attempt = fixture.take();
	EXPECT_TRUE(attempt.empty);
	EXPECT_FALSE(attempt.counted);
	fixture.answer(notSent());
	EXPECT_TRUE(fixture.take().empty);
	fixture.answer(refused(Kind::configuration, Reason::config));
	attempt = fixture.take();
	EXPECT_FALSE(attempt.empty);
	EXPECT_TRUE(attempt.counted);
}

TEST(LoginLostAnswer, CountsAUseOfTheSecretId)
{
	LoginFixture fixture;
	auto found = loggedIn(1h);
	found.roleName = "web";
	fixture.begin().meet(found).prove();
	EXPECT_EQ(fixture.take().operation, LoginOperation::lookUpSecretId);
	SecretIdFacts secret;
	secret.usesLeft = 3;
	fixture.answer(secret);
	fixture.keeper.logInNow(fixture.now);
	fixture.meet(lostAnswer(), 30s);
	EXPECT_EQ(fixture.keeper.figures(fixture.now).usesLeft, 2);
	fixture.meet(refused(Kind::configuration)).meet(notSent());
	EXPECT_EQ(fixture.keeper.figures(fixture.now).usesLeft, 2) << "surely unsent: no use was spent";
}

TEST(LoginHeldBack, WaitsAndTellsWhyOnce)
{
	LoginFixture fixture;
	fixture.begin();
	for (int times = 0; times < 2; ++times) {
		static_cast<void>(fixture.take());
		const LoginBudget::Leave leave{false, fixture.now.boot + 10min, false, "refused 3 min ago for issuer web-17"};
		fixture.hear(fixture.keeper.heldBack(fixture.now, leave));
		EXPECT_EQ(fixture.pause(), 10min);
	}
	EXPECT_THAT(fixture.lines(), ElementsAre(HasSubstr("for issuer web-17")));
}

} // namespace
} // namespace issuer::vault::renewal::test
