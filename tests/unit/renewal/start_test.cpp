#include "stage.h"

#include <gmock/gmock.h>
#include <utility>

namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(KeeperStart, NothingIsPlannedBeforeIt)
{
	const Stage stage;
	EXPECT_EQ(stage.keeper.next(), std::nullopt);
	EXPECT_EQ(stage.state(), State::stopped);
	EXPECT_EQ(stage.keeper.expiry(), std::nullopt);
}

TEST(KeeperStart, LooksTheTokenUpAtOnce)
{
	Stage stage;
	stage.begin();
	EXPECT_EQ(stage.pause(), 0s);
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
	EXPECT_EQ(stage.state(), State::starting);
	EXPECT_FALSE(stage.keeper.settled());
}

TEST(KeeperStart, TwiceIsOnce)
{
	Stage stage;
	stage.begin(token(60s, 60s)).forget().begin();
	EXPECT_THAT(stage.events, IsEmpty());
	EXPECT_EQ(stage.state(), State::active);
}

TEST(KeeperStart, WaitsForOneAnswerAtATime)
{
	Stage stage;
	stage.begin().take();
	EXPECT_EQ(stage.keeper.next(), std::nullopt);
}

TEST(KeeperStart, AttemptsMayTakeAsLongAsTheSilenceHasLastedAndInTheEndTheRequestTimeout)
{
	Stage stage;
	stage.begin();
	std::vector<Duration> budgets;
	for (int attempt = 0; attempt < 5; ++attempt) {
		budgets.push_back(stage.take().budget);
		stage.answer(timedOut(), budgets.back());
	}
	EXPECT_THAT(budgets, ElementsAre(5s, 6s, 14s, 30s, 30s)) << "with pauses of 1, 2, 4 and 8 s between them";
}

TEST(KeeperStart, ShortTokenIsSavedFromAServerThatHangsForAThirdOfItsLife)
{
	Stage stage;
	const auto dead = stage.now.boot + 20s;
	stage.begin();
	while (stage.now.boot < dead - 13s) {
		const auto attempt = stage.take();
		stage.answer(timedOut(), attempt.budget);
	}
	stage.take();
	const auto ttl = std::chrono::ceil<std::chrono::seconds>(dead - stage.now.boot);
	stage.answer(token(ttl, 20s)).meet(Grant{20s, false});
	EXPECT_LT(stage.now.boot, dead - 4s);
}

TEST(KeeperStart, ServerKnownToBeSlowIsGivenItsTimeAtOnce)
{
	Stage stage;
	stage.begin().take();
	stage.answer(token(3600s, 3600s), 9s).hear(stage.keeper.candidateFound(stage.now));
	EXPECT_EQ(stage.take().budget, 18s);
}

TEST(KeeperStart, RequestTimeoutBoundsTheFirstAttemptToo)
{
	auto policy = steady();
	policy.requestTimeout = 2s;
	EXPECT_EQ(Stage(policy).begin().take().budget, 2s);
}

TEST(KeeperStart, SourceThatGaveNoTokenTellsNothingOfTheServer)
{
	Stage stage;
	stage.begin();
	for (int round = 0; round < 5; ++round) {
		stage.take();
		stage.hear(stage.keeper.credentialUnreadable(stage.now, false, "no such file"));
	}
	EXPECT_EQ(stage.take().budget, 5s);
}

TEST(KeeperStart, RetryAfterIsKeptForAMinuteWhereNobodyKnowsHowLongTheTokenLives)
{
	Stage stage;
	EXPECT_EQ(stage.begin(throttled(18s)).pause(), 18s);
	EXPECT_EQ(stage.meet(throttled(3600s)).pause(), 60s);
	stage.keeper.renewNow(stage.now);
	EXPECT_EQ(stage.pause(), 60s);
}

TEST(KeeperStart, AttemptThatWasCutShortSettlesNothing)
{
	Stage stage;
	stage.begin().meet(timedOut(), 5s);
	EXPECT_FALSE(stage.keeper.settled()) << "the server may be slow";
	stage.meet(timedOut(), 6s).meet(timedOut(), 14s);
	EXPECT_FALSE(stage.keeper.settled()) << "28 s";
	stage.meet(timedOut(), 30s);
	EXPECT_TRUE(stage.keeper.settled());
}

TEST(KeeperStart, FreshTokenIsRenewedAtHalfItsLease)
{
	Stage stage;
	stage.begin(token(60s, 60s));
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_TRUE(stage.keeper.settled());
	EXPECT_EQ(stage.remains() - *stage.pause(), 30s);
	EXPECT_EQ(stage.take().operation, Operation::renew);
}

