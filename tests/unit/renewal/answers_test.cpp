#include "stage.h"

#include <gmock/gmock.h>

/// One test for each row of "what an answer means".
namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A token with a lease of an hour, whose first renewal is due.
class KeeperAnswers : public testing::Test
{
protected:
	void SetUp() override { stage.begin(token(3600s, 3600s)).forget().take(); }

	void refuseUntilALookUp(const Answer& refusal)
	{
		do {
			stage.answer(refusal);
		} while (stage.take().operation == Operation::renew && stage.starts.size() < 100);
	}

	Stage stage;
};

TEST_F(KeeperAnswers, GrantIsSuccess)
{
	stage.answer(Grant{3600s, false});
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::success));
	EXPECT_THAT(stage.changes(), IsEmpty()) << "nothing has changed";
	EXPECT_EQ(stage.events[0].attempt, 1U);
	EXPECT_EQ(stage.events[0].latency, 10ms);
	EXPECT_EQ(*stage.events[0].ttl, 3600s - 5ms) << "the middle of what is possible";
	EXPECT_EQ(stage.pause(), 1800s - 10ms) << "counted from when it was sent";
	EXPECT_EQ(stage.keeper.snapshot().lastSuccess, stage.now.wall);
}

TEST_F(KeeperAnswers, ChangedLeaseIsFollowedAndTold)
{
	stage.answer(Grant{1800s, false});
	EXPECT_EQ(stage.pause(), 900s - 10ms);
	EXPECT_THAT(stage.changes(), ElementsAre(State::active));
}

TEST_F(KeeperAnswers, LeaseThatChangedByLessThanATenthIsNotTold)
{
	stage.answer(Grant{3300s, false});
	EXPECT_EQ(stage.pause(), 1650s - 10ms);
	EXPECT_THAT(stage.changes(), IsEmpty());
}

TEST_F(KeeperAnswers, ShorterGrantIsTheNewEndEvenBeforeTheOldOne)
{
	stage.answer(Grant{10s, false});
	EXPECT_EQ(stage.remains(), 10s - 10ms) << "servers count from the renewal, not from the old end";
}

TEST_F(KeeperAnswers, NotRenewableIsToldOnce)
{
	stage.answer(trouble(Trouble::Kind::notRenewable, Reason::notRenewable));
	EXPECT_EQ(stage.state(), State::notRenewable);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::notRenewable));
	EXPECT_EQ(*stage.keeper.next(), *stage.keeper.expiry() + 2500ms + 10ms) << "at the very end";
}

TEST_F(KeeperAnswers, BatchIsNotRenewable)
{
	stage.answer(trouble(Trouble::Kind::batch, Reason::batch));
	EXPECT_EQ(stage.state(), State::notRenewable);
	EXPECT_EQ(stage.reason(), Reason::batch);
}

TEST_F(KeeperAnswers, MissingLeaseDoesNotOverruleALookUpThatNamedAnEnd)
{
	const auto end = stage.keeper.expiry();
	stage.answer(trouble(Trouble::Kind::noLease, Reason::none));
	EXPECT_EQ(stage.state(), State::retrying);
	EXPECT_EQ(stage.keeper.expiry(), end);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_EQ(stage.pause(), 1s);
}

TEST(KeeperAnswersAtStart, TokenWithoutALeaseNeverExpires)
{
	Stage stage;
	stage.begin(policyRefusal()).meet(trouble(Trouble::Kind::noLease, Reason::none));
	EXPECT_EQ(stage.state(), State::noExpiry);
	EXPECT_THAT(stage.outcomes(), IsEmpty());
	EXPECT_EQ(stage.keeper.next(), std::nullopt);
}

TEST_F(KeeperAnswers, PolicyRefusalIsDenialAndIsAskedAgainAtHalfOfWhatRemains)
{
	stage.answer(policyRefusal());
	EXPECT_EQ(stage.state(), State::denied);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_EQ(*stage.pause(), stage.remains() / 2);
	stage.meet(policyRefusal());
	EXPECT_EQ(*stage.pause(), stage.remains() / 2);
	EXPECT_THAT(stage.changes(), ElementsAre(State::denied)) << "once";
}

TEST_F(KeeperAnswers, MendedDenialRecovers)
{
	stage.answer(policyRefusal()).meet(Grant{3600s, false});
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.lastEvent().state, State::active);
	EXPECT_EQ(stage.events[2].attempt, 2U);
}

TEST_F(KeeperAnswers, DenialLastsUntilTheEndAndEndsInDeath)
{
	stage.answer(policyRefusal());
	const auto end = *stage.keeper.expiry();
	stage.meetUntil(end, policyRefusal());
	EXPECT_EQ(stage.state(), State::denied);
	EXPECT_LT(stage.starts.size(), 15U);
	stage.meet(refusal());
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_EQ(stage.reason(), Reason::expired);
}

