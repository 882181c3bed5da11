#include "login_fixture.h"

#include <gmock/gmock.h>

/// The material of a login: its end is foreseen, a wrapped one is unwrapped once.
namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = LoginTrouble::Kind;

/// Follows the life of a token that was just proven, and ends for good in `wall`.
void knowWall(LoginFixture& fixture, Duration wall)
{
	auto life = living(fixture.now, 1h, 1h);
	life.maxTtlEnd = fixture.now.boot + wall;
	fixture.follow(life);
}

TEST(LoginForesight, TellsOnceOfMaterialThatEndsBeforeTheNextLogin)
{
	LoginFixture fixture(calm(LoginMethod::jwt));
	auto jwt = material();
	jwt.ends = fixture.now.wall + 48h;
	fixture.beginLoggedIn(1h, jwt);
	knowWall(fixture, 100h);
	fixture.find(jwt);
	EXPECT_THAT(fixture.reasons(), ElementsAre(Reason::loginEnds));
	EXPECT_EQ(fixture.events[0].outcome, Outcome::none);
	EXPECT_THAT(fixture.lines(), ElementsAre(HasSubstr("the JWT ends 2026-12-26")));
	EXPECT_EQ(fixture.keeper.figures(fixture.now).materialEnds, jwt.ends);
}

TEST(LoginForesight, TellsAgainOfOtherMaterial)
{
	LoginFixture fixture(calm(LoginMethod::jwt));
	auto jwt = material();
	jwt.ends = fixture.now.wall + 48h;
	fixture.beginLoggedIn(1h, jwt);
	knowWall(fixture, 100h);
	auto longer = material(2);
	longer.ends = fixture.now.wall + 1000h;
	fixture.find(longer);
	auto shorter = material(3);
	shorter.ends = fixture.now.wall + 2h;
	fixture.find(shorter);
	EXPECT_THAT(fixture.reasons(), ElementsAre(Reason::loginEnds, Reason::loginEnds));
}

/// Method, and whether the JWT has been seen to change.
class LoginForesightOfMaterial : public testing::TestWithParam<std::pair<LoginMethod, bool>>
{
};

TEST_P(LoginForesightOfMaterial, ThatIsReplacedByNatureTrustsIt)
{
	LoginFixture fixture(calm(GetParam().first));
	auto jwt = material();
	jwt.ends = fixture.now.wall + 30h;
	jwt.refreshed = GetParam().second;
	fixture.beginLoggedIn(1h, jwt);
	knowWall(fixture, 100h);
	EXPECT_THAT(fixture.events, IsEmpty());
	EXPECT_EQ(fixture.keeper.figures(fixture.now).materialEnds, std::nullopt);
	fixture.wait(31h).find(jwt);
	EXPECT_THAT(fixture.reasons(), ElementsAre(Reason::loginEnds)) << "it was not replaced";
	EXPECT_EQ(fixture.keeper.figures(fixture.now).materialEnds, jwt.ends);
}

INSTANTIATE_TEST_SUITE_P(Kinds, LoginForesightOfMaterial,
	testing::Values(std::pair(LoginMethod::jwt, true), std::pair(LoginMethod::kubernetes, false)));

TEST(LoginForesight, TellsThatTheLastUseOfTheSecretIdIsSpent)
{
	LoginFixture fixture;
	auto facts = loggedIn(1h);
	facts.roleName = "web";
	fixture.begin().meet(facts).prove();
	SecretIdFacts secret;
	secret.gone = true;
	fixture.forget().meet(secret);
	EXPECT_THAT(fixture.reasons(), ElementsAre(Reason::loginEnds));
	EXPECT_THAT(fixture.lines(), ElementsAre(HasSubstr("the uses of the secret_id have ended")));
}

TEST(LoginForesight, AsksForTheSecretIdOnceAfterEachLoginAndNeverAfterARefusal)
{
	LoginFixture fixture;
	auto facts = loggedIn(1h);
	facts.roleName = "web";
	fixture.begin().meet(facts).prove();
	const auto attempt = fixture.take();
	EXPECT_EQ(attempt.operation, LoginOperation::lookUpSecretId);
	EXPECT_EQ(attempt.token, LoginToken::inUse);
	fixture.answer(refused(Kind::forbidden));
	EXPECT_EQ(fixture.pause(), std::nullopt);
	fixture.keeper.logInNow(fixture.now);
	fixture.meet(facts).prove();
	EXPECT_EQ(fixture.pause(), std::nullopt);
}

TEST(LoginMaterial, ThatCannotBeReadIsToldWhileTheTokenLives)
{
	LoginFixture fixture;
	fixture.beginLoggedIn(1h).wait(1min);
	auto gone = material();
	gone.usable = false;
	gone.trouble = "no such file";
	fixture.find(gone);
	EXPECT_THAT(fixture.lines(), ElementsAre(HasSubstr("cannot be used (no such file)")));
	EXPECT_EQ(fixture.keeper.successor().outlook, Successor::Outlook::failed);
	fixture.follow(fallen(TokenLife::Standing::ended, fixture.now));
	EXPECT_EQ(fixture.pause(), std::nullopt);
	fixture.find(material(2));
	EXPECT_EQ(fixture.pause(), 250ms);
}

