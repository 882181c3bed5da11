#include "stage.h"

#include <gmock/gmock.h>

/// Rules that hold in every state.
namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;

TEST(KeeperNotRenewable, ToldByARenewalIsTheLastWord)
{
	Stage stage;
	stage.begin(token(60s, 60s)).forget();
	Grant last{60s, false};
	last.renewable = false;
	stage.meet(last, 0ms);
	EXPECT_EQ(stage.state(), State::notRenewable);
	EXPECT_EQ(stage.reason(), Reason::notRenewable);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::notRenewable));
	EXPECT_EQ(stage.remains(), 60s) << "the lease just granted";
	EXPECT_EQ(stage.keeper.snapshot().notRenewables, 1U);
	EXPECT_EQ(stage.keeper.snapshot().successes, 0U);
	EXPECT_EQ(stage.pause(), 60s);
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
	stage.answer(refusal());
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::notRenewable));
}

TEST(KeeperNotRenewable, IsNotRenewedThoughItsEndIsVague)
{
	Stage stage;
	Grant last{60s, false};
	last.renewable = false;
	stage.begin(token(60s, 60s)).meet(last, 10s).keeper.renewNow(stage.now);
	stage.meetUntil(*stage.keeper.expiry() + 1s, refusal());
	ASSERT_EQ(stage.state(), State::expired);
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
}

TEST(KeeperNotRenewable, StaysSoWhateverALookUpSays)
{
	Stage stage;
	Grant last{60s, false};
	last.renewable = false;
	stage.begin(token(60s, 60s)).meet(last).wait(5s).keeper.renewNow(stage.now);
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
	stage.answer(token(50s, 60s));
	EXPECT_EQ(stage.state(), State::notRenewable);
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
}

TEST(KeeperSilence, TokenOfALongLeaseIsLookedUpEverySixHours)
{
	Stage stage;
	stage.begin(token(768h, 768h)).meet(Grant{768h, false}).forget();
	for (int round = 0; round < 20; ++round) {
		EXPECT_EQ(*stage.keeper.next() - stage.now.boot, 6h - 10ms);
		EXPECT_EQ(stage.take().operation, Operation::lookUp);
		stage.answer(token(768h - round * 6h, 768h));
	}
	EXPECT_THAT(stage.events, testing::IsEmpty());
	EXPECT_EQ(stage.state(), State::active);
}

TEST(KeeperSilence, DoesNotPutOffARenewal)
{
	Stage stage;
	stage.begin(token(24h, 24h)).meet(Grant{24h, false}, 0ms);
	const auto due = *stage.keeper.expiry() - 12h;
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
	stage.answer(token(18h, 24h), 0ms);
	EXPECT_EQ(*stage.keeper.next(), due);
	EXPECT_EQ(stage.take().operation, Operation::renew);
}

TEST(KeeperSilence, RevocationInTheMiddleOfALongLeaseIsKnownWithinHours)
{
	Stage stage;
	stage.begin(token(768h, 768h));
	const auto revoked = stage.now.boot;
	stage.meet(refusal());
	EXPECT_EQ(stage.state(), State::retrying);
	EXPECT_EQ(stage.reason(), Reason::refused);
	EXPECT_LE(stage.now.boot - revoked, 6h);
	EXPECT_EQ(stage.notes.back().level, Level::warn);
	EXPECT_EQ(stage.take().operation, Operation::renew);
}

TEST(KeeperSilence, IsBrokenInEveryStateOfALivingToken)
{
	auto batch = token(768h, 768h);
	batch.batch = true;
	for (const std::vector<Answer>& answers : {std::vector<Answer>{batch}, {token(768h, 768h), policyRefusal()},
			 {token(768h, 768h), Grant{700h, true}}, {token(768h, 768h), refusal(), refusal(), refusal()}}) {
		Stage stage;
		stage.begin();
		for (const auto& answer : answers) {
			stage.meet(answer);
		}
		for (int round = 0; round < 30; ++round) {
			EXPECT_LE(*stage.pause(), 6h);
			stage.meet(answers.back());
		}
	}
}

TEST(KeeperSilence, BurnsNoLimitedUses)
{
	auto facts = token(768h, 768h);
	facts.usesLeft = 3;
	EXPECT_GT(Stage().begin(facts).pause(), 700h);
}

TEST(KeeperRetryAfter, HoldsInDenied)
{
	Stage stage;
	stage.begin(token(60s, 60s)).meet(policyRefusal()).meet(throttled(12s));
	EXPECT_EQ(stage.state(), State::denied);
	EXPECT_EQ(stage.pause(), 12s) << "and not half of what remains";
	stage.meet(throttled(3600s));
	EXPECT_EQ(*stage.keeper.expiry() - *stage.keeper.next(), 500ms) << "nor beyond the last chance";
}

TEST(KeeperRetryAfter, HoldsInExpired)
{
	Stage stage;
	stage.beginRefused().meet(throttled(50min));
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_EQ(stage.pause(), 50min);
	EXPECT_EQ(stage.meet(throttled(1000h)).pause(), 1h) << "since it may have been mended";
}

