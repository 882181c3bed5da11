#include "stage.h"

#include <gmock/gmock.h>

/// The max TTL: no renewal reaches beyond it, and `renewable` never says so.
namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(KeeperWall, ShortenedGrantWithAWarningIsTheForecast)
{
	Stage stage;
	stage.begin(token(8s, 8s)).meet(Grant{8s, false}).forget().meet(Grant{7s, true});
	EXPECT_EQ(stage.state(), State::capped);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::success, Outcome::notRenewable));
	EXPECT_THAT(stage.changes(), ElementsAre(State::capped));
	EXPECT_EQ(stage.events[1].reason, Reason::maxTtl);
	EXPECT_EQ(stage.keeper.snapshot().cappedAt, stage.events[1].expires);
	EXPECT_THAT(stage.notes.back().text, HasSubstr("no renewal reaches beyond 2026-12-24T10:00:1"));
	EXPECT_EQ(stage.notes.back().level, Level::warn);
}

TEST(KeeperWall, PromisesNoLifeBeyondTheLatestEnd)
{
	Stage stage;
	auto facts = token(0s, 2s);
	facts.explicitMaxTtl = 3s;
	facts.creationTime = stage.now.wall - 2s;
	facts.expireTime = stage.now.wall + 600ms;
	stage.begin(facts);
	ASSERT_EQ(stage.state(), State::capped);
	EXPECT_LE(*stage.keeper.snapshot().expires, stage.now.wall + 1500ms) << "though its max TTL may last longer";
}

TEST(KeeperWall, IsToldOnce)
{
	Stage stage;
	stage.begin(token(3600s, 3600s)).meet(Grant{3000s, true}).forget();
	stage.meet(Grant{1500s, true}).meet(Grant{750s, true});
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::success, Outcome::success));
	EXPECT_THAT(stage.changes(), IsEmpty());
	EXPECT_THAT(stage.notes, IsEmpty());
}

TEST(KeeperWall, LeaseThatBecameShorterIsNoWall)
{
	Stage stage;
	stage.begin(token(60s, 60s)).meet(Grant{30s, false});
	stage.meet(Grant{30s, false}).meet(Grant{30s, false});
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.keeper.snapshot().cappedAt, std::nullopt);
}

TEST(KeeperWall, RivalsThatShortenTheLeaseAreNoWall)
{
	Stage stage;
	stage.begin(token(600s, 600s)).meet(Grant{60s, false}).meet(Grant{6s, false});
	EXPECT_EQ(stage.state(), State::active);
}

TEST(KeeperWall, ShortLeasesAreNoWallHoweverLongTheyAreWatched)
{
	for (const Duration lease : {2s, 4s, 8s}) {
		Stage stage(Policy{}, 11);
		stage.begin(token(lease - 1s, lease)); // as a server rounds it
		for (int renewal = 0; renewal < 1000; ++renewal) {
			ASSERT_LT(*stage.keeper.next(), *stage.keeper.expiry() + 200ms);
			stage.meet(Grant{lease, false});
			ASSERT_EQ(stage.state(), State::active);
			ASSERT_GT(*stage.keeper.expiry() - *stage.keeper.next(), lease / 3);
		}
	}
}

TEST(KeeperWall, IsConfirmedSparselyAndNotInTheLastTwoMinutes)
{
	Stage stage;
	stage.begin(token(3600s, 3600s)).meet(Grant{1600s, true}, 0ms).forget();
	const auto end = *stage.keeper.expiry();
	while (*stage.keeper.next() < end) {
		const auto half = stage.remains() / 2;
		EXPECT_EQ(stage.pause(), half);
		EXPECT_EQ(stage.take().operation, Operation::renew);
		stage.answer(Grant{end - stage.now.boot, true}, 0ms);
	}
	EXPECT_EQ(end - stage.starts.back(), 100s);
	EXPECT_EQ(stage.starts.size(), 4U);
	EXPECT_EQ(*stage.keeper.next(), end) << "then one look when it must be dead";
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
	stage.answer(refusal());
	EXPECT_EQ(stage.state(), State::expired);
}

TEST(KeeperWall, RaisedCapIsNoticed)
{
	Stage stage;
	stage.begin(token(3600s, 3600s)).meet(Grant{1600s, true}).forget().meet(Grant{3600s, false});
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.keeper.snapshot().cappedAt, std::nullopt);
	EXPECT_THAT(stage.changes(), ElementsAre(State::active));
	stage.forget().meet(Grant{1000s, true});
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::success, Outcome::notRenewable)) << "a new wall is told anew";
}

TEST(KeeperWall, ForecastOfASlowAnswerIsNotTakenForARaisedCap)
{
	Stage stage;
	stage.hear(stage.keeper.begin(stage.now));
	auto facts = token(8s, 10s);
	facts.explicitMaxTtl = 20s;
	facts.creationTime = Stage::christmasEve();
	facts.expireTime = Stage::christmasEve() + 16s;
	stage.take();
	stage.answer(facts, 8s).meet(Grant{10s, false});
	EXPECT_NE(stage.keeper.snapshot().cappedAt, std::nullopt);
}

TEST(KeeperWall, LastSecondsRefusalDoesNotMoveAWallBackToAnEndThatALostAnswerMayHaveMoved)
{
	Stage stage;
	auto facts = token(8s, 8s);
	facts.explicitMaxTtl = 12s;
	facts.creationTime = Stage::christmasEve();
	facts.expireTime = Stage::christmasEve() + 8s;
	stage.begin(facts);
	const auto wall = stage.keeper.snapshot().cappedAt;
	ASSERT_NE(wall, std::nullopt);
	stage.meet(timedOut()).meet(atMaxTtl());
	EXPECT_EQ(stage.state(), State::capped);
	EXPECT_EQ(stage.keeper.snapshot().cappedAt, wall);
}