class LoginWrapped : public testing::Test
{
protected:
	[[nodiscard]] static LoginMaterial wrapped(std::uint64_t mark)
	{
		auto found = material(mark);
		found.wrapped = true;
		return found;
	}

	[[nodiscard]] static LoginPolicy policy()
	{
		auto policy = calm();
		policy.wrappedPath = "auth/approle/role/web/secret-id";
		return policy;
	}

	[[nodiscard]] static WrappingFacts from(const std::string& path) { return {path, {}, {}}; }

	LoginFixture fixture{policy()};
};

TEST_F(LoginWrapped, IsLookedUpThenUnwrappedThenUsed)
{
	fixture.begin(wrapped(7));
	EXPECT_EQ(fixture.take().operation, LoginOperation::lookUpWrapping);
	fixture.answer(from("auth/approle/role/web/secret-id"));
	const auto attempt = fixture.take();
	EXPECT_EQ(attempt.operation, LoginOperation::unwrap);
	EXPECT_EQ(attempt.budget, 60s);
	SecretIdFacts secret;
	secret.usesLeft = 3;
	fixture.answer(secret);
	EXPECT_EQ(fixture.take().operation, LoginOperation::logIn);
	EXPECT_EQ(fixture.keeper.figures(fixture.now).usesLeft, 2);
}

TEST_F(LoginWrapped, IsNotUnwrappedWhereItWasMadeElsewhere)
{
	fixture.begin(wrapped(7)).meet(from("auth/approle/role/other/secret-id"));
	EXPECT_EQ(fixture.pause(), std::nullopt);
	EXPECT_THAT(fixture.lines(), testing::Contains(HasSubstr("another client may have put it in place")));
}

TEST_F(LoginWrapped, IsUnwrappedOnceThoughItsAnswerWasLost)
{
	fixture.begin(wrapped(7)).meet(from("auth/approle/role/web/secret-id")).meet(lostAnswer(), 60s);
	EXPECT_EQ(fixture.pause(), std::nullopt);
	EXPECT_THAT(fixture.lines(), testing::Contains(HasSubstr("a new wrapped one is needed")));
	fixture.find(wrapped(7));
	EXPECT_EQ(fixture.pause(), std::nullopt);
	fixture.find(wrapped(8));
	EXPECT_EQ(fixture.take().operation, LoginOperation::lookUpWrapping);
}

TEST_F(LoginWrapped, IsTriedAgainWhereTheRequestWasSurelyUnsent)
{
	fixture.begin(wrapped(7)).meet(from("auth/approle/role/web/secret-id")).meet(notSent());
	EXPECT_EQ(fixture.take().operation, LoginOperation::unwrap);
}

TEST_F(LoginWrapped, ThatWasUnwrappedElsewhereIsAnAlarm)
{
	fixture.begin(wrapped(7)).meet(from("auth/approle/role/web/secret-id")).meet(refused(Kind::spent));
	EXPECT_EQ(fixture.pause(), std::nullopt);
	EXPECT_THAT(fixture.lines(), testing::Contains(HasSubstr("the secret was unwrapped elsewhere")));
	EXPECT_EQ(fixture.notes[0].level, Level::error);
}

TEST_F(LoginWrapped, ThatIsSpentDoesNoHarmToAnEarlierSecret)
{
	fixture.begin(wrapped(7)).meet(from("auth/approle/role/web/secret-id")).meet(SecretIdFacts{});
	fixture.meet(loggedIn(1h)).prove().wait(1h).find(wrapped(8)).meet(refused(Kind::spent));
	fixture.follow(fallen(TokenLife::Standing::ended, fixture.now));
	EXPECT_EQ(fixture.take().operation, LoginOperation::logIn);
}

TEST(LoginWrappedToken, IsProvenWithoutALeaseAndLeavesTheRestToAPerson)
{
	LoginFixture fixture(calm(LoginMethod::wrappedToken));
	auto found = material(7);
	found.wrapped = true;
	fixture.begin(found).meet(WrappingFacts{"auth/token/create", {}, {}}).meet(loggedIn(1h));
	EXPECT_TRUE(fixture.keeper.needs(LoginToken::fresh));
	EXPECT_EQ(fixture.keeper.firstGrant(), std::nullopt) << "its lease began when it was wrapped";
	fixture.prove();
	EXPECT_EQ(fixture.keeper.successor().outlook, Successor::Outlook::none);
	fixture.follow(fallen(TokenLife::Standing::ended, fixture.now));
	EXPECT_EQ(fixture.pause(), std::nullopt);
}

} // namespace
} // namespace issuer::vault::renewal::test
