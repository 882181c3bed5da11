#include "keeper_fixture.h"

#include <gmock/gmock.h>

/// One test for each row of the table "What an answer means" in renewal.md.
namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A token with a lease of an hour, whose first renewal is due.
class KeeperAnswers : public testing::Test
{
protected:
	void SetUp() override { fixture.begin(token(3600s, 3600s)).forget().take(); }

	void refuseUntilALookUp(const Answer& refusal)
	{
		do {
			fixture.answer(refusal);
		} while (fixture.take().operation == Operation::renew && fixture.starts.size() < 100);
	}

	KeeperFixture fixture;
};

TEST_F(KeeperAnswers, GrantIsSuccess)
{
	fixture.answer(Grant{3600s, false});
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::success));
	EXPECT_THAT(fixture.changes(), IsEmpty()) << "nothing has changed";
	EXPECT_EQ(fixture.events[0].attempt, 1U);
	EXPECT_EQ(fixture.events[0].latency, 10ms);
	EXPECT_EQ(*fixture.events[0].ttl, 3600s - 5ms) << "the middle of what is possible";
	EXPECT_EQ(fixture.pause(), 1800s - 10ms) << "counted from when it was sent";
	EXPECT_EQ(fixture.keeper.snapshot().lastSuccess, fixture.now.wall);
}

TEST_F(KeeperAnswers, ChangedLeaseIsFollowedAndTold)
{
	fixture.answer(Grant{1800s, false});
	EXPECT_EQ(fixture.pause(), 900s - 10ms);
	EXPECT_THAT(fixture.changes(), ElementsAre(State::active));
}

TEST_F(KeeperAnswers, LeaseThatChangedByLessThanATenthIsNotTold)
{
	fixture.answer(Grant{3300s, false});
	EXPECT_EQ(fixture.pause(), 1650s - 10ms);
	EXPECT_THAT(fixture.changes(), IsEmpty());
}

TEST_F(KeeperAnswers, ShorterGrantIsTheNewEndEvenBeforeTheOldOne)
{
	fixture.answer(Grant{10s, false});
	EXPECT_EQ(fixture.remains(), 10s - 10ms) << "servers count from the renewal, not from the old end";
}

TEST_F(KeeperAnswers, NotRenewableIsToldOnce)
{
	fixture.answer(trouble(Trouble::Kind::notRenewable, Reason::notRenewable));
	EXPECT_EQ(fixture.state(), State::notRenewable);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::notRenewable));
	EXPECT_EQ(*fixture.keeper.next(), *fixture.keeper.expiry() + 2500ms + 10ms) << "at the very end";
}

TEST_F(KeeperAnswers, BatchIsNotRenewable)
{
	fixture.answer(trouble(Trouble::Kind::batch, Reason::batch));
	EXPECT_EQ(fixture.state(), State::notRenewable);
	EXPECT_EQ(fixture.reason(), Reason::batch);
}

TEST_F(KeeperAnswers, MissingLeaseDoesNotOverruleALookUpThatNamedAnEnd)
{
	const auto end = fixture.keeper.expiry();
	fixture.answer(trouble(Trouble::Kind::noLease, Reason::none));
	EXPECT_EQ(fixture.state(), State::retrying);
	EXPECT_EQ(fixture.keeper.expiry(), end);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_EQ(fixture.pause(), 1s);
}

TEST(KeeperAnswersAtStart, TokenWithoutALeaseNeverExpires)
{
	KeeperFixture fixture;
	fixture.begin(policyRefusal()).meet(trouble(Trouble::Kind::noLease, Reason::none));
	EXPECT_EQ(fixture.state(), State::noExpiry);
	EXPECT_THAT(fixture.outcomes(), IsEmpty());
	EXPECT_EQ(fixture.keeper.next(), std::nullopt);
}

TEST_F(KeeperAnswers, PolicyRefusalIsDenialAndIsAskedAgainAtHalfOfWhatRemains)
{
	fixture.answer(policyRefusal());
	EXPECT_EQ(fixture.state(), State::denied);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_EQ(*fixture.pause(), fixture.remains() / 2);
	fixture.meet(policyRefusal());
	EXPECT_EQ(*fixture.pause(), fixture.remains() / 2);
	EXPECT_THAT(fixture.changes(), ElementsAre(State::denied)) << "once";
}