TEST(KeeperStart, RestartDoesNotChangeWhenATokenIsRenewed)
{
	Stage stage;
	stage.begin(token(45s, 60s));
	EXPECT_EQ(stage.remains() - *stage.pause(), 30s);
}

TEST(KeeperStart, HalfSpentTokenIsRenewedAtOnce)
{
	Stage stage;
	stage.begin(token(20s, 60s));
	EXPECT_EQ(stage.starts.front() + 500ms, *stage.keeper.next()) << "at once is after the gap";
}

TEST(KeeperStart, HalfSpentTokensOfAFleetAreSpread)
{
	Policy policy;
	std::vector<Duration> pauses;
	for (std::uint64_t seed = 0; seed < 50; ++seed) {
		Stage stage(policy, seed);
		pauses.push_back(*stage.begin(token(1000s, 3600s)).pause());
	}
	EXPECT_LE(*std::max_element(pauses.begin(), pauses.end()), 5s);
	EXPECT_GT(*std::max_element(pauses.begin(), pauses.end()), 4s);
	EXPECT_LT(*std::min_element(pauses.begin(), pauses.end()), 1s);
}

TEST(KeeperStart, PeriodIsTheLease)
{
	Stage stage;
	auto facts = token(60s, 3600s);
	facts.period = 60s;
	stage.begin(facts);
	EXPECT_EQ(stage.keeper.snapshot().lease, 60s);
	EXPECT_EQ(stage.remains() - *stage.pause(), 30s);
}

TEST(KeeperStart, TokenRenewedWithMoreThanItsFirstLeaseIsNotWaitedForToTheEnd)
{
	Stage stage;
	stage.begin(token(3600s, 60s));
	EXPECT_NEAR(static_cast<double>(stage.pause()->count()), 1800e6, 2e6);
}

TEST(KeeperStart, ForecastIsInTheFirstAnswer)
{
	Stage stage;
	auto facts = token(59s, 60s);
	facts.explicitMaxTtl = 90s;
	facts.creationTime = Stage::christmasEve();
	facts.expireTime = Stage::christmasEve() + 60s + 250ms;
	stage.begin(facts);
	EXPECT_EQ(stage.state(), State::active);
	const auto wall = stage.keeper.snapshot().cappedAt.value() - Stage::christmasEve();
	EXPECT_NEAR(static_cast<double>(wall.count()), 90e6, 2e6);
	EXPECT_THAT(stage.lastEvent().detail, testing::HasSubstr("max TTL ends at 2026-12-24T10:01:"));
}

TEST(KeeperStart, ForecastNeedsNoClockOfOurs)
{
	Stage stage;
	auto facts = token(59s, 60s);
	facts.explicitMaxTtl = 90s;
	facts.creationTime = Stage::christmasEve() - 7h; // the server's clock is late
	facts.expireTime = *facts.creationTime + 60s;
	stage.begin(facts);
	const auto wall = stage.keeper.snapshot().cappedAt.value() - Stage::christmasEve();
	EXPECT_NEAR(static_cast<double>(wall.count()), 90e6, 2e6);
}

TEST(KeeperStart, ClockThatContradictsTheServersTtlMakesNoForecast)
{
	Stage stage;
	auto facts = token(59s, 60s);
	facts.explicitMaxTtl = 90s;
	facts.creationTime = Stage::christmasEve() - 7h;
	stage.begin(facts);
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.keeper.snapshot().cappedAt, std::nullopt);
}

TEST(KeeperStart, TokenWhoseLeaseReachesItsMaxTtlIsCappedAtOnce)
{
	Stage stage;
	auto facts = token(59s, 60s);
	facts.explicitMaxTtl = 60s;
	facts.creationTime = Stage::christmasEve();
	facts.expireTime = Stage::christmasEve() + 60s + 250ms;
	stage.begin(facts);
	EXPECT_EQ(stage.state(), State::capped);
	EXPECT_EQ(stage.reason(), Reason::maxTtl);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::notRenewable));
}

TEST(KeeperStart, LimitedUsesAreNotBurnt)
{
	Stage stage;
	auto facts = token(60s, 60s);
	facts.usesLeft = 3;
	stage.begin(facts);
	EXPECT_EQ(stage.state(), State::notRenewable);
	EXPECT_EQ(stage.reason(), Reason::limitedUses);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::notRenewable));
	EXPECT_GT(stage.pause(), 60s) << "no request while it lives";
	stage.keeper.renewNow(stage.now);
	EXPECT_GT(stage.pause(), 60s) << "not even when asked";
}

