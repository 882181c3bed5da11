#include "keeper_fixture.h"

#include "renewal/schedule.h"

#include <gmock/gmock.h>

/// When to ask while the server cannot answer: a token is lost only when nothing could have saved it.
namespace issuer::vault::renewal::test {
namespace {

using testing::Each;
using testing::Ge;

/// The distances between the starts of attempts.
std::vector<Duration> distances(const KeeperFixture& fixture)
{
	std::vector<Duration> distances;
	for (std::size_t at = 1; at < fixture.starts.size(); ++at) {
		distances.push_back(fixture.starts[at] - fixture.starts[at - 1]);
	}
	return distances;
}

/// A token with an exactly known end, freshly renewed.
KeeperFixture renewed(Duration lease, const Policy& policy = steady())
{
	KeeperFixture fixture(policy);
	fixture.begin(token(lease, lease)).meet(Grant{lease, false}, 0ms).forget();
	return fixture;
}

TEST(KeeperOutage, PausesDoubleUpToAMinute)
{
	auto fixture = renewed(10h);
	std::vector<Duration> pauses;
	for (int attempt = 0; attempt < 8; ++attempt) {
		pauses.push_back(*fixture.meet(unreachable()).pause());
	}
	EXPECT_THAT(pauses, testing::ElementsAre(1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s));
}

TEST(KeeperOutage, NoPauseIsLongerThanAQuarterOfWhatRemains)
{
	auto fixture = renewed(60s);
	const auto end = *fixture.keeper.expiry();
	while (fixture.state() != State::expired && fixture.now.boot < end - 5s) {
		fixture.meet(unreachable());
		EXPECT_LE(*fixture.pause(), std::max<Duration>((end - fixture.now.boot) / 4, 1s) + 1ms);
	}
}

TEST(KeeperOutage, LastAttemptStartsBeforeExpiryHoweverLongTheOutage)
{
	for (const Duration lease : {2s, 4s, 8s, 60s, 600s, 86400s}) {
		for (const Duration latency : {0ms, 10ms, 100ms}) {
			auto fixture = renewed(lease);
			const auto end = *fixture.keeper.expiry();
			fixture.meetUntil(end, unreachable(), latency);
			const auto pace = paceOf(steady(), lease, latency);
			ASSERT_FALSE(fixture.starts.empty());
			EXPECT_GE(fixture.starts.back(), end - pace.guard - pace.gap) << lease.count();
		}
	}
}

TEST(KeeperOutage, ServerThatIsBackForAGuardAndAGapSavesTheToken)
{
	for (const Duration lease : {2s, 4s, 8s, 60s, 3600s}) {
		auto fixture = renewed(lease);
		const auto pace = paceOf(steady(), lease, 10ms);
		const auto end = *fixture.keeper.expiry();
		fixture.meetUntil(end - pace.guard - pace.gap - 10ms, unreachable()).meet(Grant{lease, false});
		EXPECT_LE(fixture.starts.back(), end - 10ms);
		EXPECT_EQ(fixture.state(), State::active);
	}
}

TEST(KeeperOutage, HangingServerNeverEatsTheLifeThatLaterAttemptsNeed)
{
	for (const Duration lease : {2s, 4s, 8s, 60s, 600s}) {
		auto fixture = renewed(lease);
		const auto pace = paceOf(steady(), lease, 0ms);
		const auto end = *fixture.keeper.expiry();
		while (*fixture.keeper.next() < end) {
			const auto attempt = fixture.take();
			fixture.answer(timedOut(), attempt.budget);
		}
		EXPECT_GE(fixture.starts.back(), end - pace.guard - pace.gap);
	}
}

TEST(KeeperOutage, GapIsNeverUndercut)
{
	for (const Duration lease : {2s, 4s, 8s, 60s, 600s}) {
		KeeperFixture fixture(Policy{}, 7);
		fixture.begin(token(lease, lease)).meet(Grant{lease, false}).forget();
		const auto end = *fixture.keeper.expiry();
		fixture.meetUntil(end + 10s, unreachable(), 0ms);
		EXPECT_THAT(distances(fixture), Each(Ge(std::clamp<Duration>(lease / 16, 100ms, 500ms))));
	}
}

TEST(KeeperOutage, GapIsKeptWhateverIsTold)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s));
	fixture.hear(fixture.keeper.candidateFound(fixture.now));
	EXPECT_EQ(*fixture.keeper.next() - fixture.starts.back(), 500ms);
	fixture.meet(token(60s, 60s)).keeper.renewNow(fixture.now);
	EXPECT_EQ(*fixture.keeper.next() - fixture.starts.back(), 500ms);
	fixture.hear(fixture.keeper.stopped(fixture.now)).begin();
	EXPECT_EQ(*fixture.keeper.next() - fixture.starts.back(), 500ms);
}