TEST_F(KeeperAnswers, MendedDenialRecovers)
{
	fixture.answer(policyRefusal()).meet(Grant{3600s, false});
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.lastEvent().state, State::active);
	EXPECT_EQ(fixture.events[2].attempt, 2U);
}

TEST_F(KeeperAnswers, DenialLastsUntilTheEndAndEndsInDeath)
{
	fixture.answer(policyRefusal());
	const auto end = *fixture.keeper.expiry();
	fixture.meetUntil(end, policyRefusal());
	EXPECT_EQ(fixture.state(), State::denied);
	EXPECT_LT(fixture.starts.size(), 15U);
	fixture.meet(refusal());
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_EQ(fixture.reason(), Reason::expired);
}

TEST_F(KeeperAnswers, DenialMendedInTheLastMomentSavesTheToken)
{
	fixture.answer(policyRefusal());
	const auto end = *fixture.keeper.expiry();
	fixture.meetUntil(end - 1010ms, policyRefusal()).meet(Grant{3600s, false});
	EXPECT_LE(fixture.now.boot, end);
	EXPECT_EQ(fixture.state(), State::active);
}

TEST_F(KeeperAnswers, ServerThatIsAwayWhileDeniedTakesNothingBack)
{
	fixture.answer(policyRefusal()).meet(away());
	EXPECT_EQ(fixture.state(), State::denied);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::failure, Outcome::failure));
}

TEST_F(KeeperAnswers, DenialAtTheEndIsASignOfLifeAndALookUpTellsHowLong)
{
	refuseUntilALookUp(policyRefusal());
	fixture.answer(token(1800s, 3600s));
	EXPECT_EQ(fixture.state(), State::denied);
	EXPECT_GT(fixture.remains(), 1790s) << "another client has renewed it";
}

TEST_F(KeeperAnswers, DenialAtTheEndThatMayNotBeLookedUpLeavesTheEndUnknown)
{
	refuseUntilALookUp(policyRefusal());
	fixture.answer(policyRefusal());
	EXPECT_EQ(fixture.state(), State::denied);
	EXPECT_EQ(fixture.keeper.snapshot().expires, std::nullopt);
	EXPECT_EQ(fixture.pause(), 60s);
}

TEST_F(KeeperAnswers, DenialAfterALostAnswerIsProofThatItBroughtMore)
{
	const auto perhaps = fixture.starts.back() + 3600s;
	fixture.answer(timedOut(), 30s).meet(policyRefusal());
	fixture.meetUntil(*fixture.keeper.expiry() + 3s, policyRefusal());
	EXPECT_EQ(fixture.state(), State::denied);
	EXPECT_EQ(*fixture.keeper.expiry(), perhaps - 2s);
}

TEST_F(KeeperAnswers, DenialWithinTheRoundingOfALookUpIsNoProofThatALostAnswerBroughtMore)
{
	fixture.answer(unclearRefusal()).meet(token(20s, 3600s));
	const auto shown = fixture.now.boot + 20s;
	fixture.meet(timedOut()).meetUntil(shown + 1450ms, policyRefusal());
	EXPECT_LT(*fixture.keeper.expiry(), shown + 1450ms);
}

TEST_F(KeeperAnswers, UnknownRefusalOfTheDeadIsDeathAtOnce)
{
	fixture.answer(unclearRefusal()).meet(token(1799s, 3600s));
	const auto end = *fixture.keeper.expiry();
	fixture.take();
	refuseUntilALookUp(unclearRefusal());
	fixture.answer(refusal());
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_LT(fixture.now.boot, end + 4s) << "and not an hour later";
}

TEST_F(KeeperAnswers, DeniedTokenIsCalledDeadAtItsEndThoughTheServerIsAway)
{
	fixture.answer(policyRefusal());
	const auto end = *fixture.keeper.expiry();
	fixture.meetUntil(end + 4s, timedOut(), 500ms);
	EXPECT_EQ(fixture.state(), State::expired);
}

TEST_F(KeeperAnswers, RefusalBeforeTheEndIsRetriedAfterAMinuteDoubling)
{
	fixture.answer(refusal());
	EXPECT_EQ(fixture.state(), State::retrying);
	EXPECT_EQ(fixture.reason(), Reason::refused);
	EXPECT_EQ(fixture.pause(), 60s);
	EXPECT_EQ(fixture.meet(refusal()).pause(), 120s);
	EXPECT_EQ(fixture.meet(refusal()).pause(), 240s);
	fixture.meet(Grant{3600s, false});
	EXPECT_EQ(fixture.state(), State::active) << "a wrong source address, a disabled entity: they heal";
}

