#include "fleet_fixture.h"

/// Rule 4 of docs/fleet.md: watch over what others keep, and rule 5: what of it goes on while the engine is away.
namespace issuer::fleet {

using FleetWatches = PlanTest;

TEST_F(FleetWatches, ASecondBeginsLateRenewals)
{
	const auto theirs = issuerOf({"b", "me"});
	configure({theirs});
	join({"b"});
	EXPECT_TRUE(of<Begin>(settle({state(theirs, "b", -14s)})).empty());
	hear(StatesRead{{shardOf(theirs)}, {state(theirs, "b", -16s)}});
	const auto begins = of<Begin>(plan.due(moment));
	ASSERT_EQ(begins.size(), 1U);
	EXPECT_EQ(begins.front().why, Why::late);
	EXPECT_EQ(begins.front().state->text, "text of b");
	EXPECT_TRUE(of<LetGo>(pass(1s)).empty()) << "the first keeps the shard, but does not renew";
}

TEST_F(FleetWatches, AThirdBeginsVeryLateRenewals)
{
	const auto theirs = issuerOf({"b", "c", "me"});
	configure({theirs});
	join({"b", "c"});
	EXPECT_TRUE(of<Begin>(settle({state(theirs, "b", -29s)})).empty());
	hear(StatesRead{{shardOf(theirs)}, {state(theirs, "b", -31s)}});
	EXPECT_EQ(of<Begin>(plan.due(moment)).size(), 1U);
}

TEST_F(FleetWatches, AFourthWatchesOverNothing)
{
	const auto theirs = issuerOf({"b", "c", "d", "me"});
	configure({theirs});
	join({"b", "c", "d"});
	settle({});
	pass(11s); // once for states that an earlier process left
	hear(StatesRead{{shardOf(theirs)}, {}});
	EXPECT_TRUE(of<ReadStates>(pass(100s)).empty());
}

TEST_F(FleetWatches, AFourthActsAsThirdWhereTheFirstHasAnotherList)
{
	const auto theirs = issuerOf({"b", "c", "d", "me"});
	configure({theirs});
	hear(Joined{});
	hear(MembersListed{{member("b", {}), member("c", names), member("d", names)}});
	EXPECT_EQ(of<Begin>(settle({state(theirs, "c", -31s)})).size(), 1U);
}

TEST_F(FleetWatches, AFourthActsAsThirdWhereOneOfTheOthersHasAnotherList)
{
	const auto theirs = issuerOf({"b", "c", "d", "me"});
	configure({theirs});
	hear(Joined{});
	hear(MembersListed{{member("b", names), member("c", {}), member("d", names)}});
	EXPECT_EQ(of<Begin>(settle({state(theirs, "b", -31s)})).size(), 1U);
}

TEST_F(FleetWatches, ASecondLooksEveryEighthOfTheReserve)
{
	const auto theirs = issuerOf({"b", "me"});
	configure({theirs});
	join({"b"});
	settle({state(theirs, "b", 30s)});
	EXPECT_TRUE(of<ReadStates>(pass(7s)).empty());
	EXPECT_EQ(of<ReadStates>(pass(1s)).size(), 1U);
}

TEST_F(FleetWatches, AnUntoldIssuerIsBegunByTheSecondAfterTwiceT)
{
	const auto theirs = issuerOf({"b", "me"});
	configure({theirs});
	join({"b"});
	settle({});
	pass(19s);
	hear(StatesRead{{shardOf(theirs)}, {}});
	EXPECT_TRUE(of<Begin>(plan.due(moment)).empty());
	pass(1s);
	hear(StatesRead{{shardOf(theirs)}, {}});
	const auto begins = of<Begin>(plan.due(moment));
	ASSERT_EQ(begins.size(), 1U);
	EXPECT_EQ(begins.front().why, Why::untold);
}

TEST_F(FleetWatches, ANewIssuerIsLookedForAtOnceWhereverOthersOfItsShardAreLookedAtLater)
{
	const auto theirs = issuerOf({"b", "me"});
	auto added = theirs;
	for (unsigned salt = 0; added == theirs || shardOf(added) != shardOf(theirs); ++salt) {
		added = "new-" + std::to_string(salt);
	}
	configure({theirs});
	join({"b"});
	settle({state(theirs, "b", 60s)});
	EXPECT_TRUE(of<ReadStates>(pass(1s)).empty());
	configure({theirs, added});
	EXPECT_EQ(of<ReadStates>(plan.due(moment)).size(), 1U);
}

TEST_F(FleetWatches, ItLooksOnWhereItsOwnTokenSeemsDeadAndAnotherMemberMayRenewIt)
{
	const auto theirs = issuerOf({"b", "me"});
	configure({theirs});
	join({"b"});
	ASSERT_EQ(of<Begin>(settle({state(theirs, "b", -16s)})).size(), 1U);
	tell(theirs, ISSUER_STATE_EXPIRED, -60s);
	settle({state(theirs, "b", -16s), plan.whyKept(theirs) ? state(theirs, "me", -61s) : State{}});
	EXPECT_FALSE(of<ReadStates>(pass(8s)).empty());
}

TEST_F(FleetWatches, AnOutageThatMakesAThousandIssuersLateIsToldInAFewLines)
{
	std::vector<std::string> theirs;
	Ring ring;
	ring.assign({"b", "me"});
	for (unsigned number = 0; theirs.size() < 1000; ++number) {
		const auto name = "issuer-" + std::to_string(number);
		if (ring.ranked(shardOf(name)).front().member == "b") {
			theirs.push_back(name);
		}
	}
	configure(theirs);
	join({"b"});
	std::vector<State> states;
	for (const auto& name : theirs) { // due one after the other, in a minute
		states.push_back(state(name, "b", milliseconds(60 * states.size())));
	}
	static_cast<void>(settle(states));
	hear(Away{"no answer"});
	static_cast<void>(plan.due(moment));

	const auto actions = pass(90s, false);
	EXPECT_EQ(of<Begin>(actions).size(), 1000U);
	const auto lines = of<Tell>(actions);
	EXPECT_LE(lines.size(), 6U);
	ASSERT_FALSE(lines.empty());
	EXPECT_EQ(lines.front().level, ISSUER_LOG_WARN);
	EXPECT_EQ(lines.front().text.find("watching over "), 0U) << lines.front().text;
	EXPECT_NE(lines.front().text.find("engine is away"), std::string::npos) << lines.front().text;
	EXPECT_NE(lines.front().text.find("(issuer-"), std::string::npos) << lines.front().text;
	EXPECT_LT(lines.back().text.size(), 200U) << lines.back().text;

	answer();
	states.clear();
	for (const auto& name : theirs) {
		states.push_back(state(name, "b", 50s));
	}
	const auto after = settle(states);
	EXPECT_EQ(of<LetGo>(after).size(), 1000U);
	const auto end = of<Tell>(after);
	ASSERT_EQ(end.size(), 2U); // the other says that the engine answers
	EXPECT_NE(end.back().text.find("at most 1000 at once"), std::string::npos) << end.back().text;
}

/// This host watches over an issuer of b's.
class FleetWatchesOverB : public PlanTest
{
protected:
	FleetWatchesOverB()
	{
		configure({theirs});
		join({"b", "c"});
		settle({state(theirs, "b", -20s)});
		tell(theirs, ISSUER_STATE_ACTIVE);
		settle({state(theirs, "b", -20s)});
	}