TEST(KeeperOutage, AfterTheGuardTheGapAloneSpacesTheAttempts)
{
	auto fixture = renewed(60s);
	const auto end = *fixture.keeper.expiry();
	fixture.meetUntil(end - 1s, unreachable()).forget();
	fixture.meetUntil(end, unreachable());
	EXPECT_THAT(distances(fixture), Each(testing::Le(500ms)));
}

TEST(KeeperOutage, EndIsPlannedByTheEarliestAndGivenUpAfterTheLatest)
{
	KeeperFixture fixture;
	fixture.begin(token(8s, 8s)); // its end: 7 s after it was sent, or up to 2.5 s and 10 ms later
	const auto earliest = *fixture.keeper.expiry();
	EXPECT_EQ(earliest, fixture.starts.front() + 7s);
	const auto latest = earliest + 2500ms + 10ms;
	fixture.forget().meetUntil(latest, unreachable());
	EXPECT_EQ(fixture.state(), State::retrying);
	fixture.meet(unreachable());
	EXPECT_GE(fixture.starts.back(), latest) << "one last, when it must be dead";
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_EQ(fixture.reason(), Reason::expired);
}

TEST(KeeperOutage, GrantAfterTheEarliestEndIsLife)
{
	KeeperFixture fixture;
	fixture.begin(token(8s, 8s));
	fixture.meetUntil(*fixture.keeper.expiry() + 500ms, unreachable()).meet(Grant{8s, false});
	EXPECT_EQ(fixture.state(), State::active);
}

TEST(KeeperOutage, EndAfterAVerySlowAnswerIsToldRatherTooEarly)
{
	auto fixture = renewed(600s);
	fixture.meet(Grant{600s, false}, 20s);
	EXPECT_EQ(fixture.lastEvent().expires, fixture.now.wall + 600s - 20s + 2s);
}

TEST(KeeperOutage, RetryAfterIsKept)
{
	auto fixture = renewed(600s);
	EXPECT_EQ(fixture.meet(throttled(18s)).pause(), 18s);
}

TEST(KeeperOutage, RetryAfterTakesThePlaceOfOurPause)
{
	auto fixture = renewed(600s);
	for (int failures = 0; failures < 5; ++failures) {
		fixture.meet(unreachable());
	}
	EXPECT_EQ(fixture.meet(throttled(2s)).pause(), 2s) << "and not 32 s";
}

TEST(KeeperOutage, RetryAfterIsNotShortenedByAskingForARenewal)
{
	auto fixture = renewed(600s);
	fixture.meet(throttled(18s)).keeper.renewNow(fixture.now);
	EXPECT_EQ(fixture.pause(), 18s);
}

TEST(KeeperOutage, RetryAfterNeverReachesBeyondTheLastChance)
{
	auto fixture = renewed(600s);
	const auto end = *fixture.keeper.expiry();
	fixture.meet(throttled(3600s));
	EXPECT_EQ(*fixture.keeper.next(), end - 500ms);
}

TEST(KeeperOutage, LastChanceOfASlowServerIsFourAnswersBeforeTheEnd)
{
	KeeperFixture fixture;
	fixture.begin().meet(token(600s, 600s), 1s).meet(Grant{600s, false}, 1s).meet(throttled(3600s), 1s);
	EXPECT_EQ(*fixture.keeper.next(), *fixture.keeper.expiry() - 4s);
}

