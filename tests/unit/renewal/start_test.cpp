#include "keeper_fixture.h"

#include <gmock/gmock.h>
#include <utility>

namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(KeeperStart, NothingIsPlannedBeforeIt)
{
	const KeeperFixture fixture;
	EXPECT_EQ(fixture.keeper.next(), std::nullopt);
	EXPECT_EQ(fixture.state(), State::stopped);
	EXPECT_EQ(fixture.keeper.expiry(), std::nullopt);
}

TEST(KeeperStart, LooksTheTokenUpAtOnce)
{
	KeeperFixture fixture;
	fixture.begin();
	EXPECT_EQ(fixture.pause(), 0s);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	EXPECT_EQ(fixture.state(), State::starting);
	EXPECT_FALSE(fixture.keeper.settled());
}

TEST(KeeperStart, TwiceIsOnce)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).forget().begin();
	EXPECT_THAT(fixture.events, IsEmpty());
	EXPECT_EQ(fixture.state(), State::active);
}

TEST(KeeperStart, WaitsForOneAnswerAtATime)
{
	KeeperFixture fixture;
	fixture.begin().take();
	EXPECT_EQ(fixture.keeper.next(), std::nullopt);
}

TEST(KeeperStart, AttemptsMayTakeAsLongAsTheSilenceHasLastedAndInTheEndTheRequestTimeout)
{
	KeeperFixture fixture;
	fixture.begin();
	std::vector<Duration> budgets;
	for (int attempt = 0; attempt < 5; ++attempt) {
		budgets.push_back(fixture.take().budget);
		fixture.answer(timedOut(), budgets.back());
	}
	EXPECT_THAT(budgets, ElementsAre(5s, 6s, 14s, 30s, 30s)) << "with pauses of 1, 2, 4 and 8 s between them";
}

TEST(KeeperStart, ShortTokenIsSavedFromAServerThatHangsForAThirdOfItsLife)
{
	KeeperFixture fixture;
	const auto dead = fixture.now.boot + 20s;
	fixture.begin();
	while (fixture.now.boot < dead - 13s) {
		const auto attempt = fixture.take();
		fixture.answer(timedOut(), attempt.budget);
	}
	fixture.take();
	const auto ttl = std::chrono::ceil<std::chrono::seconds>(dead - fixture.now.boot);
	fixture.answer(token(ttl, 20s)).meet(Grant{20s, false});
	EXPECT_LT(fixture.now.boot, dead - 4s);
}

TEST(KeeperStart, ServerKnownToBeSlowIsGivenItsTimeAtOnce)
{
	KeeperFixture fixture;
	fixture.begin().take();
	fixture.answer(token(3600s, 3600s), 9s).hear(fixture.keeper.candidateFound(fixture.now));
	EXPECT_EQ(fixture.take().budget, 18s);
}

TEST(KeeperStart, RequestTimeoutBoundsTheFirstAttemptToo)
{
	auto policy = steady();
	policy.requestTimeout = 2s;
	EXPECT_EQ(KeeperFixture(policy).begin().take().budget, 2s);
}

TEST(KeeperStart, SourceThatGaveNoTokenTellsNothingOfTheServer)
{
	KeeperFixture fixture;
	fixture.begin();
	for (int round = 0; round < 5; ++round) {
		fixture.take();
		fixture.hear(fixture.keeper.credentialUnreadable(fixture.now, false, "no such file"));
	}
	EXPECT_EQ(fixture.take().budget, 5s);
}

TEST(KeeperStart, RetryAfterIsKeptForAMinuteWhereTheTokensEndIsUnknown)
{
	KeeperFixture fixture;
	EXPECT_EQ(fixture.begin(throttled(18s)).pause(), 18s);
	EXPECT_EQ(fixture.meet(throttled(3600s)).pause(), 60s);
	fixture.keeper.renewNow(fixture.now);
	EXPECT_EQ(fixture.pause(), 60s);
}

