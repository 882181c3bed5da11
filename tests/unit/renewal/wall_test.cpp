#include "keeper_fixture.h"

#include <gmock/gmock.h>

/// The max TTL: no renewal reaches beyond it, and `renewable` never says so.
namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(KeeperWall, ShortenedGrantWithAWarningIsTheForecast)
{
	KeeperFixture fixture;
	fixture.begin(token(8s, 8s)).meet(Grant{8s, false}).forget().meet(Grant{7s, true});
	EXPECT_EQ(fixture.state(), State::capped);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::success, Outcome::notRenewable));
	EXPECT_THAT(fixture.changes(), ElementsAre(State::capped));
	EXPECT_EQ(fixture.events[1].reason, Reason::maxTtl);
	EXPECT_EQ(fixture.keeper.snapshot().cappedAt, fixture.events[1].expires);
	EXPECT_THAT(fixture.notes.back().text, HasSubstr("no renewal reaches beyond 2026-12-24T10:00:1"));
	EXPECT_EQ(fixture.notes.back().level, Level::warn);
}

TEST(KeeperWall, PromisesNoLifeBeyondTheLatestEnd)
{
	KeeperFixture fixture;
	auto facts = token(0s, 2s);
	facts.explicitMaxTtl = 3s;
	facts.creationTime = fixture.now.wall - 2s;
	facts.expireTime = fixture.now.wall + 600ms;
	fixture.begin(facts);
	ASSERT_EQ(fixture.state(), State::capped);
	EXPECT_LE(*fixture.keeper.snapshot().expires, fixture.now.wall + 1500ms) << "though its max TTL may last longer";
}

TEST(KeeperWall, IsToldOnce)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).meet(Grant{3000s, true}).forget();
	fixture.meet(Grant{1500s, true}).meet(Grant{750s, true});
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::success, Outcome::success));
	EXPECT_THAT(fixture.changes(), IsEmpty());
	EXPECT_THAT(fixture.notes, IsEmpty());
}

TEST(KeeperWall, LeaseThatBecameShorterIsNoWall)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).meet(Grant{30s, false});
	fixture.meet(Grant{30s, false}).meet(Grant{30s, false});
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.keeper.snapshot().cappedAt, std::nullopt);
}

TEST(KeeperWall, RivalsThatShortenTheLeaseAreNoWall)
{
	KeeperFixture fixture;
	fixture.begin(token(600s, 600s)).meet(Grant{60s, false}).meet(Grant{6s, false});
	EXPECT_EQ(fixture.state(), State::active);
}

TEST(KeeperWall, ShortLeasesAreNoWallHoweverLongTheyAreWatched)
{
	for (const Duration lease : {2s, 4s, 8s}) {
		KeeperFixture fixture(Policy{}, 11);
		fixture.begin(token(lease - 1s, lease)); // as a server rounds it
		for (int renewal = 0; renewal < 1000; ++renewal) {
			ASSERT_LT(*fixture.keeper.next(), *fixture.keeper.expiry() + 200ms);
			fixture.meet(Grant{lease, false});
			ASSERT_EQ(fixture.state(), State::active);
			ASSERT_GT(*fixture.keeper.expiry() - *fixture.keeper.next(), lease / 3);
		}
	}
}

TEST(KeeperWall, IsConfirmedSparselyAndNotInTheLastTwoMinutes)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).meet(Grant{1600s, true}, 0ms).forget();
	const auto end = *fixture.keeper.expiry();
	while (*fixture.keeper.next() < end) {
		const auto half = fixture.remains() / 2;
		EXPECT_EQ(fixture.pause(), half);
		EXPECT_EQ(fixture.take().operation, Operation::renew);
		fixture.answer(Grant{end - fixture.now.boot, true}, 0ms);
	}
	EXPECT_EQ(end - fixture.starts.back(), 100s);
	EXPECT_EQ(fixture.starts.size(), 4U);
	EXPECT_EQ(*fixture.keeper.next(), end) << "then one look when it must be dead";
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	fixture.answer(refusal());
	EXPECT_EQ(fixture.state(), State::expired);
}