TEST(KeeperOutage, AttemptMayTakeAQuarterOfWhatRemains)
{
	auto fixture = renewed(60s);
	EXPECT_EQ(fixture.take().budget, 7500ms);
}

TEST(KeeperOutage, SlowAnswerIsForgottenAfterTenQuickOnes)
{
	auto fixture = renewed(60s);
	fixture.meet(Grant{60s, false}, 20s);
	EXPECT_GT(fixture.take().budget, 10s);
	fixture.answer(Grant{60s, false});
	for (int quick = 1; quick < 10; ++quick) {
		fixture.meet(Grant{60s, false});
	}
	EXPECT_EQ(fixture.take().budget, 7500ms) << "a quarter of what remains";
}

TEST(KeeperOutage, AttemptMayTakeASecondWhereThatIsNoMoreThanHalfOfWhatRemains)
{
	EXPECT_EQ(budget(steady(), paceOf(steady(), 60s, 0ms), 3s, 0ms), 1s);
	EXPECT_EQ(budget(steady(), paceOf(steady(), 60s, 0ms), 1500ms, 0ms), 750ms);
	EXPECT_EQ(budget(steady(), paceOf(steady(), 60s, 0ms), 0s, 0ms), 500ms) << "and always a gap";
}

TEST(KeeperOutage, NoAttemptMayTakeLongerThanTheRequestTimeout)
{
	auto fixture = renewed(3600s);
	EXPECT_EQ(fixture.take().budget, 30s);
}

TEST(KeeperOutage, SlowServerIsGivenTheTimeItIsKnownToNeed)
{
	auto fixture = renewed(16s);
	fixture.meet(Grant{16s, false}, 3s);
	EXPECT_EQ(fixture.take().budget, 6s);
}

TEST(KeeperOutage, SlowServerIsGivenItEvenWhereALeaseIsHardlyLonger)
{
	auto fixture = renewed(60s);
	fixture.meet(Grant{1s, false}, 900ms); // another client has renewed it with an increment of 1 s
	EXPECT_EQ(fixture.take().budget, 1s) << "and not two thirds of the lease, which bring nothing";
}

TEST(KeeperOutage, LostAnswerMayHaveProlongedTheToken)
{
	auto fixture = renewed(600s);
	const auto end = *fixture.keeper.expiry();
	fixture.meet(timedOut(), 0ms);
	const auto perhaps = fixture.starts.front() + 600s; // if it reached the server
	fixture.meetUntil(end, unreachable()).meet(unreachable());
	EXPECT_EQ(fixture.state(), State::expired) << "as far as is known";
	EXPECT_LE(fixture.pause(), 60s) << "but it can still be saved";
	fixture.meetUntil(perhaps - 1100ms, unreachable()).meet(Grant{600s, false});
	EXPECT_LT(fixture.now.boot, perhaps - 500ms) << "as any other token: in time";
	EXPECT_EQ(fixture.state(), State::active);
}

TEST(KeeperOutage, EachOfSeveralLostAnswersMayHaveBroughtTheLastEnd)
{
	for (const Duration lease : {8s, 60s, 600s}) {
		auto fixture = renewed(lease);
		const auto end = *fixture.keeper.expiry();
		fixture.meetUntil(end, timedOut(), 50ms).meet(timedOut(), 50ms);
		const auto first = fixture.starts.front() + lease;
		const auto last = fixture.starts.back() + lease;
		fixture.meetUntil(first, unreachable()).forget().meetUntil(last, unreachable());
		EXPECT_THAT(distances(fixture), Each(testing::Le(std::max<Duration>((last - first) / 60, lease / 16))));
		EXPECT_LE(fixture.starts.size(), 70U);
	}
}

TEST(KeeperOutage, HopeOutlastsARefusalBeforeTheEndThatIsKnown)
{
	auto fixture = renewed(600s);
	fixture.meet(timedOut(), 0ms).meet(refusal());
	const auto perhaps = fixture.starts.front() + 600s;
	fixture.meetUntil(perhaps - 1100ms, unreachable()).meet(Grant{600s, false});
	EXPECT_LT(fixture.now.boot, perhaps - 500ms);
	EXPECT_EQ(fixture.state(), State::active);
}

