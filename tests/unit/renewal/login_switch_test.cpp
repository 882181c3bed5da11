#include "keeper_fixture.h"
#include "login_fixture.h"

#include <gmock/gmock.h>

/// From one token to the next: never without one, never with one that the server does not accept.
namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = LoginTrouble::Kind;

TEST(LoginSwitch, WaitsForTheProof)
{
	LoginFixture fixture;
	fixture.begin().meet(loggedIn(1h));
	EXPECT_TRUE(fixture.keeper.needs(LoginToken::fresh));
	EXPECT_EQ(fixture.pause(), std::nullopt);
	EXPECT_THAT(fixture.events, IsEmpty());
	ASSERT_TRUE(fixture.keeper.firstGrant());
	EXPECT_EQ(fixture.keeper.firstGrant()->grant.lease, 1h);
	fixture.prove();
	EXPECT_FALSE(fixture.keeper.needs(LoginToken::fresh));
	EXPECT_THAT(fixture.reasons(), ElementsAre(Reason::loggedIn));
	EXPECT_EQ(fixture.events[0].outcome, Outcome::success);
	EXPECT_EQ(fixture.keeper.figures(fixture.now).successes, 1U);
}

TEST(LoginSwitch, RevokesATokenThatTheServerDoesNotAccept)
{
	LoginFixture fixture;
	fixture.begin().meet(loggedIn(1h)).hear(fixture.keeper.unproven(fixture.now, "permission denied"));
	EXPECT_THAT(fixture.lines(), ElementsAre(HasSubstr("look at token_bound_cidrs")));
	const auto attempt = fixture.take();
	EXPECT_EQ(attempt.operation, LoginOperation::revoke);
	EXPECT_EQ(attempt.token, LoginToken::rejected);
	EXPECT_EQ(attempt.budget, 2s);
	fixture.answer(notSent());
	EXPECT_TRUE(fixture.keeper.needs(LoginToken::rejected)) << "once more";
	fixture.meet(notSent());
	EXPECT_FALSE(fixture.keeper.needs(LoginToken::rejected)) << "left to its end";
	EXPECT_EQ(fixture.take().operation, LoginOperation::logIn);
	EXPECT_EQ(fixture.keeper.figures(fixture.now).failures, 1U);
}

TEST(LoginSwitch, KeepsTheTokenInUseWhereTheNewOneEndsSooner)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h);
	fixture.keeper.logInNow(fixture.now);
	auto facts = loggedIn(5min);
	facts.batch = true;
	fixture.meet(facts);
	EXPECT_FALSE(fixture.keeper.needs(LoginToken::fresh));
	EXPECT_THAT(fixture.lines(), ElementsAre(HasSubstr("sooner than the one in use")));
}

TEST(LoginSwitch, TakesNoTokenOfLimitedUses)
{
	LoginFixture fixture;
	auto facts = loggedIn(1h);
	facts.usesLeft = 5;
	fixture.begin().meet(facts);
	EXPECT_FALSE(fixture.keeper.needs(LoginToken::fresh));
	EXPECT_TRUE(fixture.keeper.needs(LoginToken::rejected));
	EXPECT_THAT(fixture.lines(), ElementsAre(HasSubstr("token_num_uses")));
}

TEST(LoginSwitch, NamesThePoliciesThatTheNewTokenLacks)
{
	LoginFixture fixture;
	auto facts = loggedIn(1h);
	facts.policies = {"default", "pki", "web"};
	fixture.begin().meet(facts).prove();
	fixture.keeper.logInNow(fixture.now);
	facts.policies = {"default", "other"};
	fixture.forget().meet(facts).prove();
	EXPECT_THAT(fixture.lines()[0], HasSubstr("lacks policies that the one before had: pki, web"));
}

TEST(LoginSwitch, LeavesTheOldTokenUnlessItIsToBeRevoked)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h);
	fixture.keeper.logInNow(fixture.now);
	fixture.meet(loggedIn(1h)).prove();
	EXPECT_FALSE(fixture.keeper.needs(LoginToken::replaced));
	EXPECT_EQ(fixture.pause(), std::nullopt);
}