TEST(KeeperStart, RetryAfterTakesThePlaceOfOurPause)
{
	KeeperFixture fixture;
	fixture.begin();
	for (int failures = 0; failures < 5; ++failures) {
		fixture.meet(away());
	}
	EXPECT_EQ(fixture.meet(throttled(2s)).pause(), 2s) << "and not 32 s";
}

TEST(KeeperStart, AttemptThatWasCutShortSettlesNothing)
{
	KeeperFixture fixture;
	fixture.begin().meet(timedOut(), 5s);
	EXPECT_FALSE(fixture.keeper.settled()) << "the server may be slow";
	fixture.meet(timedOut(), 6s).meet(timedOut(), 14s);
	EXPECT_FALSE(fixture.keeper.settled()) << "28 s";
	fixture.meet(timedOut(), 30s);
	EXPECT_TRUE(fixture.keeper.settled());
}

TEST(KeeperStart, FreshTokenIsRenewedAtHalfItsLease)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s));
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_TRUE(fixture.keeper.settled());
	EXPECT_EQ(fixture.remains() - *fixture.pause(), 30s);
	EXPECT_EQ(fixture.take().operation, Operation::renew);
}

TEST(KeeperStart, RestartDoesNotChangeWhenATokenIsRenewed)
{
	KeeperFixture fixture;
	fixture.begin(token(45s, 60s));
	EXPECT_EQ(fixture.remains() - *fixture.pause(), 30s);
}

TEST(KeeperStart, HalfSpentTokenIsRenewedAtOnce)
{
	KeeperFixture fixture;
	fixture.begin(token(20s, 60s));
	EXPECT_EQ(fixture.starts.front() + 500ms, *fixture.keeper.next()) << "at once is after the gap";
}

TEST(KeeperStart, HalfSpentTokensOfAFleetAreSpread)
{
	Policy policy;
	std::vector<Duration> pauses;
	for (std::uint64_t seed = 0; seed < 50; ++seed) {
		KeeperFixture fixture(policy, seed);
		pauses.push_back(*fixture.begin(token(1000s, 3600s)).pause());
	}
	EXPECT_LE(*std::max_element(pauses.begin(), pauses.end()), 5s);
	EXPECT_GT(*std::max_element(pauses.begin(), pauses.end()), 4s);
	EXPECT_LT(*std::min_element(pauses.begin(), pauses.end()), 1s);
}

TEST(KeeperStart, PeriodIsTheLease)
{
	KeeperFixture fixture;
	auto facts = token(60s, 3600s);
	facts.period = 60s;
	fixture.begin(facts);
	EXPECT_EQ(fixture.keeper.snapshot().lease, 60s);
	EXPECT_EQ(fixture.remains() - *fixture.pause(), 30s);
}

TEST(KeeperStart, TokenRenewedWithMoreThanItsFirstLeaseIsNotWaitedForToTheEnd)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 60s));
	EXPECT_NEAR(static_cast<double>(fixture.pause()->count()), 1800e6, 2e6);
}

TEST(KeeperStart, ForecastIsInTheFirstAnswer)
{
	KeeperFixture fixture;
	auto facts = token(59s, 60s);
	facts.explicitMaxTtl = 90s;
	facts.creationTime = KeeperFixture::christmasEve();
	facts.expireTime = KeeperFixture::christmasEve() + 60s + 250ms;
	fixture.begin(facts);
	EXPECT_EQ(fixture.state(), State::active);
	const auto wall = fixture.keeper.snapshot().cappedAt.value() - KeeperFixture::christmasEve();
	EXPECT_NEAR(static_cast<double>(wall.count()), 90e6, 2e6);
	EXPECT_THAT(fixture.lastEvent().detail, testing::HasSubstr("max TTL ends at 2026-12-24T10:01:"));
}

