#include "stage.h"

#include <gmock/gmock.h>

/// A new token is a candidate until the server has accepted it once; meanwhile the one in use is kept alive.
namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A token with a lease of an hour in use, and a new one in the source.
class KeeperCandidate : public testing::Test
{
protected:
	void SetUp() override
	{
		stage.begin(token(3600s, 3600s)).wait(10s).forget();
		stage.hear(stage.keeper.candidateFound(stage.now));
		ASSERT_TRUE(stage.keeper.hasCandidate());
	}

	/// As often as it takes until the server's refusal is believed.
	void refuse(int times)
	{
		for (int time = 0; time < times; ++time) {
			ASSERT_EQ(stage.take().token, Token::candidate);
			stage.answer(refusal());
		}
	}

	Stage stage;
};

TEST_F(KeeperCandidate, IsAskedAboutAtOnceWhileTheTokenInUseStaysSo)
{
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.pause(), 0s);
	const auto attempt = stage.take();
	EXPECT_EQ(attempt.token, Token::candidate);
	EXPECT_EQ(attempt.operation, Operation::lookUp);
	EXPECT_THAT(stage.lines(), ElementsAre(HasSubstr("the token from before stays in use")));
}

TEST_F(KeeperCandidate, IsAdoptedByTheAnswerThatAcceptsIt)
{
	stage.forget().meet(token(600s, 600s));
	EXPECT_FALSE(stage.keeper.hasCandidate());
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.keeper.snapshot().lease, 600s);
	ASSERT_THAT(stage.events, SizeIs(1));
	EXPECT_EQ(stage.events[0].reason, Reason::credentialChanged);
	EXPECT_THAT(stage.events[0].detail, HasSubstr("the credential was replaced: alive until"));
	EXPECT_EQ(stage.take().token, Token::current);
}

TEST_F(KeeperCandidate, ThatAPolicyForbidsToBeLookedUpIsAcceptedAndRenewed)
{
	stage.meet(policyRefusal());
	EXPECT_FALSE(stage.keeper.hasCandidate());
	const auto attempt = stage.take();
	EXPECT_EQ(attempt.token, Token::current);
	EXPECT_EQ(attempt.operation, Operation::renew);
}

TEST_F(KeeperCandidate, ThatIsRefusedIsAskedAgainAfterOneTwoAndFourSecondsAndThenAsARefusedTokenIs)
{
	refuse(1);
	EXPECT_EQ(stage.take().operation, Operation::renew) << "a policy may allow it alone";
	stage.answer(refusal());
	std::vector<Duration> pauses;
	for (int round = 0; round < 6; ++round) {
		pauses.push_back(*stage.pause());
		EXPECT_EQ(stage.take().operation, Operation::lookUp);
		stage.answer(refusal());
	}
	EXPECT_THAT(pauses, ElementsAre(1s, 2s, 4s, 60s, 120s, 240s));
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_TRUE(stage.keeper.hasCandidate());
	EXPECT_EQ(stage.keeper.snapshot().consecutiveFailures, 0U) << "of the token in use";
}

TEST_F(KeeperCandidate, ThatIsRefusedIsToldAtOnceAndWhenItIsBelieved)
{
	stage.forget();
	refuse(8);
	EXPECT_THAT(stage.lines(), testing::Each(HasSubstr("the new token is not in use yet: what the server said")));
	EXPECT_THAT(stage.lines(), SizeIs(2));
	EXPECT_THAT(stage.outcomes(), ElementsAre(Outcome::failure)) << "once it is believed";
}

TEST_F(KeeperCandidate, IsAdoptedAfterARefusalThatHeals)
{
	refuse(3);
	stage.meet(token(600s, 600s));
	EXPECT_FALSE(stage.keeper.hasCandidate());
	EXPECT_EQ(stage.state(), State::active);
}

TEST_F(KeeperCandidate, WhoseLookUpsTellNothingIsRenewedAfterTheSecond)
{
	stage.meet(serverError()).meet(serverError());
	const auto attempt = stage.take();
	EXPECT_EQ(attempt.token, Token::candidate);
	EXPECT_EQ(attempt.operation, Operation::renew);
	stage.answer(Grant{600s, false});
	EXPECT_FALSE(stage.keeper.hasCandidate());
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.keeper.snapshot().lease, 600s);
	EXPECT_EQ(stage.outcomes().back(), Outcome::success);
}

