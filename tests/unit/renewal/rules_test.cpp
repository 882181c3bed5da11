#include "keeper_fixture.h"

#include <gmock/gmock.h>

/// Rules that hold in every state.
namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;

TEST(KeeperNotRenewable, ToldByARenewalIsTheLastWord)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).forget();
	Grant last{60s, false};
	last.renewable = false;
	fixture.meet(last, 0ms);
	EXPECT_EQ(fixture.state(), State::notRenewable);
	EXPECT_EQ(fixture.reason(), Reason::notRenewable);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::notRenewable));
	EXPECT_EQ(fixture.remains(), 60s) << "the lease just granted";
	EXPECT_EQ(fixture.keeper.snapshot().notRenewables, 1U);
	EXPECT_EQ(fixture.keeper.snapshot().successes, 0U);
	EXPECT_EQ(fixture.pause(), 60s);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	fixture.answer(refusal());
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::notRenewable));
}

TEST(KeeperNotRenewable, IsNotRenewedThoughItsEndIsVague)
{
	KeeperFixture fixture;
	Grant last{60s, false};
	last.renewable = false;
	fixture.begin(token(60s, 60s)).meet(last, 10s).keeper.renewNow(fixture.now);
	fixture.meetUntil(*fixture.keeper.expiry() + 1s, refusal());
	ASSERT_EQ(fixture.state(), State::expired);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
}

TEST(KeeperNotRenewable, StaysSoWhateverALookUpSays)
{
	KeeperFixture fixture;
	Grant last{60s, false};
	last.renewable = false;
	fixture.begin(token(60s, 60s)).meet(last).wait(5s).keeper.renewNow(fixture.now);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	fixture.answer(token(50s, 60s));
	EXPECT_EQ(fixture.state(), State::notRenewable);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
}

TEST(KeeperSilence, TokenOfALongLeaseIsLookedUpEverySixHours)
{
	KeeperFixture fixture;
	fixture.begin(token(768h, 768h)).meet(Grant{768h, false}).forget();
	for (int round = 0; round < 20; ++round) {
		EXPECT_EQ(*fixture.keeper.next() - fixture.now.boot, 6h - 10ms);
		EXPECT_EQ(fixture.take().operation, Operation::lookUp);
		fixture.answer(token(768h - round * 6h, 768h));
	}
	EXPECT_THAT(fixture.events, testing::IsEmpty());
	EXPECT_EQ(fixture.state(), State::active);
}

TEST(KeeperSilence, IsNotBrokenByAFleetAsOne)
{
	auto policy = steady();
	policy.silenceSpread = Policy().silenceSpread;
	KeeperFixture one(policy, 1);
	KeeperFixture other(policy, 2);
	for (auto* fixture : {&one, &other}) {
		fixture->begin(token(768h, 768h)).meet(Grant{768h, false});
		EXPECT_GE(*fixture->pause(), 6h * 9 / 10 - 10ms);
		EXPECT_LE(*fixture->pause(), 6h);
	}
	EXPECT_NE(one.pause(), other.pause());
}

TEST(KeeperSilence, DoesNotPutOffARenewal)
{
	KeeperFixture fixture;
	fixture.begin(token(24h, 24h)).meet(Grant{24h, false}, 0ms);
	const auto due = *fixture.keeper.expiry() - 12h;
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	fixture.answer(token(18h, 24h), 0ms);
	EXPECT_EQ(*fixture.keeper.next(), due);
	EXPECT_EQ(fixture.take().operation, Operation::renew);
}

TEST(KeeperSilence, RevocationInTheMiddleOfALongLeaseIsKnownWithinHours)
{
	KeeperFixture fixture;
	fixture.begin(token(768h, 768h));
	const auto revoked = fixture.now.boot;
	fixture.meet(refusal());
	EXPECT_EQ(fixture.state(), State::retrying);
	EXPECT_EQ(fixture.reason(), Reason::refused);
	EXPECT_LE(fixture.now.boot - revoked, 6h);
	EXPECT_EQ(fixture.notes.back().level, Level::warn);
	EXPECT_EQ(fixture.take().operation, Operation::renew);
}

TEST(KeeperSilence, IsBrokenInEveryStateOfALivingToken)
{
	auto batch = token(768h, 768h);
	batch.batch = true;
	for (const std::vector<Answer>& answers : {std::vector<Answer>{batch}, {token(768h, 768h), policyRefusal()},
			 {token(768h, 768h), Grant{700h, true}}, {token(768h, 768h), refusal(), refusal(), refusal()}}) {
		KeeperFixture fixture;
		fixture.begin();
		for (const auto& answer : answers) {
			fixture.meet(answer);
		}
		for (int round = 0; round < 30; ++round) {
			EXPECT_LE(*fixture.pause(), 6h);
			fixture.meet(answers.back());
		}
	}
}

TEST(KeeperSilence, BurnsNoLimitedUses)
{
	auto facts = token(768h, 768h);
	facts.usesLeft = 3;
	EXPECT_GT(KeeperFixture().begin(facts).pause(), 700h);
}

TEST(KeeperRetryAfter, HoldsInDenied)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).meet(policyRefusal()).meet(throttled(12s));
	EXPECT_EQ(fixture.state(), State::denied);
	EXPECT_EQ(fixture.pause(), 12s) << "and not half of what remains";
	fixture.meet(throttled(3600s));
	EXPECT_EQ(*fixture.keeper.expiry() - *fixture.keeper.next(), 500ms) << "nor beyond the last chance";
}