TEST_F(KeeperAnswers, RefusalsAreRareInALongRowHoweverManyOtherFailuresInterruptIt)
{
	fixture.answer(Grant{768h, false}).waitUntil(*fixture.keeper.expiry() - 384h);
	while (fixture.remains() > 384h - 24h) {
		fixture.meet(refusal()).meet(timedOut());
	}
	EXPECT_LE(fixture.starts.size(), 2U * 120) << "and not one each minute";
	EXPECT_GE(fixture.meet(refusal()).pause(), 1h);
}

TEST_F(KeeperAnswers, RefusalAtTheEndIsDeath)
{
	fixture.answer(refusal());
	const auto end = *fixture.keeper.expiry();
	fixture.meetUntil(end, refusal());
	EXPECT_EQ(fixture.state(), State::retrying);
	fixture.meet(refusal());
	EXPECT_EQ(fixture.state(), State::expired);
}

TEST_F(KeeperAnswers, ShortLifeIsRetriedAtAQuarterOfItWhenRefused)
{
	fixture.answer(Grant{60s, false}).meet(refusal());
	EXPECT_EQ(*fixture.pause(), fixture.remains() / 4);
}

TEST_F(KeeperAnswers, GoneIsRetriedAsARefusal)
{
	fixture.answer(trouble(Trouble::Kind::gone, Reason::refused));
	EXPECT_EQ(fixture.state(), State::retrying);
	EXPECT_EQ(fixture.pause(), 60s);
}

TEST_F(KeeperAnswers, UnknownRefusalIsDiagnosedByOneLookUp)
{
	fixture.answer(unclearRefusal());
	EXPECT_EQ(fixture.pause(), 490ms) << "after the gap";
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
}

TEST_F(KeeperAnswers, UnknownRefusalOfALiveTokenIsDenial)
{
	fixture.answer(unclearRefusal()).meet(token(1799s, 3600s));
	EXPECT_EQ(fixture.state(), State::denied);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::failure)) << "the look-up is no attempt to renew";
	EXPECT_EQ(fixture.take().operation, Operation::renew);
	fixture.answer(unclearRefusal());
	EXPECT_EQ(fixture.state(), State::denied);
	EXPECT_EQ(fixture.take().operation, Operation::renew) << "diagnosed once";
}

TEST_F(KeeperAnswers, UnknownRefusalOfATokenThatIsRefusedToo)
{
	fixture.answer(unclearRefusal()).meet(unclearRefusal());
	EXPECT_EQ(fixture.state(), State::retrying);
	EXPECT_EQ(fixture.pause(), 60s);
	EXPECT_EQ(fixture.take().operation, Operation::renew);
	fixture.answer(unclearRefusal());
	EXPECT_EQ(fixture.take().operation, Operation::renew) << "diagnosed once";
}

TEST_F(KeeperAnswers, UnknownRefusalAndDiagnosisWithoutAnswerDoNotChaseEachOtherPastTheEnd)
{
	fixture.answer(unclearRefusal()).meet(token(1799s, 3600s)); // denied
	fixture.meetUntil(*fixture.keeper.expiry() + 1min, timedOut());
	ASSERT_EQ(fixture.state(), State::expired);
	ASSERT_TRUE(fixture.keeper.memory().lease.mayLastBeyond(fixture.now.boot)) << "as a renewal may have come through";
	fixture.starts.clear();
	const auto begun = fixture.now.boot;
	while (fixture.now.boot < begun + 10min) {
		fixture.take().operation == Operation::renew ? fixture.answer(unclearRefusal()) : fixture.answer(away());
	}
	EXPECT_LT(fixture.starts.size(), 60);
}

TEST_F(KeeperAnswers, DiagnosisThatGetsNoAnswerIsNoVerdict)
{
	fixture.answer(unclearRefusal()).meet(away());
	EXPECT_EQ(fixture.state(), State::retrying);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_EQ(fixture.take().operation, Operation::renew);
}

TEST_F(KeeperAnswers, WrappedGrantIsSuccessOnceALookUpHasToldTheLease)
{
	fixture.answer(WrappedGrant{});
	EXPECT_THAT(fixture.outcomes(), IsEmpty());
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	fixture.answer(token(3599s, 3600s));
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::success));
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_GT(fixture.remains(), 3590s);
}

