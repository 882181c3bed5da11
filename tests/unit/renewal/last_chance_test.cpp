#include "keeper_fixture.h"

#include <gmock/gmock.h>

/// The last chances of a token belong to its renewals, and the little that is known of its end is kept.
namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;

/// Returns an answer without success to a request that was sent before, in the same attempt, and not answered.
Trouble afterSilence(Trouble trouble)
{
	trouble.sentBefore = true;
	return trouble;
}

/// A token with an exactly known end, freshly renewed.
KeeperFixture renewed(Duration lease)
{
	KeeperFixture fixture;
	fixture.begin(token(lease, lease)).meet(Grant{lease, false}, 0ms).forget();
	return fixture;
}

TEST(KeeperLastChance, IsNotTakenByTheGapAfterARequestAboutACandidate)
{
	auto fixture = renewed(174s);
	const auto end = *fixture.keeper.expiry();
	fixture.meetUntil(end - 1100ms, refusal(), 0ms).meet(timedOut(), 505ms);
	ASSERT_EQ(*fixture.keeper.next(), end - 500ms);
	fixture.hear(fixture.keeper.candidateFound(fixture.now));
	EXPECT_EQ(fixture.take().token, Token::current);
	EXPECT_EQ(fixture.now.boot, end - 500ms);
}

TEST(KeeperLastChance, CandidateIsAskedAboutAtOnceWhereItTakesNone)
{
	auto fixture = renewed(160s);
	fixture.meet(unreachable(), 0ms).wait(950ms);
	fixture.hear(fixture.keeper.candidateFound(fixture.now));
	EXPECT_EQ(fixture.take().token, Token::candidate);
}

TEST(KeeperLastChance, IsSharedInTurnsWithACandidateWhereTheEndIsVague)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s));
	while (fixture.state() != State::expired) {
		fixture.meet(timedOut());
	}
	fixture.meet(policyRefusal());
	ASSERT_EQ(fixture.state(), State::denied) << "a lost renewal has saved it, and nothing tells which";
	fixture.meetUntil(*fixture.keeper.expiry(), policyRefusal());
	fixture.meetUntil(fixture.now.boot + 3s, refusal());
	fixture.hear(fixture.keeper.candidateFound(fixture.now));
	ASSERT_TRUE(fixture.keeper.hasCandidate()) << "the other one may live";
	std::vector<Token> asked;
	for (int round = 0; round < 4; ++round) {
		asked.push_back(fixture.take().token);
		fixture.answer(refusal());
	}
	EXPECT_THAT(asked, ElementsAre(Token::current, Token::candidate, Token::current, Token::candidate));
}

TEST(KeeperLastChance, IsNotSharedWithACandidateWhereALookUpHasRoundedTheEnd)
{
	KeeperFixture fixture;
	fixture.begin(token(1s, 2s)).hear(fixture.keeper.candidateFound(fixture.now));
	for (int attempt = 0; attempt < 4; ++attempt) {
		EXPECT_EQ(fixture.take().token, Token::current);
		fixture.answer(unreachable());
	}
}

TEST(KeeperLastChance, OfARefusedTokenIsComeNearByHalves)
{
	auto fixture = renewed(160s);
	const auto end = *fixture.keeper.expiry();
	std::vector<Duration> left;
	while (fixture.meet(refusal(), 0ms).now.boot < end - 500ms) {
		left.push_back(end - fixture.now.boot);
	}
	EXPECT_THAT(left, ElementsAre(80s, 60s, 30s, 15s, 7500ms, 3750ms, 1875ms, 937500us));
}

TEST(KeeperLastChance, IsNotSpentOnALookUpThatAWrappedGrantIsOwed)
{
	auto fixture = renewed(60s);
	const auto end = *fixture.keeper.expiry();
	fixture.meet(WrappedGrant{}, 0ms);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp) << "the lease is to be known";
	fixture.answer(unreachable(), 0ms);
	while (*fixture.keeper.next() < end - 500ms) {
		EXPECT_EQ(fixture.take().operation, Operation::lookUp);
		fixture.answer(unreachable(), 0ms);
	}
	fixture.meet(unreachable(), 0ms);
	EXPECT_EQ(fixture.take().operation, Operation::renew) << "it may end at any moment";
	fixture.answer(WrappedGrant{}, 0ms);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
}

TEST(KeeperLastChance, OfAWrappedGrantIsNotPlannedByTheRoundingOfALookUpBefore)
{
	KeeperFixture fixture;
	fixture.begin(token(2s, 2s)).meet(WrappedGrant{});
	const auto end = fixture.starts.back() + 2s;
	fixture.meet(policyRefusal());
	EXPECT_EQ(*fixture.keeper.expiry(), end) << "not when the look-up's seconds may be over";
	EXPECT_LT(*fixture.keeper.next(), end);
}

TEST(KeeperHope, OutlastsAnUnclearRefusalPastTheEnd)
{
	auto fixture = renewed(600s);
	fixture.meet(timedOut());
	const auto perhaps = fixture.starts.back() + 600s;
	fixture.meet(unclearRefusal()).meet(refusal());
	fixture.meetUntil(*fixture.keeper.expiry(), unclearRefusal()).meet(unclearRefusal());
	ASSERT_EQ(fixture.state(), State::expired);
	EXPECT_LT(*fixture.keeper.next(), perhaps - 10s) << "a gateway may have said so";
	fixture.meetUntil(perhaps - 3s, unclearRefusal()).meet(Grant{600s, false});
	EXPECT_EQ(fixture.state(), State::active);
}

TEST(KeeperHope, IsLeftByARequestThatWasSentBeforeWhateverTheAnswerToTheNextOne)
{
	for (const auto& trouble : {throttled(0s), away(), policyRefusal(), unreachable()}) {
		auto fixture = renewed(600s);
		fixture.meet(afterSilence(trouble));
		const auto perhaps = fixture.starts.back() + 600s;
		fixture.meetUntil(*fixture.keeper.expiry() + 1s, unreachable());
		fixture.meetUntil(perhaps - 3s, unreachable()).meet(Grant{600s, false});
		EXPECT_EQ(fixture.state(), State::active);
		EXPECT_LT(fixture.starts.back(), perhaps);
	}
}

TEST(KeeperHope, DoesNotReachBeyondAMaxTtlThatWasShown)
{
	KeeperFixture fixture;
	auto facts = token(60s, 60s);
	facts.explicitMaxTtl = 80s;
	facts.creationTime = fixture.now.wall;
	facts.expireTime = fixture.now.wall + 60s;
	fixture.begin(facts);
	const auto wall = *fixture.keeper.snapshot().cappedAt;
	fixture.meet(timedOut()).meetUntil(*fixture.keeper.expiry() + 3s, policyRefusal());
	EXPECT_GE(fixture.remains(), 15s) << "the lost renewal was carried out";
	fixture.meetUntil(fixture.now.boot + 15s, policyRefusal()).meet(atMaxTtl());
	EXPECT_LE(*fixture.keeper.snapshot().cappedAt, wall + 2s);
}

TEST(KeeperHope, ProbeOfALookUpThatTellsNothingAndARenewalIsOne)
{
	KeeperFixture fixture;
	fixture.beginRefused().forget();
	EXPECT_EQ(*fixture.pause(), 60s);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	fixture.answer(serverError(), 0ms);
	EXPECT_EQ(fixture.take().operation, Operation::renew);
	fixture.answer(refusal(), 0ms);
	EXPECT_EQ(*fixture.pause(), 120s);
}

} // namespace
} // namespace issuer::vault::renewal::test