TEST(KeeperWall, MovedForecastIsTold)
{
	Stage stage;
	stage.begin(token(3600s, 3600s)).meet(Grant{1600s, true}).forget().meet(Grant{3000s, true});
	EXPECT_EQ(stage.state(), State::capped);
	EXPECT_THAT(stage.changes(), ElementsAre(State::capped));
}

TEST(KeeperWall, FailedConfirmationTakesNothingBack)
{
	Stage stage;
	stage.begin(token(3600s, 3600s)).meet(Grant{1600s, true}).forget().meet(away());
	EXPECT_EQ(stage.state(), State::capped);
	EXPECT_EQ(stage.reason(), Reason::maxTtl);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_EQ(*stage.pause(), stage.remains() / 2);
}

TEST(KeeperWall, ThatNoRenewalHasMetIsMetBeforeItIsBelieved)
{
	Stage stage;
	auto facts = token(7s, 8s);
	facts.explicitMaxTtl = 8s;
	facts.creationTime = Stage::christmasEve();
	facts.expireTime = Stage::christmasEve() + 8s + 900ms;
	stage.begin(facts);
	EXPECT_EQ(stage.state(), State::capped);
	EXPECT_EQ(stage.take().operation, Operation::renew) << "a look-up's forecast is right to a second only";
	stage.answer(Grant{4s, true});
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
	EXPECT_GE(stage.starts.back() - stage.starts[1], 4s);
}

TEST(KeeperWall, LastSecondsRefusalIsTheMaxTtl)
{
	Stage stage;
	stage.begin(token(8s, 8s)).meet(Grant{2s, false}).forget().meet(atMaxTtl());
	EXPECT_EQ(stage.state(), State::capped);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::notRenewable));
	EXPECT_EQ(stage.take().operation, Operation::lookUp) << "what is left?";
	stage.answer(token(0s, 8s));
	EXPECT_EQ(stage.state(), State::capped);
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
	stage.answer(refusal());
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::notRenewable)) << "no probe counts as a renewal";
}

TEST(KeeperWall, LoweredMaximumLeavesTheRestOfTheLease)
{
	Stage stage;
	stage.begin(token(3600s, 3600s)).meet(atMaxTtl()).meet(token(1790s, 3600s));
	EXPECT_EQ(stage.state(), State::capped);
	EXPECT_NEAR(static_cast<double>((*stage.keeper.snapshot().cappedAt - stage.now.wall).count()), 1790e6, 2e6);
	EXPECT_EQ(stage.take().operation, Operation::renew) << "it may be raised again";
	stage.answer(atMaxTtl());
	EXPECT_EQ(stage.take().operation, Operation::renew) << "what is left is known";
}

TEST(KeeperRatchet, GrantBelowNineTenthsAsksForTheFullLeaseNextTime)
{
	Stage stage;
	stage.begin(token(60s, 60s));
	EXPECT_EQ(stage.take().increment, std::nullopt);
	stage.answer(Grant{10s, false});
	EXPECT_EQ(stage.take().increment, 60s);
	stage.answer(Grant{60s, false});
	EXPECT_EQ(stage.take().increment, std::nullopt) << "the server has set it again";
}

TEST(KeeperRatchet, GrantAboveNineTenthsIsFullEnough)
{
	Stage stage;
	stage.begin(token(60s, 60s)).meet(Grant{55s, false});
	EXPECT_EQ(stage.take().increment, std::nullopt);
}

TEST(KeeperRatchet, IsNotRepairedAtTheWall)
{
	Stage stage;
	stage.begin(token(3600s, 3600s)).meet(Grant{1000s, true});
	EXPECT_EQ(stage.take().increment, std::nullopt);
}

TEST(KeeperRatchet, LeaseThatStaysShortIsTheNewFullOne)
{
	Stage stage;
	stage.begin(token(60s, 60s)).meet(Grant{30s, false}).meet(Grant{30s, false});
	EXPECT_EQ(stage.take().increment, std::nullopt);
	stage.answer(Grant{10s, false});
	EXPECT_EQ(stage.take().increment, 30s);
}

TEST(KeeperRatchet, LostAnswerIsFollowedByARequestForTheLeaseThatIsCountedOn)
{
	Stage stage;
	stage.begin(token(60s, 60s)).meet(Grant{90s, false});
	EXPECT_EQ(stage.take().increment, std::nullopt);
	stage.answer(timedOut());
	EXPECT_EQ(stage.take().increment, 90s)
		<< "a rival may have renewed with less meanwhile, and nobody would hear of it";
	stage.answer(Grant{90s, false});
	EXPECT_EQ(stage.take().increment, std::nullopt);
}

TEST(KeeperRatchet, RequestThatWasNeverSentLeavesTheLeaseToTheServer)
{
	Stage stage;
	stage.begin(token(60s, 60s)).meet(unreachable());
	EXPECT_EQ(stage.take().increment, std::nullopt);
}

TEST(KeeperRatchet, ConfiguredIncrementIsAskedForEachTime)
{
	auto policy = steady();
	policy.increment = 90s + 500ms;
	Stage stage(policy);
	stage.begin(token(60s, 60s));
	EXPECT_EQ(stage.take().increment, 90s) << "whole seconds are all that servers know";
	stage.answer(Grant{10s, false});
	EXPECT_EQ(stage.take().increment, 90s);
}

} // namespace
} // namespace issuer::vault::renewal::test
