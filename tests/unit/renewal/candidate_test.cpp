#include "keeper_fixture.h"

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
		fixture.begin(token(3600s, 3600s)).wait(10s).forget();
		fixture.hear(fixture.keeper.candidateFound(fixture.now));
		ASSERT_TRUE(fixture.keeper.hasCandidate());
	}

	/// As often as it takes until the server's refusal is believed.
	void refuse(int times)
	{
		for (int time = 0; time < times; ++time) {
			ASSERT_EQ(fixture.take().token, Token::candidate);
			fixture.answer(refusal());
		}
	}

	KeeperFixture fixture;
};

TEST_F(KeeperCandidate, IsAskedAboutAtOnceWhileTheTokenInUseStaysSo)
{
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.pause(), 0s);
	const auto attempt = fixture.take();
	EXPECT_EQ(attempt.token, Token::candidate);
	EXPECT_EQ(attempt.operation, Operation::lookUp);
	EXPECT_THAT(fixture.lines(), ElementsAre(HasSubstr("the token from before stays in use")));
}

TEST_F(KeeperCandidate, IsAdoptedByTheAnswerThatAcceptsIt)
{
	fixture.forget().meet(token(600s, 600s));
	EXPECT_FALSE(fixture.keeper.hasCandidate());
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.keeper.snapshot().lease, 600s);
	ASSERT_THAT(fixture.events, SizeIs(1));
	EXPECT_EQ(fixture.events[0].reason, Reason::credentialChanged);
	EXPECT_THAT(fixture.events[0].detail, HasSubstr("the credential was replaced: alive until"));
	EXPECT_EQ(fixture.take().token, Token::current);
}

TEST_F(KeeperCandidate, ThatAPolicyForbidsToBeLookedUpIsAcceptedAndRenewed)
{
	fixture.meet(policyRefusal());
	EXPECT_FALSE(fixture.keeper.hasCandidate());
	const auto attempt = fixture.take();
	EXPECT_EQ(attempt.token, Token::current);
	EXPECT_EQ(attempt.operation, Operation::renew);
}

TEST_F(KeeperCandidate, ThatIsRefusedIsAskedAgainAfterOneTwoAndFourSecondsAndThenAsARefusedTokenIs)
{
	refuse(1);
	EXPECT_EQ(fixture.take().operation, Operation::renew) << "a policy may allow it alone";
	fixture.answer(refusal());
	std::vector<Duration> pauses;
	for (int round = 0; round < 6; ++round) {
		pauses.push_back(*fixture.pause());
		EXPECT_EQ(fixture.take().operation, Operation::lookUp);
		fixture.answer(refusal());
	}
	EXPECT_THAT(pauses, ElementsAre(1s, 2s, 4s, 60s, 120s, 240s));
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_TRUE(fixture.keeper.hasCandidate());
	EXPECT_EQ(fixture.keeper.snapshot().consecutiveFailures, 0U) << "of the token in use";
}

TEST_F(KeeperCandidate, ThatIsRefusedIsToldAtOnceAndWhenItIsBelieved)
{
	fixture.forget();
	refuse(8);
	EXPECT_THAT(fixture.lines(), testing::Each(HasSubstr("the new token is not in use yet: what the server said")));
	EXPECT_THAT(fixture.lines(), SizeIs(2));
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::failure)) << "once it is believed";
}

TEST_F(KeeperCandidate, IsAdoptedAfterARefusalThatHeals)
{
	refuse(3);
	fixture.meet(token(600s, 600s));
	EXPECT_FALSE(fixture.keeper.hasCandidate());
	EXPECT_EQ(fixture.state(), State::active);
}

TEST_F(KeeperCandidate, WhoseLookUpsTellNothingIsRenewedAfterTheSecond)
{
	fixture.meet(serverError()).meet(serverError());
	const auto attempt = fixture.take();
	EXPECT_EQ(attempt.token, Token::candidate);
	EXPECT_EQ(attempt.operation, Operation::renew);
	fixture.answer(Grant{600s, false});
	EXPECT_FALSE(fixture.keeper.hasCandidate());
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.keeper.snapshot().lease, 600s);
	EXPECT_EQ(fixture.outcomes().back(), Outcome::success);
}

TEST_F(KeeperCandidate, WhoseLookUpsTellNothingIsRenewedAtOnceAfterTheSecond)
{
	fixture.hear(fixture.keeper.candidateFound(fixture.now)).meet(serverError());
	EXPECT_EQ(fixture.pause(), 1s);
	EXPECT_LT(*fixture.meet(serverError()).pause(), 1s);
}