TEST(KeeperStart, ForecastNeedsNoClockOfOurs)
{
	KeeperFixture fixture;
	auto facts = token(59s, 60s);
	facts.explicitMaxTtl = 90s;
	facts.creationTime = KeeperFixture::christmasEve() - 7h; // the server's clock is late
	facts.expireTime = *facts.creationTime + 60s;
	fixture.begin(facts);
	const auto wall = fixture.keeper.snapshot().cappedAt.value() - KeeperFixture::christmasEve();
	EXPECT_NEAR(static_cast<double>(wall.count()), 90e6, 2e6);
}

TEST(KeeperStart, ClockThatContradictsTheServersTtlMakesNoForecast)
{
	KeeperFixture fixture;
	auto facts = token(59s, 60s);
	facts.explicitMaxTtl = 90s;
	facts.creationTime = KeeperFixture::christmasEve() - 7h;
	fixture.begin(facts);
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.keeper.snapshot().cappedAt, std::nullopt);
}

TEST(KeeperStart, TokenWhoseLeaseReachesItsMaxTtlIsCappedAtOnce)
{
	KeeperFixture fixture;
	auto facts = token(59s, 60s);
	facts.explicitMaxTtl = 60s;
	facts.creationTime = KeeperFixture::christmasEve();
	facts.expireTime = KeeperFixture::christmasEve() + 60s + 250ms;
	fixture.begin(facts);
	EXPECT_EQ(fixture.state(), State::capped);
	EXPECT_EQ(fixture.reason(), Reason::maxTtl);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::notRenewable));
}

TEST(KeeperStart, LimitedUsesAreNotBurnt)
{
	KeeperFixture fixture;
	auto facts = token(60s, 60s);
	facts.usesLeft = 3;
	fixture.begin(facts);
	EXPECT_EQ(fixture.state(), State::notRenewable);
	EXPECT_EQ(fixture.reason(), Reason::limitedUses);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::notRenewable));
	EXPECT_GT(fixture.pause(), 60s) << "no request while it lives";
	fixture.keeper.renewNow(fixture.now);
	EXPECT_GT(fixture.pause(), 60s) << "not even when asked";
}

TEST(KeeperStart, LastUseSpentByTheLookUpIsDeath)
{
	KeeperFixture fixture;
	auto facts = token(60s, 60s);
	facts.usesLeft = -1;
	fixture.begin(facts);
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_EQ(fixture.reason(), Reason::limitedUses);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::notRenewable));
	EXPECT_EQ(fixture.pause(), 5min) << "whatever is left of its lease, it is dead";
}

TEST(KeeperStart, BatchTokenIsNotRenewable)
{
	KeeperFixture fixture;
	auto facts = token(60s, 60s);
	facts.batch = true;
	facts.renewable = false;
	fixture.begin(facts);
	EXPECT_EQ(fixture.state(), State::notRenewable);
	EXPECT_EQ(fixture.reason(), Reason::batch);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::notRenewable));
}

TEST(KeeperStart, TokenCreatedSoIsNotRenewable)
{
	KeeperFixture fixture;
	auto facts = token(60s, 60s);
	facts.renewable = false;
	fixture.begin(facts);
	EXPECT_EQ(fixture.state(), State::notRenewable);
	EXPECT_EQ(fixture.reason(), Reason::notRenewable);
	EXPECT_GE(fixture.pause(), 59s) << "asked again when it must be dead";
}

TEST(KeeperStart, RootTokenNeverExpiresAndIsNoAlarm)
{
	KeeperFixture fixture;
	auto facts = token(0s, 0s);
	facts.expires = false;
	facts.renewable = false;
	fixture.begin(facts);
	EXPECT_EQ(fixture.state(), State::noExpiry);
	EXPECT_EQ(fixture.keeper.next(), std::nullopt);
	EXPECT_EQ(fixture.keeper.expiry(), std::nullopt);
	EXPECT_THAT(fixture.outcomes(), IsEmpty());
	EXPECT_EQ(fixture.notes.back().level, Level::info);
}