TEST(LoginSwitch, RevokesTheOldTokenAfterItsGrace)
{
	auto policy = calm();
	policy.revokeOld = 30s;
	LoginFixture fixture(policy);
	fixture.beginLoggedIn(1h);
	fixture.keeper.logInNow(fixture.now);
	fixture.meet(loggedIn(1h)).prove();
	EXPECT_TRUE(fixture.keeper.needs(LoginToken::replaced));
	EXPECT_EQ(fixture.pause(), 30s);
	EXPECT_EQ(fixture.take().token, LoginToken::replaced);
	fixture.answer(Revoked{});
	EXPECT_FALSE(fixture.keeper.needs(LoginToken::replaced));
}

TEST(LoginSwitch, NeverRevokesATokenThatNoLoginMade)
{
	auto policy = calm();
	policy.revokeOld = 0s;
	LoginFixture fixture(policy);
	fixture.hear(fixture.keeper.begin(fixture.now)).follow(living(fixture.now, 1h, 1h)).find(material());
	EXPECT_EQ(fixture.pause(), std::nullopt) << "the sink's token is used before any login";
	fixture.keeper.logInNow(fixture.now);
	fixture.meet(loggedIn(1h)).prove();
	EXPECT_FALSE(fixture.keeper.needs(LoginToken::replaced));
}

TEST(LoginSwitch, AsksForRevocationOfAFreshTokenAtTheStop)
{
	LoginFixture fixture;
	fixture.begin().meet(loggedIn(1h)).hear(fixture.keeper.stopped(fixture.now));
	EXPECT_TRUE(fixture.keeper.needs(LoginToken::rejected));
	EXPECT_EQ(fixture.pause(), std::nullopt);
}

TEST(LoginSwitch, GoesOnWithWhatIsKnownAfterAHandOver)
{
	LoginFixture before;
	before.begin().meet(refused(Kind::material)).meet(refused(Kind::material));
	before.hear(before.keeper.stopped(before.now));
	LoginFixture after;
	after.now = before.now;
	after.hear(after.keeper.resume(after.now, before.keeper.memory(), false)).find(material());
	EXPECT_EQ(after.pause(), 16min);
}

TEST(LoginSwitch, SendsNothingAfterAHandOverBeforeItsOwnMaterialWasRead)
{
	LoginFixture before;
	before.begin().hear(before.keeper.stopped(before.now));
	LoginFixture after;
	after.now = before.now;
	after.hear(after.keeper.resume(after.now, before.keeper.memory(), false));
	EXPECT_EQ(after.pause(), std::nullopt) << "a login is due, but of what the predecessor had read";
	after.find(material());
	EXPECT_EQ(after.pause(), 0s);
}

/// The keeper of the token in use, beside logins.
class KeeperWithLogins : public testing::Test
{
protected:
	void planned(Successor::Outlook outlook)
	{
		fixture.hear(fixture.keeper.followedBy(fixture.now, {outlook, Reason::loginRefused}));
	}

	[[nodiscard]] FirstGrant grant(Duration lease) const { return {{fixture.now, fixture.now}, {lease, false, true}}; }

	KeeperFixture fixture;
};

TEST_F(KeeperWithLogins, AsksNothingWithoutAToken)
{
	fixture.hear(fixture.keeper.begin(fixture.now, false));
	EXPECT_EQ(fixture.pause(), std::nullopt);
	EXPECT_EQ(fixture.state(), State::starting);
	EXPECT_EQ(fixture.keeper.life().standing, TokenLife::Standing::none);
}

TEST_F(KeeperWithLogins, ProvesTheFirstTokenToo)
{
	fixture.hear(fixture.keeper.begin(fixture.now, false)).hear(fixture.keeper.candidateFound(fixture.now, grant(1h)));
	EXPECT_TRUE(fixture.keeper.hasCandidate());
	EXPECT_EQ(fixture.take().token, Token::candidate);
	fixture.answer(token(3600s, 3600s));
	EXPECT_FALSE(fixture.keeper.hasCandidate());
	EXPECT_EQ(fixture.state(), State::active);
}