TEST(KeeperWall, RaisedCapIsNoticed)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).meet(Grant{1600s, true}).forget().meet(Grant{3600s, false});
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.keeper.snapshot().cappedAt, std::nullopt);
	EXPECT_THAT(fixture.changes(), ElementsAre(State::active));
	fixture.forget().meet(Grant{1000s, true});
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::success, Outcome::notRenewable)) << "a new wall is told anew";
}

TEST(KeeperWall, RaisedCapIsNoticedInAWrappedGrantToo)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).meet(Grant{1600s, true});
	fixture.meet(WrappedGrant{}).meet(token(3600s, 3600s));
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.keeper.snapshot().cappedAt, std::nullopt);
}

TEST(KeeperWall, IsAskedAboutSparselyWhereNoAnswerTellsTheEnd)
{
	KeeperFixture fixture;
	fixture.begin(serverError()).meet(serverError()).meet(atMaxTtl()).meet(serverError());
	EXPECT_EQ(fixture.state(), State::capped);
	for (int rounds = 0; rounds < 5; ++rounds) {
		EXPECT_GE(*fixture.pause(), 1s);
		fixture.meet(serverError());
	}
}

TEST(KeeperWall, ForecastOfASlowAnswerIsNotTakenForARaisedCap)
{
	KeeperFixture fixture;
	fixture.hear(fixture.keeper.begin(fixture.now));
	auto facts = token(8s, 10s);
	facts.explicitMaxTtl = 20s;
	facts.creationTime = KeeperFixture::christmasEve();
	facts.expireTime = KeeperFixture::christmasEve() + 16s;
	fixture.take();
	fixture.answer(facts, 8s).meet(Grant{10s, false});
	EXPECT_NE(fixture.keeper.snapshot().cappedAt, std::nullopt);
}

TEST(KeeperWall, LastSecondsRefusalDoesNotMoveAWallBackToAnEndThatALostAnswerMayHaveMoved)
{
	KeeperFixture fixture;
	auto facts = token(8s, 8s);
	facts.explicitMaxTtl = 12s;
	facts.creationTime = KeeperFixture::christmasEve();
	facts.expireTime = KeeperFixture::christmasEve() + 8s;
	fixture.begin(facts);
	const auto wall = fixture.keeper.snapshot().cappedAt;
	ASSERT_NE(wall, std::nullopt);
	fixture.meet(timedOut()).meet(atMaxTtl());
	EXPECT_EQ(fixture.state(), State::capped);
	EXPECT_EQ(fixture.keeper.snapshot().cappedAt, wall);
}

TEST(KeeperWall, MovedForecastIsTold)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).meet(Grant{1600s, true}).forget().meet(Grant{3000s, true});
	EXPECT_EQ(fixture.state(), State::capped);
	EXPECT_THAT(fixture.changes(), ElementsAre(State::capped));
}

TEST(KeeperWall, FailedConfirmationTakesNothingBack)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).meet(Grant{1600s, true}).forget().meet(away());
	EXPECT_EQ(fixture.state(), State::capped);
	EXPECT_EQ(fixture.reason(), Reason::maxTtl);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_EQ(*fixture.pause(), fixture.remains() / 2);
}

TEST(KeeperWall, ThatNoRenewalHasMetIsMetBeforeItIsBelieved)
{
	KeeperFixture fixture;
	auto facts = token(7s, 8s);
	facts.explicitMaxTtl = 8s;
	facts.creationTime = KeeperFixture::christmasEve();
	facts.expireTime = KeeperFixture::christmasEve() + 8s + 900ms;
	fixture.begin(facts);
	EXPECT_EQ(fixture.state(), State::capped);
	EXPECT_EQ(fixture.take().operation, Operation::renew) << "a look-up's forecast is right to a second only";
	fixture.answer(Grant{4s, true});
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	EXPECT_GE(fixture.starts.back() - fixture.starts[1], 4s);
}

