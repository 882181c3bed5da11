#include "login_fixture.h"

#include <gmock/gmock.h>

/// When a login is made: ahead of each end that can be known, at once where nothing else helps, and not otherwise.
namespace issuer::vault::renewal::test {
namespace {

using Standing = TokenLife::Standing;

TEST(LoginWhen, WithoutATokenAtOnce)
{
	LoginFixture fixture;
	fixture.begin();
	EXPECT_EQ(fixture.pause(), 0s);
	const auto attempt = fixture.take();
	EXPECT_EQ(attempt.operation, LoginOperation::logIn);
	EXPECT_EQ(attempt.budget, 30s);
	EXPECT_TRUE(attempt.counted);
}

TEST(LoginWhen, NotBeforeTheMaterialWasRead)
{
	LoginFixture fixture;
	fixture.hear(fixture.keeper.begin(fixture.now));
	EXPECT_EQ(fixture.pause(), std::nullopt);
}

TEST(LoginWhen, NeverForATokenThatIsRenewedAndHasNoKnownEnd)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h);
	EXPECT_EQ(fixture.pause(), std::nullopt);
	EXPECT_EQ(fixture.keeper.successor().outlook, Successor::Outlook::planned);
}

TEST(LoginWhen, HalfALeaseBeforeAKnownMaxTtlThatIsNear)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h);
	auto life = living(fixture.now, 1h, 1h);
	life.maxTtlEnd = fixture.now.boot + 3h;
	fixture.follow(life);
	EXPECT_EQ(fixture.pause(), 2h + 30min);
}

TEST(LoginWhen, ATenthOfTheLifeBeforeAKnownMaxTtlThatIsFar)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h);
	auto life = living(fixture.now, 1h, 1h);
	life.maxTtlEnd = fixture.keeper.memory().inUse->sent + 100h;
	fixture.follow(life);
	EXPECT_EQ(*fixture.keeper.next(), *life.maxTtlEnd - 10h);
}

TEST(LoginWhen, ADayBeforeAtMost)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h);
	auto life = living(fixture.now, 1h, 1h);
	life.maxTtlEnd = fixture.now.boot + 768h;
	fixture.follow(life);
	EXPECT_EQ(fixture.pause(), 744h);
}

TEST(LoginWhen, AsLongBeforeAsConfiguredButNoMoreThanHalfTheLife)
{
	auto policy = calm();
	policy.ahead = 10h;
	LoginFixture fixture(policy);
	fixture.beginLoggedIn(1h);
	auto life = living(fixture.now, 1h, 1h);
	life.maxTtlEnd = fixture.keeper.memory().inUse->sent + 40h;
	fixture.follow(life);
	EXPECT_EQ(*fixture.keeper.next(), *life.maxTtlEnd - 10h);
	life.maxTtlEnd = fixture.keeper.memory().inUse->sent + 12h;
	fixture.follow(life);
	EXPECT_EQ(*fixture.keeper.next(), *life.maxTtlEnd - 6h);
}

TEST(LoginWhen, AtAHiddenMaxTtlOnceAGrantHasToldIt)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h).wait(9h);
	auto life = living(fixture.now, 40min, 40min);
	life.maxTtlEnd = fixture.now.boot + 40min;
	life.capped = true;
	fixture.follow(life);
	EXPECT_EQ(fixture.pause(), 0s) << "a tenth of the life is longer than what is left";
}

TEST(LoginWhen, AsInTheLifeBeforeWhereTheMaxTtlIsHidden)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h).wait(9h);
	auto life = living(fixture.now, 40min, 40min);
	life.maxTtlEnd = fixture.keeper.memory().inUse->sent + 10h;
	life.capped = true;
	fixture.follow(life).meet(loggedIn(1h)).prove();
	EXPECT_EQ(*fixture.keeper.next(), fixture.keeper.memory().inUse->sent + 9h);
}

TEST(LoginWhen, ALearnedMaxTtlIsForgottenAfterEightLives)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h).wait(9h);
	auto life = living(fixture.now, 40min, 40min);
	life.maxTtlEnd = fixture.keeper.memory().inUse->sent + 10h;
	fixture.follow(life);
	for (int lives = 0; lives < 7; ++lives) {
		fixture.meet(loggedIn(1h)).prove();
		EXPECT_NE(fixture.pause(), std::nullopt);
	}
	fixture.meet(loggedIn(1h)).prove();
	EXPECT_EQ(fixture.pause(), std::nullopt) << "led to its wall again, which may have moved";
}

TEST(LoginWhen, AtHalfTheLeaseOfATokenThatCannotBeRenewed)
{
	LoginFixture fixture;
	auto facts = loggedIn(1h);
	facts.batch = true;
	fixture.begin().meet(facts).hear(fixture.keeper.adopted(fixture.now));
	EXPECT_EQ(*fixture.keeper.next(), fixture.keeper.memory().inUse->sent + 30min);
}