TEST_F(KeeperCandidate, ThatIsNeverAcceptedLetsTheTokenInUseLiveOn)
{
	const auto start = fixture.now.boot;
	int renewals = 0;
	while (fixture.now.boot < start + 24h) {
		const auto attempt = fixture.take();
		if (attempt.token == Token::candidate) {
			fixture.answer(refusal());
		}
		else {
			++renewals;
			fixture.answer(Grant{3600s, false});
		}
		ASSERT_EQ(fixture.state(), State::active);
	}
	EXPECT_GE(renewals, 47);
	EXPECT_LE(fixture.starts.size(), 47U + 40U);
}

TEST_F(KeeperCandidate, ThatHangsDoesNotDelayTheRenewalOfTheTokenInUse)
{
	fixture.meet(Grant{8s, false}); // a renewal in which the candidate was accepted
	fixture.forget().hear(fixture.keeper.candidateFound(fixture.now));
	for (int round = 0; round < 40; ++round) {
		const auto attempt = fixture.take();
		if (attempt.token == Token::candidate) {
			fixture.answer(timedOut(), attempt.budget);
		}
		else {
			EXPECT_GT(fixture.remains(), 3s);
			fixture.answer(Grant{8s, false});
		}
	}
	EXPECT_EQ(fixture.state(), State::active);
}

TEST_F(KeeperCandidate, KeepsTheGapToTheRequestsOfTheTokenInUse)
{
	fixture.keeper.renewNow(fixture.now);
	EXPECT_EQ(fixture.take().token, Token::current) << "which goes first";
	fixture.answer(Grant{3600s, false}, 0ms);
	EXPECT_EQ(fixture.pause(), 500ms);
	EXPECT_EQ(fixture.take().token, Token::candidate);
}

TEST_F(KeeperCandidate, IsAskedAboutThoughRenewalsOfTheTokenInUseLeaveNoRoom)
{
	fixture.hear(fixture.keeper.candidateGone(fixture.now));
	fixture.meet(Grant{3s, false}, 2900ms).meet(Grant{3s, false}, 2900ms);
	ASSERT_EQ(fixture.pause(), 0s) << "a fresh lease is renewed at once";
	fixture.hear(fixture.keeper.candidateFound(fixture.now));
	EXPECT_EQ(fixture.take().token, Token::candidate);
	fixture.answer(token(60s, 60s));
	EXPECT_FALSE(fixture.keeper.hasCandidate());
}

TEST_F(KeeperCandidate, TakesThePlaceOfATokenThatDies)
{
	const auto end = *fixture.keeper.expiry();
	while (fixture.keeper.hasCandidate() && fixture.now.boot < end + 1h) {
		fixture.meet(refusal());
	}
	EXPECT_FALSE(fixture.keeper.hasCandidate());
	EXPECT_EQ(fixture.state(), State::starting);
	EXPECT_THAT(fixture.changes(), testing::Contains(State::expired)) << "the other one's end is told";
	fixture.meet(refusal());
	EXPECT_EQ(fixture.state(), State::expired) << "it was refused often enough before";
}

TEST_F(KeeperCandidate, ThatIsGoneIsAskedAboutNoMore)
{
	fixture.take();
	fixture.hear(fixture.keeper.candidateGone(fixture.now)).forget().answer(token(600s, 600s));
	EXPECT_FALSE(fixture.keeper.hasCandidate());
	EXPECT_THAT(fixture.events, IsEmpty());
	EXPECT_EQ(fixture.keeper.snapshot().lease, 3600s);
	EXPECT_EQ(fixture.take().token, Token::current);
}

TEST_F(KeeperCandidate, ThatIsReplacedByAnotherBeginsAnew)
{
	refuse(6);
	fixture.hear(fixture.keeper.candidateFound(fixture.now));
	EXPECT_LE(fixture.pause(), 500ms);
	fixture.meet(token(600s, 600s));
	EXPECT_FALSE(fixture.keeper.hasCandidate());
}

TEST_F(KeeperCandidate, IsNotHandedOver)
{
	fixture.hear(fixture.keeper.stopped(fixture.now));
	EXPECT_FALSE(fixture.keeper.hasCandidate());
}

TEST(KeeperCandidateBesideADeadToken, IsNotStarvedByTheHopeThatALostAnswerLeft)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s));
	while (fixture.state() != State::expired) {
		fixture.meet(timedOut(), 10ms);
	}
	while (*fixture.pause() > 500ms) {
		fixture.meet(unreachable(), 0ms);
	}
	fixture.hear(fixture.keeper.candidateFound(fixture.now));
	ASSERT_TRUE(fixture.keeper.hasCandidate()) << "the other one may live";
	for (int round = 0; round < 3 && fixture.keeper.hasCandidate(); ++round) {
		fixture.take().token == Token::candidate ? fixture.answer(token(60s, 60s)) : fixture.answer(unreachable(), 0ms);
	}
	EXPECT_FALSE(fixture.keeper.hasCandidate());
}

} // namespace
} // namespace issuer::vault::renewal::test