TEST(KeeperWall, LastSecondsRefusalIsTheMaxTtl)
{
	KeeperFixture fixture;
	fixture.begin(token(8s, 8s)).meet(Grant{2s, false}).forget().meet(atMaxTtl());
	EXPECT_EQ(fixture.state(), State::capped);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::notRenewable));
	EXPECT_EQ(fixture.take().operation, Operation::lookUp) << "what is left?";
	fixture.answer(token(0s, 8s));
	EXPECT_EQ(fixture.state(), State::capped);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	fixture.answer(refusal());
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::notRenewable)) << "no probe counts as a renewal";
}

TEST(KeeperWall, LoweredMaximumLeavesTheRestOfTheLease)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).meet(atMaxTtl()).meet(token(1790s, 3600s));
	EXPECT_EQ(fixture.state(), State::capped);
	EXPECT_NEAR(static_cast<double>((*fixture.keeper.snapshot().cappedAt - fixture.now.wall).count()), 1790e6, 2e6);
	EXPECT_EQ(fixture.take().operation, Operation::renew) << "it may be raised again";
	fixture.answer(atMaxTtl());
	EXPECT_EQ(fixture.take().operation, Operation::renew) << "what is left is known";
}

TEST(KeeperRatchet, GrantBelowNineTenthsAsksForTheFullLeaseNextTime)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s));
	EXPECT_EQ(fixture.take().increment, std::nullopt);
	fixture.answer(Grant{10s, false});
	EXPECT_EQ(fixture.take().increment, 60s);
	fixture.answer(Grant{60s, false});
	EXPECT_EQ(fixture.take().increment, std::nullopt) << "the server has set it again";
}

TEST(KeeperRatchet, GrantAboveNineTenthsIsFullEnough)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).meet(Grant{55s, false});
	EXPECT_EQ(fixture.take().increment, std::nullopt);
}

TEST(KeeperRatchet, IsNotRepairedAtTheWall)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).meet(Grant{1000s, true});
	EXPECT_EQ(fixture.take().increment, std::nullopt);
}

TEST(KeeperRatchet, LeaseThatStaysShortIsTheNewFullOne)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).meet(Grant{30s, false}).meet(Grant{30s, false});
	EXPECT_EQ(fixture.take().increment, std::nullopt);
	fixture.answer(Grant{10s, false});
	EXPECT_EQ(fixture.take().increment, 30s);
}

TEST(KeeperRatchet, LostAnswerIsFollowedByARequestForTheLeaseThatIsCountedOn)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).meet(Grant{90s, false});
	EXPECT_EQ(fixture.take().increment, std::nullopt);
	fixture.answer(timedOut());
	EXPECT_EQ(fixture.take().increment, 90s)
		<< "a rival may have renewed with less meanwhile, which no answer would tell";
	fixture.answer(Grant{90s, false});
	EXPECT_EQ(fixture.take().increment, std::nullopt);
}

TEST(KeeperRatchet, RequestThatWasNeverSentLeavesTheLeaseToTheServer)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).meet(unreachable());
	EXPECT_EQ(fixture.take().increment, std::nullopt);
}

TEST(KeeperRatchet, ConfiguredIncrementIsAskedForEachTime)
{
	auto policy = steady();
	policy.increment = 90s + 500ms;
	KeeperFixture fixture(policy);
	fixture.begin(token(60s, 60s));
	EXPECT_EQ(fixture.take().increment, 90s) << "whole seconds are all that servers know";
	fixture.answer(Grant{10s, false});
	EXPECT_EQ(fixture.take().increment, 90s);
}

} // namespace
} // namespace issuer::vault::renewal::test