TEST(KeeperOutage, EndThatASlowAnswerLeftVagueCostsFewRequests)
{
	auto policy = steady();
	policy.requestTimeout = 300s;
	KeeperFixture fixture(policy);
	fixture.begin().meet(token(600s, 600s), 200s);
	const auto end = *fixture.keeper.expiry();
	fixture.meetUntil(end, unreachable()).forget().meetUntil(end + 202s, unreachable());
	EXPECT_LE(fixture.starts.size(), 76U) << "and not 400";
}

TEST(KeeperOutage, EndThatIsVagueCostsFewRequestsWhereRenewalsAreDeniedToo)
{
	auto policy = steady();
	policy.requestTimeout = 300s;
	KeeperFixture fixture(policy);
	fixture.begin().meet(token(600s, 600s), 200s);
	const auto end = *fixture.keeper.expiry();
	fixture.meetUntil(end, policyRefusal()).forget().meetUntil(end + 199s, policyRefusal());
	EXPECT_LE(fixture.starts.size(), 76U) << "and not 400";
}

TEST(KeeperOutage, HopeEndsWhereALostAnswerCannotReach)
{
	auto fixture = renewed(600s);
	fixture.meet(timedOut(), 0ms);
	fixture.meetUntil(fixture.starts.front() + 600s, unreachable()).meet(unreachable());
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	EXPECT_GE(fixture.starts.back() - fixture.starts[fixture.starts.size() - 2], 300s);
}

TEST(KeeperOutage, HopeEndsWithARefusal)
{
	auto fixture = renewed(600s);
	fixture.meet(timedOut());
	fixture.meetUntil(*fixture.keeper.expiry() + 10s, unreachable()).meet(refusal());
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_EQ(fixture.pause(), 300s);
}

TEST(KeeperOutage, ServerThatHangsForEverFeedsNoHopeForEver)
{
	auto fixture = renewed(60s);
	const auto end = *fixture.keeper.expiry();
	fixture.meetUntil(end + 60s, timedOut(), 500ms).forget().meetUntil(end + 24h, timedOut(), 500ms);
	EXPECT_LE(fixture.starts.size(), 40U);
}

TEST(KeeperOutage, RequestThatWasNeverSentProlongedNothing)
{
	auto fixture = renewed(600s);
	const auto end = *fixture.keeper.expiry();
	fixture.meetUntil(end, unreachable()).meet(unreachable());
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_EQ(fixture.pause(), 300s);
}

TEST(KeeperOutage, DeadlineThatPassedWhileTheMachineSleptFiresAtOnce)
{
	auto fixture = renewed(600s);
	fixture.wait(500s);
	EXPECT_LT(*fixture.keeper.next(), fixture.now.boot);
	fixture.meet(Grant{600s, false});
	EXPECT_EQ(fixture.state(), State::active);
}

TEST(KeeperOutage, RequestsStayFewHoweverLongItLasts)
{
	auto fixture = renewed(10h);
	fixture.take();
	const auto start = fixture.now.boot;
	fixture.answer(unreachable()).meetUntil(start + 1h, unreachable());
	EXPECT_LE(fixture.starts.size(), 8U + 3600 / 45);
}

TEST(KeeperJitter, IsEarlyAndNeverLate)
{
	Duration earliest = 60s;
	Duration latest = 0s;
	for (std::uint64_t seed = 0; seed < 200; ++seed) {
		KeeperFixture fixture(Policy{}, seed);
		fixture.begin(token(60s, 60s)).meet(Grant{60s, false}, 0ms);
		earliest = std::min(earliest, *fixture.pause());
		latest = std::max(latest, *fixture.pause());
	}
	EXPECT_GE(earliest, 27s);
	EXPECT_LT(earliest, 27500ms);
	EXPECT_LE(latest, 30s);
	EXPECT_GT(latest, 29500ms);
}

TEST(KeeperJitter, SameSeedAndHistoryDecideAlike)
{
	const auto pauseOf = [](std::uint64_t seed) {
		KeeperFixture fixture(Policy{}, seed);
		return *fixture.begin(token(60s, 60s)).meet(away()).pause();
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