TEST(KeeperStart, RefusedLookUpSettlesNothingAndTheRenewalsAnswerWins)
{
	KeeperFixture fixture;
	fixture.begin(policyRefusal());
	EXPECT_FALSE(fixture.keeper.settled());
	EXPECT_EQ(fixture.take().operation, Operation::renew);
	fixture.answer(Grant{60s, false});
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::success));
}

TEST(KeeperStart, TokenThatMayNeitherBeLookedUpNorRenewedIsDenied)
{
	KeeperFixture fixture;
	fixture.begin(policyRefusal()).meet(policyRefusal());
	EXPECT_EQ(fixture.state(), State::denied);
	EXPECT_TRUE(fixture.keeper.settled());
	EXPECT_EQ(fixture.pause(), 60s);
}

TEST(KeeperStart, RefusalIsBelievedAfterItWasAskedAgainAfterOneTwoAndFourSeconds)
{
	KeeperFixture fixture;
	fixture.begin(refusal()).meet(refusal());
	for (const Duration pause : {1s, 2s, 4s}) {
		EXPECT_EQ(fixture.state(), State::starting);
		EXPECT_FALSE(fixture.keeper.settled()) << "a token that was just made may not be known everywhere";
		EXPECT_EQ(fixture.pause(), pause);
		EXPECT_EQ(fixture.take().operation, Operation::lookUp);
		fixture.answer(refusal());
	}
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_EQ(fixture.reason(), Reason::refused);
	EXPECT_TRUE(fixture.keeper.settled());
	EXPECT_THAT(fixture.outcomes(), testing::Each(Outcome::failure));
	EXPECT_EQ(fixture.outcomes().size(), 4U);
}

TEST(KeeperStart, TokenThatIsKnownOnlyAfterSomeSecondsLives)
{
	KeeperFixture fixture;
	fixture.begin(refusal()).meet(refusal()).meet(refusal()).meet(token(60s, 60s));
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.remains() - *fixture.pause(), 30s);
}

TEST(KeeperStart, RefusalsInTurnWithOtherFailuresAreBelievedToo)
{
	KeeperFixture fixture;
	fixture.begin();
	for (int round = 0; fixture.state() == State::starting && round < 20; ++round) {
		fixture.meet(refusal()).meet(unreachable());
	}
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_EQ(fixture.reason(), Reason::refused);
}

class KeeperUselessLookUp : public testing::TestWithParam<Trouble>
{
};

TEST_P(KeeperUselessLookUp, TwiceAsksForARenewalWhoseLeaseIsEnoughToLiveBy)
{
	KeeperFixture fixture;
	fixture.begin(GetParam());
	EXPECT_FALSE(fixture.keeper.settled()) << "a renewal may work";
	EXPECT_EQ(fixture.pause(), 1s);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	fixture.answer(GetParam());
	EXPECT_FALSE(fixture.keeper.settled());
	EXPECT_LE(fixture.pause(), 500ms) << "at once";
	EXPECT_EQ(fixture.take().operation, Operation::renew);
	fixture.answer(Grant{60s, false});
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.remains() - *fixture.pause(), 30s);
	EXPECT_EQ(fixture.take().operation, Operation::renew);
}

TEST_P(KeeperUselessLookUp, IsAskedNowAndThenBetweenRenewalsThatAreNoBetter)
{
	KeeperFixture fixture;
	fixture.begin(GetParam()).meet(GetParam());
	EXPECT_EQ(fixture.take().operation, Operation::renew);
	fixture.answer(GetParam());
	EXPECT_TRUE(fixture.keeper.settled());
	EXPECT_EQ(fixture.pause(), 4s);
	int renewals = 0;
	int lookUps = 0;
	int inTurn = 0;
	auto before = Operation::renew;
	for (int attempt = 0; attempt < 60; ++attempt) {
		const auto operation = fixture.take().operation;
		(operation == Operation::renew ? renewals : lookUps) += 1;
		inTurn += operation == std::exchange(before, operation) ? 0 : 1;
		fixture.answer(GetParam());
	}
	EXPECT_GT(lookUps, 5) << "which tell more, where they work";
	EXPECT_GT(renewals, lookUps);
	EXPECT_LT(inTurn, 50) << "ways that take turns must not meet them in step";
}