TEST(KeeperRetryAfter, HoldsForHoursAtMost)
{
	Stage stage;
	stage.begin(token(768h, 768h)).meet(throttled(100h));
	EXPECT_LE(stage.pause(), 6h);
}

TEST(KeeperInvariant, FailedRunIsPlannedAnew)
{
	Stage stage;
	stage.begin(token(60s, 60s)).take();
	EXPECT_EQ(stage.keeper.next(), std::nullopt) << "an answer is awaited";
	stage.keeper.replan(stage.now);
	EXPECT_EQ(stage.pause(), 1s);
	EXPECT_EQ(stage.state(), State::retrying);
	EXPECT_GT(stage.keeper.memory().lease.ifRenewedLatest, stage.keeper.memory().lease.latest)
		<< "it may have been sent";
	EXPECT_EQ(stage.take().operation, Operation::renew);
	stage.answer(Grant{60s, false});
	EXPECT_EQ(stage.state(), State::active);
}

TEST(KeeperInvariant, RunsThatFailForEverAreNotMadeInARow)
{
	Stage stage;
	stage.begin(token(3600s, 3600s)).forget();
	for (int round = 0; round < 10; ++round) {
		stage.take();
		stage.keeper.replan(stage.now);
	}
	EXPECT_GE(stage.pause(), 60s);
}

TEST(KeeperInvariant, RunsThatFailBeyondTheEndAreFollowedByTheFirstProbeOfADeadToken)
{
	Stage stage;
	stage.begin(token(8s, 8s));
	while (stage.state() != State::expired || stage.pause() < 1min) {
		stage.take();
		stage.keeper.replan(stage.now);
		ASSERT_NE(stage.keeper.next(), std::nullopt);
	}
	EXPECT_EQ(stage.pause(), 5min) << "as after any other failure, however many came before";
}

TEST(KeeperInvariant, FailedRunOfACandidateIsPlannedAnew)
{
	Stage stage;
	stage.begin(token(60s, 60s)).wait(1s).hear(stage.keeper.candidateFound(stage.now)).take();
	stage.keeper.replan(stage.now);
	EXPECT_EQ(stage.pause(), 1s);
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.take().token, Token::candidate);
}

TEST(KeeperInvariant, PlanningAnewChangesNoPlan)
{
	for (const std::vector<Answer>& answers : {std::vector<Answer>{token(60s, 60s)}, {token(60s, 60s), away()},
			 {token(60s, 60s), policyRefusal()}, {token(60s, 60s), Grant{20s, true}}, {unreachable()}}) {
		Stage stage;
		stage.begin();
		for (const auto& answer : answers) {
			stage.meet(answer);
		}
		const auto next = stage.keeper.next();
		stage.wait(100ms).keeper.replan(stage.now);
		EXPECT_EQ(stage.keeper.next(), next);
	}
}

TEST(KeeperInvariant, SourceWithoutATokenIsPlannedAnewToo)
{
	Stage stage;
	stage.begin();
	stage.hear(stage.keeper.credentialUnreadable(stage.now, false, "it hangs"));
	EXPECT_EQ(stage.pause(), 1s);
	EXPECT_EQ(stage.reason(), Reason::credentialUnreadable);
}

TEST(KeeperClock, TimesAreToldByThePresentWallClock)
{
	Stage stage;
	stage.begin(token(60s, 60s)).meet(Grant{60s, false}, 0ms);
	const auto before = stage.keeper.snapshot();
	stage.wait(5s);
	stage.now.wall += 1h;
	const auto after = stage.keeper.snapshot(stage.now);
	EXPECT_EQ(*after.expires, *before.expires + 1h);
	EXPECT_EQ(*after.next, *before.next + 1h);
	EXPECT_EQ(*after.lastSuccess, *before.lastSuccess + 1h);
	EXPECT_EQ(*after.lastAttempt, *before.lastAttempt + 1h);
}

TEST(KeeperHandoverFacts, TimesAheadOfThePresentAreNotWaitedFor)
{
	Stage stage;
	stage.begin(token(60s, 60s)).hear(stage.keeper.stopped(stage.now));
	auto memory = stage.keeper.memory();
	memory.retry.asOf += 1000h;
	memory.started += 1000h;
	Stage next;
	next.now = stage.now;
	next.hear(next.keeper.resume(next.now, memory));
	EXPECT_LE(next.pause(), 30s);
}

TEST(KeeperHandoverFacts, OfAnotherTokenOnlyTheCountsAreKept)
{
	Stage stage;
	stage.begin(token(60s, 60s)).meet(Grant{60s, false}).hear(stage.keeper.stopped(stage.now));
	Stage next;
	next.now = stage.now;
	next.wait(1s).hear(next.keeper.resume(next.now, stage.keeper.memory(), false));
	EXPECT_EQ(next.state(), State::starting);
	EXPECT_EQ(next.keeper.snapshot().successes, 1U);
	EXPECT_EQ(next.keeper.snapshot().expires, std::nullopt);
	EXPECT_EQ(next.take().operation, Operation::lookUp);
}

} // namespace
} // namespace issuer::vault::renewal::test