TEST_F(KeeperCandidate, ThatIsNeverAcceptedLetsTheTokenInUseLiveOn)
{
	const auto start = stage.now.boot;
	int renewals = 0;
	while (stage.now.boot < start + 24h) {
		const auto attempt = stage.take();
		if (attempt.token == Token::candidate) {
			stage.answer(refusal());
		}
		else {
			++renewals;
			stage.answer(Grant{3600s, false});
		}
		ASSERT_EQ(stage.state(), State::active);
	}
	EXPECT_GE(renewals, 47);
	EXPECT_LE(stage.starts.size(), 47U + 40U);
}

TEST_F(KeeperCandidate, ThatHangsDoesNotDelayTheRenewalOfTheTokenInUse)
{
	stage.meet(Grant{8s, false}); // a renewal in which the candidate was accepted
	stage.forget().hear(stage.keeper.candidateFound(stage.now));
	for (int round = 0; round < 40; ++round) {
		const auto attempt = stage.take();
		if (attempt.token == Token::candidate) {
			stage.answer(timedOut(), attempt.budget);
		}
		else {
			EXPECT_GT(stage.remains(), 3s);
			stage.answer(Grant{8s, false});
		}
	}
	EXPECT_EQ(stage.state(), State::active);
}

TEST_F(KeeperCandidate, KeepsTheGapToTheRequestsOfTheTokenInUse)
{
	stage.keeper.renewNow(stage.now);
	EXPECT_EQ(stage.take().token, Token::current) << "which goes first";
	stage.answer(Grant{3600s, false}, 0ms);
	EXPECT_EQ(stage.pause(), 500ms);
	EXPECT_EQ(stage.take().token, Token::candidate);
}

TEST_F(KeeperCandidate, IsAskedAboutThoughRenewalsOfTheTokenInUseLeaveNoRoom)
{
	stage.hear(stage.keeper.candidateGone(stage.now));
	stage.meet(Grant{3s, false}, 2900ms).meet(Grant{3s, false}, 2900ms);
	ASSERT_EQ(stage.pause(), 0s) << "a fresh lease is renewed at once";
	stage.hear(stage.keeper.candidateFound(stage.now));
	EXPECT_EQ(stage.take().token, Token::candidate);
	stage.answer(token(60s, 60s));
	EXPECT_FALSE(stage.keeper.hasCandidate());
}

TEST_F(KeeperCandidate, TakesThePlaceOfATokenThatDies)
{
	const auto end = *stage.keeper.expiry();
	while (stage.keeper.hasCandidate() && stage.now.boot < end + 1h) {
		stage.meet(refusal());
	}
	EXPECT_FALSE(stage.keeper.hasCandidate());
	EXPECT_EQ(stage.state(), State::starting);
	EXPECT_THAT(stage.changes(), testing::Contains(State::expired)) << "the other one's end is told";
	stage.meet(refusal());
	EXPECT_EQ(stage.state(), State::expired) << "it was refused often enough before";
}

TEST_F(KeeperCandidate, ThatIsGoneIsAskedAboutNoMore)
{
	stage.take();
	stage.hear(stage.keeper.candidateGone(stage.now)).forget().answer(token(600s, 600s));
	EXPECT_FALSE(stage.keeper.hasCandidate());
	EXPECT_THAT(stage.events, IsEmpty());
	EXPECT_EQ(stage.keeper.snapshot().lease, 3600s);
	EXPECT_EQ(stage.take().token, Token::current);
}

TEST_F(KeeperCandidate, ThatIsReplacedByAnotherBeginsAnew)
{
	refuse(6);
	stage.hear(stage.keeper.candidateFound(stage.now));
	EXPECT_LE(stage.pause(), 500ms);
	stage.meet(token(600s, 600s));
	EXPECT_FALSE(stage.keeper.hasCandidate());
}

TEST_F(KeeperCandidate, IsNotHandedOver)
{
	stage.hear(stage.keeper.stopped(stage.now));
	EXPECT_FALSE(stage.keeper.hasCandidate());
}

TEST(KeeperCandidateBesideADeadToken, IsNotStarvedByTheHopeThatALostAnswerLeft)
{
	Stage stage;
	stage.begin(token(60s, 60s));
	while (stage.state() != State::expired) {
		stage.meet(timedOut(), 10ms);
	}
	while (*stage.pause() > 500ms) {
		stage.meet(unreachable(), 0ms);
	}
	stage.hear(stage.keeper.candidateFound(stage.now));
	ASSERT_TRUE(stage.keeper.hasCandidate()) << "the other one may live";
	for (int round = 0; round < 3 && stage.keeper.hasCandidate(); ++round) {
		stage.take().token == Token::candidate ? stage.answer(token(60s, 60s)) : stage.answer(unreachable(), 0ms);
	}
	EXPECT_FALSE(stage.keeper.hasCandidate());
}

} // namespace
} // namespace issuer::vault::renewal::test