TEST_F(KeeperAnswers, DenialMendedInTheLastMomentSavesTheToken)
{
	stage.answer(policyRefusal());
	const auto end = *stage.keeper.expiry();
	stage.meetUntil(end - 1010ms, policyRefusal()).meet(Grant{3600s, false});
	EXPECT_LE(stage.now.boot, end);
	EXPECT_EQ(stage.state(), State::active);
}

TEST_F(KeeperAnswers, ServerThatIsAwayWhileDeniedTakesNothingBack)
{
	stage.answer(policyRefusal()).meet(away());
	EXPECT_EQ(stage.state(), State::denied);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::failure, Outcome::failure));
}

TEST_F(KeeperAnswers, DenialAtTheEndIsASignOfLifeAndALookUpTellsHowLong)
{
	refuseUntilALookUp(policyRefusal());
	stage.answer(token(1800s, 3600s));
	EXPECT_EQ(stage.state(), State::denied);
	EXPECT_GT(stage.remains(), 1790s) << "somebody else has renewed it";
}

TEST_F(KeeperAnswers, DenialAtTheEndThatMayNotBeLookedUpLeavesTheEndUnknown)
{
	refuseUntilALookUp(policyRefusal());
	stage.answer(policyRefusal());
	EXPECT_EQ(stage.state(), State::denied);
	EXPECT_EQ(stage.keeper.snapshot().expires, std::nullopt);
	EXPECT_EQ(stage.pause(), 60s);
}

TEST_F(KeeperAnswers, DenialAfterALostAnswerIsProofThatItBroughtMore)
{
	const auto perhaps = stage.starts.back() + 3600s;
	stage.answer(timedOut(), 30s).meet(policyRefusal());
	stage.meetUntil(*stage.keeper.expiry() + 3s, policyRefusal());
	EXPECT_EQ(stage.state(), State::denied);
	EXPECT_EQ(*stage.keeper.expiry(), perhaps - 2s);
}

TEST_F(KeeperAnswers, DenialWithinTheRoundingOfALookUpIsNoProofThatALostAnswerBroughtMore)
{
	stage.answer(unclearRefusal()).meet(token(20s, 3600s));
	const auto shown = stage.now.boot + 20s;
	stage.meet(timedOut()).meetUntil(shown + 1450ms, policyRefusal());
	EXPECT_LT(*stage.keeper.expiry(), shown + 1450ms);
}

TEST_F(KeeperAnswers, UnknownRefusalOfTheDeadIsDeathAtOnce)
{
	stage.answer(unclearRefusal()).meet(token(1799s, 3600s));
	const auto end = *stage.keeper.expiry();
	stage.take();
	refuseUntilALookUp(unclearRefusal());
	stage.answer(refusal());
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_LT(stage.now.boot, end + 4s) << "and not an hour later";
}

TEST_F(KeeperAnswers, DeniedTokenIsCalledDeadAtItsEndThoughTheServerIsAway)
{
	stage.answer(policyRefusal());
	const auto end = *stage.keeper.expiry();
	stage.meetUntil(end + 4s, timedOut(), 500ms);
	EXPECT_EQ(stage.state(), State::expired);
}

TEST_F(KeeperAnswers, RefusalBeforeTheEndIsRetriedAfterAMinuteDoubling)
{
	stage.answer(refusal());
	EXPECT_EQ(stage.state(), State::retrying);
	EXPECT_EQ(stage.reason(), Reason::refused);
	EXPECT_EQ(stage.pause(), 60s);
	EXPECT_EQ(stage.meet(refusal()).pause(), 120s);
	EXPECT_EQ(stage.meet(refusal()).pause(), 240s);
	stage.meet(Grant{3600s, false});
	EXPECT_EQ(stage.state(), State::active) << "a wrong source address, a disabled entity: they heal";
}

TEST_F(KeeperAnswers, RefusalsAreRareInALongRowHoweverManyOtherFailuresInterruptIt)
{
	stage.answer(Grant{768h, false}).waitUntil(*stage.keeper.expiry() - 384h);
	while (stage.remains() > 384h - 24h) {
		stage.meet(refusal()).meet(timedOut());
	}
	EXPECT_LE(stage.starts.size(), 2U * 120) << "and not one each minute";
	EXPECT_GE(stage.meet(refusal()).pause(), 1h);
}

TEST_F(KeeperAnswers, RefusalAtTheEndIsDeath)
{
	stage.answer(refusal());
	const auto end = *stage.keeper.expiry();
	stage.meetUntil(end, refusal());
	EXPECT_EQ(stage.state(), State::retrying);
	stage.meet(refusal());
	EXPECT_EQ(stage.state(), State::expired);
}

TEST_F(KeeperAnswers, ShortLifeIsRetriedAtAQuarterOfItWhenRefused)
{
	stage.answer(Grant{60s, false}).meet(refusal());
	EXPECT_EQ(*stage.pause(), stage.remains() / 4);
}