	Actions read(const std::vector<State>& states)
	{
		hear(StatesRead{{shardOf(theirs)}, states});
		return plan.due(moment);
	}

	const std::string theirs = issuerOf({"b", "me", "c"});
};

TEST_F(FleetWatchesOverB, UntilThatRenewsAgain)
{
	EXPECT_TRUE(of<LetGo>(read({state(theirs, "b", -20s), state(theirs, "me", 60s)})).empty());
	EXPECT_EQ(of<LetGo>(read({state(theirs, "b", 50s), state(theirs, "me", 60s)})).size(), 1U);
}

TEST_F(FleetWatchesOverB, AnIssuerInSpiteOfTheWordOfAMemberOfWorseRank)
{
	EXPECT_TRUE(of<LetGo>(read({state(theirs, "b", -20s), state(theirs, "c", 50s)})).empty());
}

TEST_F(FleetWatchesOverB, AlsoWhileThatBelievesTheTokenDead)
{
	auto dead = state(theirs, "b", -61s);
	dead.state = ISSUER_STATE_EXPIRED;
	EXPECT_TRUE(of<LetGo>(read({dead, state(theirs, "me", 60s)})).empty());
}

TEST_F(FleetWatchesOverB, UntilBothKnowThatRenewingDoesNotHelp)
{
	auto dead = state(theirs, "b", -61s);
	dead.state = ISSUER_STATE_EXPIRED;
	tell(theirs, ISSUER_STATE_EXPIRED, -61s);
	EXPECT_TRUE(of<LetGo>(read({state(theirs, "b", -20s)})).empty());
	EXPECT_EQ(of<LetGo>(read({dead})).size(), 1U);
}

TEST_F(FleetWatchesOverB, AndKeepsItWhenItBecomesFirst)
{
	hear(MemberGone{"b"});
	EXPECT_TRUE(of<Begin>(settle({state(theirs, "me", 60s)})).empty());
	EXPECT_EQ(plan.outlook(moment).kept, 1U);
	EXPECT_EQ(plan.outlook(moment).watchedOver, 0U);
}

TEST_F(FleetWatches, NoMemberMultipliesTheRequestsOfAServerThatIsAwayForAll)
{
	const auto mine = issuerOf({"me", "b"});
	const auto theirs = issuerOf({"b", "me"});
	configure({mine, theirs});
	join({"b"});
	settle({state(theirs, "b", 60s)});
	tell(mine, ISSUER_STATE_RETRYING, 0s);
	hear(StatesRead{{shardOf(theirs)}, {state(theirs, "b", -20s)}});
	EXPECT_TRUE(of<Begin>(plan.due(moment)).empty());
	tell(mine, ISSUER_STATE_ACTIVE);
	hear(StatesRead{{shardOf(theirs)}, {state(theirs, "b", -20s)}});
	EXPECT_EQ(of<Begin>(plan.due(moment)).size(), 1U);
}

TEST_F(FleetWatches, WhileTheEngineIsAwayTheSecondGoesByTheStatesLastSeen)
{
	const auto theirs = issuerOf({"b", "me"});
	configure({theirs});
	join({"b"});
	settle({state(theirs, "b", 0s)});
	hear(Away{"no answer"});
	EXPECT_TRUE(of<Begin>(pass(14s, false)).empty());
	const auto begins = of<Begin>(pass(9s, false));
	ASSERT_EQ(begins.size(), 1U);
	EXPECT_EQ(begins.front().state->text, "text of b");
}

TEST_F(FleetWatches, WhileTheEngineIsAwayAThirdBeginsNothing)
{
	const auto theirs = issuerOf({"b", "c", "me"});
	configure({theirs});
	join({"b", "c"});
	settle({state(theirs, "b", 0s)});
	hear(Away{"no answer"});
	EXPECT_TRUE(of<Begin>(pass(60s, false)).empty());
}

TEST_F(FleetWatches, WhileTheEngineTakesNoStatesAThirdBeginsNothing)
{
	const auto theirs = issuerOf({"b", "c", "me"});
	configure({theirs});
	join({"b", "c"});
	hear(WritesRefused{"no space"});
	EXPECT_TRUE(of<Begin>(settle({state(theirs, "b", -40s)})).empty());
}

TEST_F(FleetWatches, TheTimesOfAMemberWhoseClockDiffersAreTranslated)
{
	for (const auto ahead : {-30s, 30s}) {
		const auto theirs = issuerOf({"b", "me"});
		Plan one({.member = "me", .run = "12345678", .takeover = takeover});
		one.configure(moment, {theirs});
		one.heard(moment, Joined{});
		one.heard(moment, MembersListed{{member("b", {theirs})}});
		auto b = member("b", {theirs});
		b.record.written += ahead;
		one.heard(moment, MemberPut{b});
		const auto begins = [&](milliseconds due) {
			one.heard(moment, StatesRead{{shardOf(theirs)}, {state(theirs, "b", due + ahead)}});
			return of<Begin>(one.due(moment)).size();
		};
		EXPECT_EQ(begins(-14s), 0U) << ahead.count();
		EXPECT_EQ(begins(-16s), 1U) << ahead.count();
		EXPECT_EQ(one.clockOf("b"), ahead);
	}
}

TEST_F(FleetWatches, OfTwoRecordsTheOneThatCameFasterTellsTheClock)
{
	configure({});
	join({});
	hear(MemberPut{member("b", {})});
	auto late = member("b", {});
	late.record.written -= 3s;
	hear(MemberPut{late});
	EXPECT_EQ(plan.clockOf("b"), 0s);
}

} // namespace issuer::fleet