TEST_F(KeeperWithLogins, KnowsTheLeaseOfATokenThatMayNotLookItselfUp)
{
	fixture.hear(fixture.keeper.begin(fixture.now, false)).hear(fixture.keeper.candidateFound(fixture.now, grant(1h)));
	fixture.meet(policyRefusal());
	EXPECT_FALSE(fixture.keeper.hasCandidate()) << "only a token that lives is denied something by a policy";
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.keeper.snapshot().lease, 1h);
	EXPECT_EQ(fixture.take().operation, Operation::renew);
}

TEST_F(KeeperWithLogins, KeepsADeadTokenUntilTheNewOneIsProven)
{
	fixture.begin(token(60s, 60s)).wait(2min).meet(refusal());
	fixture.hear(fixture.keeper.candidateFound(fixture.now, grant(1h)));
	for (int refusals = 0; refusals < 8; ++refusals) {
		EXPECT_TRUE(fixture.keeper.hasCandidate());
		fixture.meet(refusal());
	}
	EXPECT_TRUE(fixture.keeper.life().candidateRefused);
}

TEST_F(KeeperWithLogins, StaysActiveAtTheMaxTtlWhileALoginIsPlanned)
{
	fixture.begin(token(60s, 60s));
	planned(Successor::Outlook::planned);
	fixture.forget().meet(Grant{20s, true});
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::success));
	EXPECT_TRUE(fixture.keeper.life().capped);
	planned(Successor::Outlook::retrying);
	EXPECT_EQ(fixture.state(), State::retrying);
	planned(Successor::Outlook::failed);
	EXPECT_EQ(fixture.state(), State::capped);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::success, Outcome::notRenewable));
}

TEST_F(KeeperWithLogins, IsNotRenewableOnlyWhereNoLoginHelps)
{
	auto batch = token(60s, 60s);
	batch.renewable = false;
	batch.batch = true;
	fixture.hear(fixture.keeper.begin(fixture.now));
	planned(Successor::Outlook::planned);
	fixture.meet(batch);
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_FALSE(fixture.keeper.life().renewable);
	EXPECT_THAT(fixture.outcomes(), IsEmpty());
}

TEST_F(KeeperWithLogins, AsksAgainWithinAGapBeforeARefusalSendsForALogin)
{
	fixture.begin(token(3600s, 3600s));
	planned(Successor::Outlook::planned);
	fixture.meet(refusal());
	EXPECT_EQ(fixture.keeper.life().standing, TokenLife::Standing::living);
	EXPECT_LE(fixture.pause(), 500ms);
	fixture.meet(refusal());
	EXPECT_EQ(fixture.keeper.life().standing, TokenLife::Standing::refused);
	EXPECT_GE(fixture.pause(), 1min);
}

/// Returns how long before `end` a new token was asked about last, in an outage since a minute before.
Duration lastProof(KeeperFixture& fixture, Instant end)
{
	Duration last{};
	while (fixture.now.boot < end) {
		const auto attempt = fixture.take();
		if (attempt.token == Token::candidate && fixture.now.boot < end) {
			last = end - fixture.now.boot;
		}
		fixture.answer(away());
	}
	return last;
}

TEST_F(KeeperWithLogins, AsksAboutANewTokenShortlyBeforeTheOneInUseEnds)
{
	fixture.begin(token(300s, 300s)).meet(Grant{300s, false});
	const auto end = *fixture.keeper.expiry();
	fixture.waitUntil(end - 120s);
	fixture.hear(fixture.keeper.candidateFound(fixture.now, grant(3000s)));
	const auto last = lastProof(fixture, end);
	EXPECT_GT(last, 0s);
	EXPECT_LE(last, 3s);
}

TEST_F(KeeperWithLogins, AsksAboutANewTokenShortlyBeforeItsOwnEnd)
{
	fixture.begin(token(3000s, 3000s)).meet(Grant{3000s, false});
	const auto end = fixture.now.boot + 120s;
	fixture.hear(fixture.keeper.candidateFound(fixture.now, grant(120s)));
	const auto last = lastProof(fixture, end);
	EXPECT_GT(last, 0s);
	EXPECT_LE(last, 3s);
}

} // namespace
} // namespace issuer::vault::renewal::test