TEST(KeeperStart, LastUseSpentByTheLookUpIsDeath)
{
	Stage stage;
	auto facts = token(60s, 60s);
	facts.usesLeft = -1;
	stage.begin(facts);
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_EQ(stage.reason(), Reason::limitedUses);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::notRenewable));
	EXPECT_EQ(stage.pause(), 5min) << "whatever is left of its lease, it is dead";
}

TEST(KeeperStart, BatchTokenIsNotRenewable)
{
	Stage stage;
	auto facts = token(60s, 60s);
	facts.batch = true;
	facts.renewable = false;
	stage.begin(facts);
	EXPECT_EQ(stage.state(), State::notRenewable);
	EXPECT_EQ(stage.reason(), Reason::batch);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::notRenewable));
}

TEST(KeeperStart, TokenCreatedSoIsNotRenewable)
{
	Stage stage;
	auto facts = token(60s, 60s);
	facts.renewable = false;
	stage.begin(facts);
	EXPECT_EQ(stage.state(), State::notRenewable);
	EXPECT_EQ(stage.reason(), Reason::notRenewable);
	EXPECT_GE(stage.pause(), 59s) << "asked again when it must be dead";
}

TEST(KeeperStart, RootTokenNeverExpiresAndIsNoAlarm)
{
	Stage stage;
	auto facts = token(0s, 0s);
	facts.expires = false;
	facts.renewable = false;
	stage.begin(facts);
	EXPECT_EQ(stage.state(), State::noExpiry);
	EXPECT_EQ(stage.keeper.next(), std::nullopt);
	EXPECT_EQ(stage.keeper.expiry(), std::nullopt);
	EXPECT_THAT(stage.outcomes(), IsEmpty());
	EXPECT_EQ(stage.notes.back().level, Level::info);
}

TEST(KeeperStart, RefusedLookUpSettlesNothingAndTheRenewalsAnswerWins)
{
	Stage stage;
	stage.begin(policyRefusal());
	EXPECT_FALSE(stage.keeper.settled());
	EXPECT_EQ(stage.take().operation, Operation::renew);
	stage.answer(Grant{60s, false});
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::success));
}

TEST(KeeperStart, TokenThatMayNeitherBeLookedUpNorRenewedIsDenied)
{
	Stage stage;
	stage.begin(policyRefusal()).meet(policyRefusal());
	EXPECT_EQ(stage.state(), State::denied);
	EXPECT_TRUE(stage.keeper.settled());
	EXPECT_EQ(stage.pause(), 60s);
}

TEST(KeeperStart, RefusalIsBelievedAfterItWasAskedAgainAfterOneTwoAndFourSeconds)
{
	Stage stage;
	stage.begin(refusal()).meet(refusal());
	for (const Duration pause : {1s, 2s, 4s}) {
		EXPECT_EQ(stage.state(), State::starting);
		EXPECT_FALSE(stage.keeper.settled()) << "a token that was just made may not be known everywhere";
		EXPECT_EQ(stage.pause(), pause);
		EXPECT_EQ(stage.take().operation, Operation::lookUp);
		stage.answer(refusal());
	}
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_EQ(stage.reason(), Reason::refused);
	EXPECT_TRUE(stage.keeper.settled());
	EXPECT_THAT(stage.outcomes(), testing::Each(Outcome::failure));
	EXPECT_EQ(stage.outcomes().size(), 4U);
}

TEST(KeeperStart, TokenThatIsKnownOnlyAfterSomeSecondsLives)
{
	Stage stage;
	stage.begin(refusal()).meet(refusal()).meet(refusal()).meet(token(60s, 60s));
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.remains() - *stage.pause(), 30s);
}

TEST(KeeperStart, RefusalsInTurnWithOtherFailuresAreBelievedToo)
{
	Stage stage;
	stage.begin();
	for (int round = 0; stage.state() == State::starting && round < 20; ++round) {
		stage.meet(refusal()).meet(unreachable());
	}
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_EQ(stage.reason(), Reason::refused);
}

class KeeperUselessLookUp : public testing::TestWithParam<Trouble>
{
};

TEST_P(KeeperUselessLookUp, TwiceAsksForARenewalWhoseLeaseIsEnoughToLiveBy)
{
	Stage stage;
	stage.begin(GetParam());
	EXPECT_FALSE(stage.keeper.settled()) << "a renewal may work";
	EXPECT_EQ(stage.pause(), 1s);
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
	stage.answer(GetParam());
	EXPECT_FALSE(stage.keeper.settled());
	EXPECT_LE(stage.pause(), 500ms) << "at once";
	EXPECT_EQ(stage.take().operation, Operation::renew);
	stage.answer(Grant{60s, false});
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.remains() - *stage.pause(), 30s);
	EXPECT_EQ(stage.take().operation, Operation::renew);
}