TEST_F(KeeperAnswers, GoneIsRetriedAsARefusal)
{
	stage.answer(trouble(Trouble::Kind::gone, Reason::refused));
	EXPECT_EQ(stage.state(), State::retrying);
	EXPECT_EQ(stage.pause(), 60s);
}

TEST_F(KeeperAnswers, UnknownRefusalIsDiagnosedByOneLookUp)
{
	stage.answer(unclearRefusal());
	EXPECT_EQ(stage.pause(), 490ms) << "after the gap";
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
}

TEST_F(KeeperAnswers, UnknownRefusalOfALiveTokenIsDenial)
{
	stage.answer(unclearRefusal()).meet(token(1799s, 3600s));
	EXPECT_EQ(stage.state(), State::denied);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::failure)) << "the look-up is no attempt to renew";
	EXPECT_EQ(stage.take().operation, Operation::renew);
	stage.answer(unclearRefusal());
	EXPECT_EQ(stage.state(), State::denied);
	EXPECT_EQ(stage.take().operation, Operation::renew) << "diagnosed once";
}

TEST_F(KeeperAnswers, UnknownRefusalOfATokenThatIsRefusedToo)
{
	stage.answer(unclearRefusal()).meet(unclearRefusal());
	EXPECT_EQ(stage.state(), State::retrying);
	EXPECT_EQ(stage.pause(), 60s);
	EXPECT_EQ(stage.take().operation, Operation::renew);
	stage.answer(unclearRefusal());
	EXPECT_EQ(stage.take().operation, Operation::renew) << "diagnosed once";
}

TEST_F(KeeperAnswers, DiagnosisThatGetsNoAnswerIsNoVerdict)
{
	stage.answer(unclearRefusal()).meet(away());
	EXPECT_EQ(stage.state(), State::retrying);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_EQ(stage.take().operation, Operation::renew);
}

TEST_F(KeeperAnswers, WrappedGrantIsSuccessOnceALookUpHasToldTheLease)
{
	stage.answer(WrappedGrant{});
	EXPECT_THAT(stage.outcomes(), IsEmpty());
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
	stage.answer(token(3599s, 3600s));
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::success));
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_GT(stage.remains(), 3590s);
}

TEST_F(KeeperAnswers, WrappedGrantThatMayNotBeLookedUpBringsWhatEachGrantDid)
{
	stage.answer(WrappedGrant{}).meet(policyRefusal());
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::success));
	EXPECT_GT(stage.remains(), 3590s);
	EXPECT_LT(stage.remains(), 3600s);
}

TEST_F(KeeperAnswers, WrappedGrantIsLookedUpUntilThereIsAnAnswer)
{
	stage.answer(WrappedGrant{}).meet(away());
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_EQ(stage.state(), State::retrying);
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
	stage.answer(token(3590s, 3600s));
	EXPECT_EQ(stage.state(), State::active);
}

TEST_F(KeeperAnswers, WrappedGrantWhoseLookUpsTellNothingBringsWhatEachGrantDid)
{
	stage.answer(WrappedGrant{}).meet(serverError());
	EXPECT_EQ(stage.state(), State::retrying);
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
	stage.answer(serverError());
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::failure, Outcome::success));
	EXPECT_GT(stage.remains(), 3590s);
}

TEST_F(KeeperAnswers, WrappedGrantThatIsLookedUpLateWasAsLongAsEach)
{
	stage.answer(WrappedGrant{}).meet(unreachable()).wait(100s).meet(token(3498s, 3600s));
	EXPECT_EQ(stage.keeper.snapshot().lease, 3600s);
}

TEST_F(KeeperAnswers, StopIsNoFailure)
{
	stage.answer(trouble(Trouble::Kind::cancelled, Reason::none)).hear(stage.keeper.stopped(stage.now));
	EXPECT_THAT(stage.outcomes(), IsEmpty());
	EXPECT_THAT(stage.changes(), ElementsAre(State::stopped));
	EXPECT_EQ(stage.keeper.snapshot().failures, 0U);
}

TEST_F(KeeperAnswers, RenewalsGoOnOverStandbysThatLookUpByThemselves)
{
	stage.answer(Trouble{Trouble::Kind::serverAway, Reason::server, std::nullopt, "HTTP 307"});
	EXPECT_EQ(stage.take().operation, Operation::renew) << "a good look-up says nothing about renewals";
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
	Stage stage;
	stage.begin(token(3600s, 3600s)).forget().meet(trouble(GetParam().kind, GetParam().reason));
	EXPECT_EQ(stage.state(), State::retrying);
	EXPECT_EQ(stage.reason(), GetParam().reason);
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_THAT(stage.changes(), ElementsAre(State::retrying));
	EXPECT_EQ(stage.pause(), 1s);
	EXPECT_EQ(stage.take().operation, Operation::renew);
	stage.answer(Grant{3600s, false});
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.lastEvent().state, State::active);
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