TEST(KeeperRetryAfter, HoldsInExpired)
{
	KeeperFixture fixture;
	fixture.beginRefused().meet(throttled(50min));
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_EQ(fixture.pause(), 50min);
	EXPECT_EQ(fixture.meet(throttled(1000h)).pause(), 1h) << "since it may have been mended";
}

TEST(KeeperRetryAfter, HoldsForHoursAtMost)
{
	KeeperFixture fixture;
	fixture.begin(token(768h, 768h)).meet(throttled(100h));
	EXPECT_LE(fixture.pause(), 6h);
}

TEST(KeeperInvariant, FailedRunIsPlannedAnew)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).take();
	EXPECT_EQ(fixture.keeper.next(), std::nullopt) << "an answer is awaited";
	fixture.keeper.replan(fixture.now);
	EXPECT_EQ(fixture.pause(), 1s);
	EXPECT_EQ(fixture.state(), State::retrying);
	EXPECT_GT(fixture.keeper.memory().lease.ifRenewedLatest, fixture.keeper.memory().lease.latest)
		<< "it may have been sent";
	EXPECT_EQ(fixture.take().operation, Operation::renew);
	fixture.answer(Grant{60s, false});
	EXPECT_EQ(fixture.state(), State::active);
}

TEST(KeeperInvariant, RunsThatFailForEverAreNotMadeInARow)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).forget();
	for (int round = 0; round < 10; ++round) {
		fixture.take();
		fixture.keeper.replan(fixture.now);
	}
	EXPECT_GE(fixture.pause(), 60s);
}

TEST(KeeperInvariant, RunsThatFailBeyondTheEndAreFollowedByTheFirstProbeOfADeadToken)
{
	KeeperFixture fixture;
	fixture.begin(token(8s, 8s));
	while (fixture.state() != State::expired || fixture.pause() < 1min) {
		fixture.take();
		fixture.keeper.replan(fixture.now);
		ASSERT_NE(fixture.keeper.next(), std::nullopt);
	}
	EXPECT_EQ(fixture.pause(), 5min) << "as after any other failure, however many came before";
}

TEST(KeeperInvariant, FailedRunOfACandidateIsPlannedAnew)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).wait(1s).hear(fixture.keeper.candidateFound(fixture.now)).take();
	fixture.keeper.replan(fixture.now);
	EXPECT_EQ(fixture.pause(), 1s);
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.take().token, Token::candidate);
}

TEST(KeeperInvariant, PlanningAnewChangesNoPlan)
{
	for (const std::vector<Answer>& answers : {std::vector<Answer>{token(60s, 60s)}, {token(60s, 60s), away()},
			 {token(60s, 60s), policyRefusal()}, {token(60s, 60s), Grant{20s, true}}, {unreachable()}}) {
		KeeperFixture fixture;
		fixture.begin();
		for (const auto& answer : answers) {
			fixture.meet(answer);
		}
		const auto next = fixture.keeper.next();
		fixture.wait(100ms).keeper.replan(fixture.now);
		EXPECT_EQ(fixture.keeper.next(), next);
	}
}

TEST(KeeperInvariant, SourceWithoutATokenIsPlannedAnewToo)
{
	KeeperFixture fixture;
	fixture.begin();
	fixture.hear(fixture.keeper.credentialUnreadable(fixture.now, false, "it hangs"));
	EXPECT_EQ(fixture.pause(), 1s);
	EXPECT_EQ(fixture.reason(), Reason::credentialUnreadable);
}

TEST(KeeperClock, TimesAreToldByThePresentWallClock)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).meet(Grant{60s, false}, 0ms);
	const auto before = fixture.keeper.snapshot();
	fixture.wait(5s);
	fixture.now.wall += 1h;
	const auto after = fixture.keeper.snapshot(fixture.now);
	EXPECT_EQ(*after.expires, *before.expires + 1h);
	EXPECT_EQ(*after.next, *before.next + 1h);
	EXPECT_EQ(*after.lastSuccess, *before.lastSuccess + 1h);
	EXPECT_EQ(*after.lastAttempt, *before.lastAttempt + 1h);
}

TEST(KeeperHandoverFacts, TimesAheadOfThePresentAreNotWaitedFor)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).hear(fixture.keeper.stopped(fixture.now));
	auto memory = fixture.keeper.memory();
	memory.retry.asOf += 1000h;
	memory.started += 1000h;
	KeeperFixture next;
	next.now = fixture.now;
	next.hear(next.keeper.resume(next.now, memory));
	EXPECT_LE(next.pause(), 30s);
}

TEST(KeeperHandoverFacts, OfAnotherTokenOnlyTheCountsAreKept)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).meet(Grant{60s, false}).hear(fixture.keeper.stopped(fixture.now));
	KeeperFixture next;
	next.now = fixture.now;
	next.wait(1s).hear(next.keeper.resume(next.now, fixture.keeper.memory(), false));
	EXPECT_EQ(next.state(), State::starting);
	EXPECT_EQ(next.keeper.snapshot().successes, 1U);
	EXPECT_EQ(next.keeper.snapshot().expires, std::nullopt);
	EXPECT_EQ(next.take().operation, Operation::lookUp);
}

} // namespace
} // namespace issuer::vault::renewal::test
