#include "stage.h"

#include "renewal/schedule.h"

#include <gmock/gmock.h>

/// When to ask while the server cannot answer: a token is lost only when nothing could have saved it.
namespace issuer::vault::renewal::test {
namespace {

using testing::Each;
using testing::Ge;

/// The distances between the starts of attempts.
std::vector<Duration> distances(const Stage& stage)
{
	std::vector<Duration> distances;
	for (std::size_t at = 1; at < stage.starts.size(); ++at) {
		distances.push_back(stage.starts[at] - stage.starts[at - 1]);
	}
	return distances;
}

/// A token with an exactly known end, freshly renewed.
Stage renewed(Duration lease, const Policy& policy = steady())
{
	Stage stage(policy);
	stage.begin(token(lease, lease)).meet(Grant{lease, false}, 0ms).forget();
	return stage;
}

TEST(KeeperOutage, PausesDoubleUpToAMinute)
{
	auto stage = renewed(10h);
	std::vector<Duration> pauses;
	for (int attempt = 0; attempt < 8; ++attempt) {
		pauses.push_back(*stage.meet(unreachable()).pause());
	}
	EXPECT_THAT(pauses, testing::ElementsAre(1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s));
}

TEST(KeeperOutage, NoPauseIsLongerThanAQuarterOfWhatRemains)
{
	auto stage = renewed(60s);
	const auto end = *stage.keeper.expiry();
	while (stage.state() != State::expired && stage.now.boot < end - 5s) {
		stage.meet(unreachable());
		EXPECT_LE(*stage.pause(), std::max<Duration>((end - stage.now.boot) / 4, 1s) + 1ms);
	}
}

TEST(KeeperOutage, LastAttemptStartsBeforeExpiryHoweverLongTheOutage)
{
	for (const Duration lease : {2s, 4s, 8s, 60s, 600s, 86400s}) {
		for (const Duration latency : {0ms, 10ms, 100ms}) {
			auto stage = renewed(lease);
			const auto end = *stage.keeper.expiry();
			stage.meetUntil(end, unreachable(), latency);
			const auto pace = paceOf(steady(), lease, latency);
			ASSERT_FALSE(stage.starts.empty());
			EXPECT_GE(stage.starts.back(), end - pace.guard - pace.gap) << lease.count();
		}
	}
}

TEST(KeeperOutage, ServerThatIsBackForAGuardAndAGapSavesTheToken)
{
	for (const Duration lease : {2s, 4s, 8s, 60s, 3600s}) {
		auto stage = renewed(lease);
		const auto pace = paceOf(steady(), lease, 10ms);
		const auto end = *stage.keeper.expiry();
		stage.meetUntil(end - pace.guard - pace.gap - 10ms, unreachable()).meet(Grant{lease, false});
		EXPECT_LE(stage.starts.back(), end - 10ms);
		EXPECT_EQ(stage.state(), State::active);
	}
}

TEST(KeeperOutage, HangingServerNeverEatsTheLifeThatLaterAttemptsNeed)
{
	for (const Duration lease : {2s, 4s, 8s, 60s, 600s}) {
		auto stage = renewed(lease);
		const auto pace = paceOf(steady(), lease, 0ms);
		const auto end = *stage.keeper.expiry();
		while (*stage.keeper.next() < end) {
			const auto attempt = stage.take();
			stage.answer(timedOut(), attempt.budget);
		}
		EXPECT_GE(stage.starts.back(), end - pace.guard - pace.gap);
	}
}

TEST(KeeperOutage, GapIsNeverUndercut)
{
	for (const Duration lease : {2s, 4s, 8s, 60s, 600s}) {
		Stage stage(Policy{}, 7);
		stage.begin(token(lease, lease)).meet(Grant{lease, false}).forget();
		const auto end = *stage.keeper.expiry();
		stage.meetUntil(end + 10s, unreachable(), 0ms);
		EXPECT_THAT(distances(stage), Each(Ge(std::clamp<Duration>(lease / 16, 100ms, 500ms))));
	}
}

TEST(KeeperOutage, GapIsKeptWhateverIsTold)
{
	Stage stage;
	stage.begin(token(60s, 60s));
	stage.hear(stage.keeper.candidateFound(stage.now));
	EXPECT_EQ(*stage.keeper.next() - stage.starts.back(), 500ms);
	stage.meet(token(60s, 60s)).keeper.renewNow(stage.now);
	EXPECT_EQ(*stage.keeper.next() - stage.starts.back(), 500ms);
	stage.hear(stage.keeper.stopped(stage.now)).begin();
	EXPECT_EQ(*stage.keeper.next() - stage.starts.back(), 500ms);
}

TEST(KeeperOutage, AfterTheGuardTheGapAloneSpacesTheAttempts)
{
	auto stage = renewed(60s);
	const auto end = *stage.keeper.expiry();
	stage.meetUntil(end - 1s, unreachable()).forget();
	stage.meetUntil(end, unreachable());
	EXPECT_THAT(distances(stage), Each(testing::Le(500ms)));
}

TEST(KeeperOutage, EndIsPlannedByTheEarliestAndGivenUpAfterTheLatest)
{
	Stage stage;
	stage.begin(token(8s, 8s)); // its end: 7 s after it was sent, or up to 2.5 s and 10 ms later
	const auto earliest = *stage.keeper.expiry();
	EXPECT_EQ(earliest, stage.starts.front() + 7s);
	const auto latest = earliest + 2500ms + 10ms;
	stage.forget().meetUntil(latest, unreachable());
	EXPECT_EQ(stage.state(), State::retrying);
	stage.meet(unreachable());
	EXPECT_GE(stage.starts.back(), latest) << "one last, when it must be dead";
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_EQ(stage.reason(), Reason::expired);
}

TEST(KeeperOutage, GrantAfterTheEarliestEndIsLife)
{
	Stage stage;
	stage.begin(token(8s, 8s));
	stage.meetUntil(*stage.keeper.expiry() + 500ms, unreachable()).meet(Grant{8s, false});
	EXPECT_EQ(stage.state(), State::active);
}

TEST(KeeperOutage, EndAfterAVerySlowAnswerIsToldRatherTooEarly)
{
	auto stage = renewed(600s);
	stage.meet(Grant{600s, false}, 20s);
	EXPECT_EQ(stage.lastEvent().expires, stage.now.wall + 600s - 20s + 2s);
}

TEST(KeeperOutage, RetryAfterIsKept)
{
	auto stage = renewed(600s);
	EXPECT_EQ(stage.meet(throttled(18s)).pause(), 18s);
}

TEST(KeeperOutage, RetryAfterIsNotShortenedByAskingForARenewal)
{
	auto stage = renewed(600s);
	stage.meet(throttled(18s)).keeper.renewNow(stage.now);
	EXPECT_EQ(stage.pause(), 18s);
}

TEST(KeeperOutage, RetryAfterNeverReachesBeyondTheLastChance)
{
	auto stage = renewed(600s);
	const auto end = *stage.keeper.expiry();
	stage.meet(throttled(3600s));
	EXPECT_EQ(*stage.keeper.next(), end - 500ms);
}

TEST(KeeperOutage, AttemptMayTakeAQuarterOfWhatRemains)
{
	auto stage = renewed(60s);
	EXPECT_EQ(stage.take().budget, 7500ms);
}

TEST(KeeperOutage, SlowAnswerIsForgottenAfterTenQuickOnes)
{
	auto stage = renewed(60s);
	stage.meet(Grant{60s, false}, 20s);
	EXPECT_GT(stage.take().budget, 10s);
	stage.answer(Grant{60s, false});
	for (int quick = 1; quick < 10; ++quick) {
		stage.meet(Grant{60s, false});
	}
	EXPECT_EQ(stage.take().budget, 7500ms) << "a quarter of what remains";
}

TEST(KeeperOutage, AttemptMayTakeASecondWhereThatIsNoMoreThanHalfOfWhatRemains)
{
	EXPECT_EQ(budget(steady(), paceOf(steady(), 60s, 0ms), 3s, 60s, 0ms), 1s);
	EXPECT_EQ(budget(steady(), paceOf(steady(), 60s, 0ms), 1500ms, 60s, 0ms), 750ms);
	EXPECT_EQ(budget(steady(), paceOf(steady(), 60s, 0ms), 0s, 60s, 0ms), 500ms) << "and always a gap";
}

TEST(KeeperOutage, NoAttemptMayTakeLongerThanTheRequestTimeout)
{
	auto stage = renewed(3600s);
	EXPECT_EQ(stage.take().budget, 30s);
}

TEST(KeeperOutage, SlowServerIsGivenTheTimeItIsKnownToNeed)
{
	auto stage = renewed(16s);
	stage.meet(Grant{16s, false}, 3s);
	EXPECT_EQ(stage.take().budget, 6s);
}

TEST(KeeperOutage, SlowServerIsGivenItEvenWhereALeaseIsHardlyLonger)
{
	auto stage = renewed(60s);
	stage.meet(Grant{1s, false}, 900ms); // another client has renewed it with an increment of 1 s
	EXPECT_EQ(stage.take().budget, 1s) << "and not two thirds of the lease, which bring nothing";
}

TEST(KeeperOutage, LostAnswerMayHaveProlongedTheToken)
{
	auto stage = renewed(600s);
	const auto end = *stage.keeper.expiry();
	stage.meet(timedOut(), 0ms);
	const auto perhaps = stage.starts.front() + 600s; // if it reached the server
	stage.meetUntil(end, unreachable()).meet(unreachable());
	EXPECT_EQ(stage.state(), State::expired) << "as far as anybody knows";
	EXPECT_LE(stage.pause(), 60s) << "but it can still be saved";
	stage.meetUntil(perhaps - 1100ms, unreachable()).meet(Grant{600s, false});
	EXPECT_LT(stage.now.boot, perhaps - 500ms) << "as any other token: in time";
	EXPECT_EQ(stage.state(), State::active);
}

TEST(KeeperOutage, EachOfSeveralLostAnswersMayHaveBroughtTheLastEnd)
{
	for (const Duration lease : {8s, 60s, 600s}) {
		auto stage = renewed(lease);
		const auto end = *stage.keeper.expiry();
		stage.meetUntil(end, timedOut(), 50ms).meet(timedOut(), 50ms);
		const auto first = stage.starts.front() + lease;
		const auto last = stage.starts.back() + lease;
		stage.meetUntil(first, unreachable()).forget().meetUntil(last, unreachable());
		EXPECT_THAT(distances(stage), Each(testing::Le(std::max<Duration>((last - first) / 60, lease / 16))));
		EXPECT_LE(stage.starts.size(), 70U);
	}
}

TEST(KeeperOutage, HopeOutlastsARefusalBeforeTheEndThatIsKnown)
{
	auto stage = renewed(600s);
	stage.meet(timedOut(), 0ms).meet(refusal());
	const auto perhaps = stage.starts.front() + 600s;
	stage.meetUntil(perhaps - 1100ms, unreachable()).meet(Grant{600s, false});
	EXPECT_LT(stage.now.boot, perhaps - 500ms);
	EXPECT_EQ(stage.state(), State::active);
}

TEST(KeeperOutage, EndThatASlowAnswerLeftVagueCostsFewRequests)
{
	auto policy = steady();
	policy.requestTimeout = 300s;
	Stage stage(policy);
	stage.begin().meet(token(600s, 600s), 200s);
	const auto end = *stage.keeper.expiry();
	stage.meetUntil(end, unreachable()).forget().meetUntil(end + 202s, unreachable());
	EXPECT_LE(stage.starts.size(), 76U) << "and not 400";
}

TEST(KeeperOutage, HopeEndsWhereALostAnswerCannotReach)
{
	auto stage = renewed(600s);
	stage.meet(timedOut(), 0ms);
	stage.meetUntil(stage.starts.front() + 600s, unreachable()).meet(unreachable());
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
	EXPECT_GE(stage.starts.back() - stage.starts[stage.starts.size() - 2], 300s);
}

TEST(KeeperOutage, HopeEndsWithARefusal)
{
	auto stage = renewed(600s);
	stage.meet(timedOut());
	stage.meetUntil(*stage.keeper.expiry() + 10s, unreachable()).meet(refusal());
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_EQ(stage.pause(), 300s);
}

TEST(KeeperOutage, ServerThatHangsForEverFeedsNoHopeForEver)
{
	auto stage = renewed(60s);
	const auto end = *stage.keeper.expiry();
	stage.meetUntil(end + 60s, timedOut(), 500ms).forget().meetUntil(end + 24h, timedOut(), 500ms);
	EXPECT_LE(stage.starts.size(), 40U);
}

TEST(KeeperOutage, RequestThatWasNeverSentProlongedNothing)
{
	auto stage = renewed(600s);
	const auto end = *stage.keeper.expiry();
	stage.meetUntil(end, unreachable()).meet(unreachable());
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_EQ(stage.pause(), 300s);
}

TEST(KeeperOutage, DeadlineThatPassedWhileTheMachineSleptFiresAtOnce)
{
	auto stage = renewed(600s);
	stage.wait(500s);
	EXPECT_LT(*stage.keeper.next(), stage.now.boot);
	stage.meet(Grant{600s, false});
	EXPECT_EQ(stage.state(), State::active);
}

TEST(KeeperOutage, RequestsStayFewHoweverLongItLasts)
{
	auto stage = renewed(10h);
	stage.take();
	const auto start = stage.now.boot;
	stage.answer(unreachable()).meetUntil(start + 1h, unreachable());
	EXPECT_LE(stage.starts.size(), 8U + 3600 / 45);
}

TEST(KeeperJitter, IsEarlyAndNeverLate)
{
	Duration earliest = 60s;
	Duration latest = 0s;
	for (std::uint64_t seed = 0; seed < 200; ++seed) {
		Stage stage(Policy{}, seed);
		stage.begin(token(60s, 60s)).meet(Grant{60s, false}, 0ms);
		earliest = std::min(earliest, *stage.pause());
		latest = std::max(latest, *stage.pause());
	}
	EXPECT_GE(earliest, 27s);
	EXPECT_LT(earliest, 27500ms);
	EXPECT_LE(latest, 30s);
	EXPECT_GT(latest, 29500ms);
}

TEST(KeeperJitter, SameSeedAndHistoryDecideAlike)
{
	const auto pauseOf = [](std::uint64_t seed) {
		Stage stage(Policy{}, seed);
		return *stage.begin(token(60s, 60s)).meet(away()).pause();
	};
	EXPECT_EQ(pauseOf(3), pauseOf(3));
	EXPECT_NE(pauseOf(3), pauseOf(4));
}

TEST(KeeperInterval, IsHalfTheLeaseButNotLessThanItsMinimum)
{
	EXPECT_EQ(interval(Policy{}, 60s), 30s);
	EXPECT_EQ(interval(Policy{}, 1500ms), 1s);
	EXPECT_EQ(interval(Policy{}, 1200ms), 800ms) << "which never pushes a renewal beyond two thirds";
}

} // namespace
} // namespace issuer::vault::renewal::test