TEST(LoginWhen, AtHalfTheLeaseOfATokenThatIsCappedFromBirth)
{
	LoginFixture fixture;
	auto facts = loggedIn(20min);
	facts.cappedAtBirth = true;
	fixture.begin().meet(facts).prove();
	auto life = living(fixture.now, 20min, 20min);
	life.maxTtlEnd = life.expiry = fixture.keeper.memory().inUse->sent + 20min;
	life.capped = true;
	fixture.follow(life);
	EXPECT_EQ(*fixture.keeper.next(), fixture.keeper.memory().inUse->sent + 10min);
}

TEST(LoginWhen, TheTokenIsDeadAtOnce)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h).wait(40min).follow(fallen(Standing::ended, fixture.now));
	EXPECT_EQ(fixture.pause(), 0s);
}

TEST(LoginWhen, RenewalsAreDeniedAtOnce)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h).wait(40min).follow(fallen(Standing::denied, fixture.now, 20min));
	EXPECT_EQ(fixture.pause(), 0s);
}

TEST(LoginWhen, RenewalsAreDeniedWithinAMinuteAtRandom)
{
	auto policy = calm();
	policy.deniedSpread = 60s;
	LoginFixture fixture(policy);
	fixture.beginLoggedIn(1h).wait(40min).follow(fallen(Standing::denied, fixture.now, 20min));
	ASSERT_NE(fixture.pause(), std::nullopt);
	EXPECT_GT(*fixture.pause(), 0s);
	EXPECT_LT(*fixture.pause(), 60s);
}

TEST(LoginWhen, ATokenWithLifeLeftIsRefusedTwiceAtOnce)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h).wait(40min).follow(fallen(Standing::refused, fixture.now, 20min));
	EXPECT_EQ(fixture.pause(), 0s);
}

TEST(LoginWhen, TheClientCertificateChangedAtOnce)
{
	LoginFixture fixture(calm(LoginMethod::certificate));
	fixture.beginLoggedIn(1h).wait(10min).find(material(2));
	EXPECT_EQ(fixture.pause(), 250ms) << "the file may be half written";
}

TEST(LoginWhen, TheIdentityChangedAtOnce)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h).wait(10min).find(material(2, 2));
	EXPECT_EQ(fixture.pause(), 250ms);
}

TEST(LoginWhen, AnotherSecretAloneAsksForNoLogin)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h).wait(10min).find(material(2));
	EXPECT_EQ(fixture.pause(), std::nullopt);
}

TEST(LoginWhen, TheHostWishesARenewalThatCannotHelp)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h).wait(10min);
	fixture.keeper.renewNow(fixture.now);
	EXPECT_EQ(fixture.pause(), std::nullopt) << "a renewal helps";
	auto life = living(fixture.now, 50min, 50min);
	life.maxTtlEnd = fixture.now.boot + 50min;
	life.capped = true;
	fixture.follow(life);
	EXPECT_GT(fixture.pause(), 1min);
	fixture.keeper.renewNow(fixture.now);
	EXPECT_EQ(fixture.pause(), 0s);
}

TEST(LoginWhen, ARehearsalIsDue)
{
	auto policy = calm();
	policy.rehearse = 12h;
	LoginFixture fixture(policy);
	fixture.beginLoggedIn(1h);
	EXPECT_EQ(fixture.pause(), 12h);
}

TEST(LoginWhen, TwoLoginsAreASecondApart)
{
	LoginFixture fixture;
	fixture.begin().meet(refused(LoginTrouble::Kind::ambiguous));
	EXPECT_EQ(fixture.pause(), 1s);
	EXPECT_TRUE(fixture.take().nextAddress);
}

TEST(LoginWhen, TheSecondEarlyDeathInARowIsAPauseLong)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h).wait(1min).follow(fallen(Standing::ended, fixture.now));
	EXPECT_EQ(fixture.pause(), 0s) << "any client may revoke a token";
	EXPECT_EQ(fixture.events.back().outcome, Outcome::failure);
	fixture.meet(loggedIn(1h)).prove().wait(1min).follow(fallen(Standing::ended, fixture.now));
	EXPECT_EQ(fixture.pause(), 1min);
	fixture.meet(loggedIn(1h)).prove().wait(1min).follow(fallen(Standing::ended, fixture.now));
	EXPECT_EQ(fixture.pause(), 2min);
}

TEST(LoginWhen, LeavesLifeForLaterTriesThoughALostRenewalMayHaveExtendedIt)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h).wait(10min);
	auto life = living(fixture.now, -1s, 1h);
	life.maxTtlEnd = fixture.now.boot + 40s;
	fixture.follow(life);
	EXPECT_EQ(fixture.take().budget, 10s);
}

} // namespace
} // namespace issuer::vault::renewal::test