TEST_P(KeeperUselessLookUp, IsAskedNowAndThenBetweenRenewalsThatAreNoBetter)
{
	Stage stage;
	stage.begin(GetParam()).meet(GetParam());
	EXPECT_EQ(stage.take().operation, Operation::renew);
	stage.answer(GetParam());
	EXPECT_TRUE(stage.keeper.settled());
	EXPECT_EQ(stage.pause(), 4s);
	int renewals = 0;
	int lookUps = 0;
	int inTurn = 0;
	auto before = Operation::renew;
	for (int attempt = 0; attempt < 60; ++attempt) {
		const auto operation = stage.take().operation;
		(operation == Operation::renew ? renewals : lookUps) += 1;
		inTurn += operation == std::exchange(before, operation) ? 0 : 1;
		stage.answer(GetParam());
	}
	EXPECT_GT(lookUps, 5) << "which tell more, where they work";
	EXPECT_GT(renewals, lookUps);
	EXPECT_LT(inTurn, 50) << "ways that take turns must not meet them in step";
}

TEST_P(KeeperUselessLookUp, LeavesItToRenewalsWhetherARefusalIsBelieved)
{
	Stage stage;
	stage.begin(GetParam()).meet(GetParam()).meet(refusal());
	for (const Duration pause : {1s, 2s}) {
		EXPECT_EQ(stage.pause(), pause);
		EXPECT_EQ(stage.take().operation, Operation::renew) << "a look-up would tell nothing, and cost a longer pause";
		stage.answer(refusal());
	}
	EXPECT_EQ(stage.state(), State::starting);
	stage.meet(Grant{60s, false});
	EXPECT_EQ(stage.state(), State::active);
}

INSTANTIATE_TEST_SUITE_P(Kinds, KeeperUselessLookUp,
	testing::Values(serverError(), trouble(Trouble::Kind::configuration, Reason::config),
		trouble(Trouble::Kind::malformed, Reason::malformed)));

TEST(KeeperStart, SilenceAndSealAndThrottleAreNoReasonToRenewUnseen)
{
	for (const auto& answer : {timedOut(), unreachable(), away(), throttled(1s)}) {
		Stage stage;
		stage.begin(answer).meet(answer).meet(answer);
		EXPECT_EQ(stage.take().operation, Operation::lookUp);
	}
}

TEST(KeeperStart, GoesOnTryingWhileTheServerIsAway)
{
	Stage stage;
	stage.begin(unreachable());
	EXPECT_EQ(stage.state(), State::starting);
	EXPECT_EQ(stage.reason(), Reason::network);
	EXPECT_TRUE(stage.keeper.settled()) << "for whoever waits: it failed";
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_EQ(stage.pause(), 1s);
	EXPECT_EQ(*stage.meet(unreachable()).pause(), 2s);
	EXPECT_EQ(*stage.meet(unreachable()).pause(), 4s);
	stage.meet(token(60s, 60s));
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.keeper.snapshot().consecutiveFailures, 0U);
}

TEST(KeeperStart, AbsurdLengthsOverflowNothing)
{
	for (const auto ttl : {Duration::min(), Duration(-1), 0us, 1us, Duration(std::chrono::years(10))}) {
		Stage stage;
		auto facts = token(ttl, Duration::max());
		facts.explicitMaxTtl = Duration::max();
		facts.creationTime = WallTime::max();
		facts.expireTime = WallTime::min();
		stage.begin(facts).meet(Grant{ttl, true}).meet(Grant{std::chrono::years(10), false});
		EXPECT_EQ(stage.state(), State::active);
		EXPECT_GT(stage.remains(), std::chrono::years(9));
	}
}

TEST(KeeperStart, LeaseBeyondTenYearsIsMalformedAndNoPlan)
{
	for (const auto absurd : {Duration(std::chrono::years(11)), Duration::max()}) {
		Stage stage;
		stage.begin(token(absurd, 60s));
		EXPECT_EQ(stage.state(), State::starting);
		EXPECT_EQ(stage.reason(), Reason::malformed);
		EXPECT_LE(stage.pause(), 1s);
		stage.meet(token(60s, 60s)).forget();
		const auto end = stage.keeper.expiry();
		stage.meet(Grant{absurd, false});
		EXPECT_EQ(stage.state(), State::retrying);
		EXPECT_EQ(stage.keeper.expiry(), end);
		EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::failure));
	}
}

} // namespace
} // namespace issuer::vault::renewal::test