TEST_P(KeeperUselessLookUp, LeavesItToRenewalsWhetherARefusalIsBelieved)
{
	for (std::uint64_t seed = 0; seed < 20; ++seed) {
		KeeperFixture fixture(steady(), seed);
		fixture.begin(GetParam()).meet(GetParam()).take();
		for (const Duration pause : {1s, 2s, 4s}) {
			fixture.answer(refusal());
			EXPECT_EQ(fixture.pause(), pause);
			EXPECT_EQ(fixture.take().operation, Operation::renew)
				<< "a look-up would tell nothing, and cost a longer pause";
		}
		EXPECT_EQ(fixture.state(), State::starting);
		fixture.answer(Grant{60s, false});
		EXPECT_EQ(fixture.state(), State::active);
	}
}

INSTANTIATE_TEST_SUITE_P(Kinds, KeeperUselessLookUp,
	testing::Values(serverError(), trouble(Trouble::Kind::configuration, Reason::config),
		trouble(Trouble::Kind::malformed, Reason::malformed)));

TEST(KeeperStart, SilenceAndSealAndThrottleAreNoReasonToRenewUnseen)
{
	for (const auto& answer : {timedOut(), unreachable(), away(), throttled(1s)}) {
		KeeperFixture fixture;
		fixture.begin(answer).meet(answer).meet(answer);
		EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	}
}

TEST(KeeperStart, GoesOnTryingWhileTheServerIsAway)
{
	KeeperFixture fixture;
	fixture.begin(unreachable());
	EXPECT_EQ(fixture.state(), State::starting);
	EXPECT_EQ(fixture.reason(), Reason::network);
	EXPECT_TRUE(fixture.keeper.settled()) << "a start that is waited for has failed";
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_EQ(fixture.pause(), 1s);
	EXPECT_EQ(*fixture.meet(unreachable()).pause(), 2s);
	EXPECT_EQ(*fixture.meet(unreachable()).pause(), 4s);
	fixture.meet(token(60s, 60s));
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.keeper.snapshot().consecutiveFailures, 0U);
}

TEST(KeeperStart, AbsurdLengthsOverflowNothing)
{
	for (const auto ttl : {Duration::min(), Duration(-1), 0us, 1us, Duration(std::chrono::years(10))}) {
		KeeperFixture fixture;
		auto facts = token(ttl, Duration::max());
		facts.explicitMaxTtl = Duration::max();
		facts.creationTime = WallTime::max();
		facts.expireTime = WallTime::min();
		fixture.begin(facts).meet(Grant{ttl, true}).meet(Grant{std::chrono::years(10), false});
		EXPECT_EQ(fixture.state(), State::active);
		EXPECT_GT(fixture.remains(), std::chrono::years(9));
	}
}

TEST(KeeperStart, LeaseBeyondTenYearsIsMalformedAndNoPlan)
{
	for (const auto absurd : {Duration(std::chrono::years(11)), Duration::max()}) {
		KeeperFixture fixture;
		fixture.begin(token(absurd, 60s));
		EXPECT_EQ(fixture.state(), State::starting);
		EXPECT_EQ(fixture.reason(), Reason::malformed);
		EXPECT_LE(fixture.pause(), 1s);
		fixture.meet(token(60s, 60s)).forget();
		const auto end = fixture.keeper.expiry();
		fixture.meet(Grant{absurd, false});
		EXPECT_EQ(fixture.state(), State::retrying);
		EXPECT_EQ(fixture.keeper.expiry(), end);
		EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::failure));
	}
}

} // namespace
} // namespace issuer::vault::renewal::test