TEST_F(KeeperAnswers, WrappedGrantThatMayNotBeLookedUpBringsWhatEachGrantDid)
{
	fixture.answer(WrappedGrant{}).meet(policyRefusal());
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::success));
	EXPECT_GT(fixture.remains(), 3590s);
	EXPECT_LT(fixture.remains(), 3600s);
}

TEST_F(KeeperAnswers, WrappedGrantIsLookedUpUntilThereIsAnAnswer)
{
	fixture.answer(WrappedGrant{}).meet(away());
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_EQ(fixture.state(), State::retrying);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	fixture.answer(token(3590s, 3600s));
	EXPECT_EQ(fixture.state(), State::active);
}

TEST_F(KeeperAnswers, WrappedGrantWhoseLookUpsTellNothingBringsWhatEachGrantDid)
{
	fixture.answer(WrappedGrant{}).meet(serverError());
	EXPECT_EQ(fixture.state(), State::retrying);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	fixture.answer(serverError());
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::failure, Outcome::success));
	EXPECT_GT(fixture.remains(), 3590s);
}

TEST_F(KeeperAnswers, WrappedGrantThatIsLookedUpLateWasAsLongAsEach)
{
	fixture.answer(WrappedGrant{}).meet(unreachable()).wait(100s).meet(token(3498s, 3600s));
	EXPECT_EQ(fixture.keeper.snapshot().lease, 3600s);
}

TEST_F(KeeperAnswers, LookUpAfterALostAnswerIsNotCutToTheEndThatWasKnownBefore)
{
	fixture.answer(Grant{60s, false}, 0ms);
	const auto before = fixture.now.boot + 60s;
	fixture.wait(1s).keeper.renewNow(fixture.now);
	fixture.meet(timedOut(), 0ms).meet(unclearRefusal(), 0ms); // it was renewed until 61 s
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	fixture.answer(token(58s, 60s), 0ms);
	EXPECT_GT(fixture.keeper.memory().lease.latest, before);
}

TEST_F(KeeperAnswers, StopIsNoFailure)
{
	fixture.answer(trouble(Trouble::Kind::cancelled, Reason::none)).hear(fixture.keeper.stopped(fixture.now));
	EXPECT_THAT(fixture.outcomes(), IsEmpty());
	EXPECT_THAT(fixture.changes(), ElementsAre(State::stopped));
	EXPECT_EQ(fixture.keeper.snapshot().failures, 0U);
}

TEST_F(KeeperAnswers, RenewalsGoOnOverStandbysThatLookUpByThemselves)
{
	fixture.answer(Trouble{Trouble::Kind::serverAway, Reason::server, std::nullopt, "HTTP 307"});
	EXPECT_EQ(fixture.take().operation, Operation::renew) << "a good look-up says nothing about renewals";
}

struct Passing
{
	const char* name;
	Trouble::Kind kind;
	Reason reason;
};

class KeeperPassingTrouble : public testing::TestWithParam<Passing>
{
};

TEST_P(KeeperPassingTrouble, IsNoVerdictOnTheTokenAndIsTriedAgainSoon)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).forget().meet(trouble(GetParam().kind, GetParam().reason));
	EXPECT_EQ(fixture.state(), State::retrying);
	EXPECT_EQ(fixture.reason(), GetParam().reason);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_THAT(fixture.changes(), ElementsAre(State::retrying));
	EXPECT_EQ(fixture.pause(), 1s);
	EXPECT_EQ(fixture.take().operation, Operation::renew);
	fixture.answer(Grant{3600s, false});
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.lastEvent().state, State::active);
}

INSTANTIATE_TEST_SUITE_P(Kinds, KeeperPassingTrouble,
	testing::Values(Passing{"Throttled", Trouble::Kind::throttled, Reason::throttled},
		Passing{"Sealed", Trouble::Kind::serverAway, Reason::sealed},
		Passing{"ServerAway", Trouble::Kind::serverAway, Reason::server},
		Passing{"Malformed", Trouble::Kind::malformed, Reason::malformed},
		Passing{"Configuration", Trouble::Kind::configuration, Reason::config},
		Passing{"Certificate", Trouble::Kind::configuration, Reason::tls},
		Passing{"Network", Trouble::Kind::transport, Reason::network},
		Passing{"Timeout", Trouble::Kind::transport, Reason::timeout}),
	[](const auto& instance) { return std::string(instance.param.name); });

} // namespace
} // namespace issuer::vault::renewal::test
