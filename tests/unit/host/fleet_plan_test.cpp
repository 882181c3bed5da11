#include "fleet_fixture.h"

/// The rules of docs/fleet.md but for that of watching over others: fleet_watching_test.cpp.
namespace issuer::fleet {

using FleetJoins = PlanTest;
using FleetBegins = PlanTest;
using FleetLetsGo = PlanTest;
using FleetWithoutEngine = PlanTest;

TEST_F(FleetJoins, UnderAnotherNameWhereALaterProcessHasItsOwn)
{
	configure({issuerOf({"me", "b"})});
	join({"b"});
	settle({});
	hear(NameTaken{{.name = "me", .run = "other", .url = "https://b", .version = {}, .written = {}, .kept = {}}});
	const auto joins = of<JoinAs>(plan.due(moment));
	ASSERT_EQ(joins.size(), 1U);
	EXPECT_EQ(joins.front().member, "me~1234");
	EXPECT_EQ(plan.member(), "me~1234");
}

TEST_F(FleetJoins, AndTakesNoClockFromARecordThatComesAgainWithANewList)
{
	configure({"web"});
	hear(Joined{});
	auto other = member("b", names);
	hear(MembersListed{{other}}); // the record may be a minute old
	static_cast<void>(pass(40s));
	other.lists = digestsOf({"web", "new"});
	hear(MemberPut{other});
	EXPECT_EQ(plan.clockOf("b"), std::nullopt);
	for (const auto& line : of<Tell>(plan.due(moment))) {
		EXPECT_NE(line.level, ISSUER_LOG_WARN) << line.text;
	}
}

TEST_F(FleetJoins, AndGivesTheEngineEverythingAgain)
{
	const auto mine = issuerOf({"me", "b"});
	configure({mine});
	join({"b"});
	settle({});
	tell(mine, ISSUER_STATE_ACTIVE);
	settle({});
	hear(LeaseLost{});
	EXPECT_TRUE(of<LetGo>(pass(20s, false)).empty());
	hear(Joined{});
	const auto actions = settle({});
	EXPECT_EQ(of<WriteStates>(actions).size(), 1U);
	ASSERT_EQ(of<SetRecord>(actions).size(), 1U);
	EXPECT_TRUE(of<SetRecord>(actions).front().kept[shardOf(mine)]);
}

TEST_F(FleetBegins, AsFirstFromTheNewestState)
{
	const auto mine = issuerOf({"me", "b"});
	const auto others = issuerOf({"b", "me"});
	configure({mine, others});
	join({"b"});
	const auto begins = of<Begin>(settle({state(mine, "b", 10s), state(mine, "gone", 30s), state(others, "b", 30s)}));
	ASSERT_EQ(begins.size(), 1U);
	EXPECT_EQ(begins.front().issuer, mine);
	ASSERT_TRUE(begins.front().state);
	EXPECT_EQ(begins.front().state->text, "text of gone");
}

TEST_F(FleetBegins, WithALookUpWhereTheClockOfTheStatesWriterIsFarAheadAlsoOnceThatIsGone)
{
	const auto mine = issuerOf({"me", "b", "c"});
	configure({mine});
	hear(Joined{});
	auto ahead = member("b", names);
	ahead.record.written += 30s;
	auto closer = member("c", names);
	closer.record.written += 5s; // R/8 is 7.5 s
	hear(MembersListed{{ahead, closer}});
	hear(MemberGone{"b"});
	const auto ofB = of<Begin>(settle({state(mine, "b", 60s)}));
	ASSERT_EQ(ofB.size(), 1U);
	EXPECT_FALSE(ofB.front().state);

	const auto other = issuerOf({"me", "c"});
	configure({other});
	const auto ofC = of<Begin>(settle({state(other, "c", 60s)}));
	ASSERT_EQ(ofC.size(), 1U);
	EXPECT_TRUE(ofC.front().state);
}

TEST_F(FleetBegins, NothingBeforeItHasReadTheStates)
{
	configure({issuerOf({"me", "b"})});
	join({"b"});
	const auto actions = plan.due(moment);
	EXPECT_EQ(of<ReadStates>(actions).size(), 1U);
	EXPECT_TRUE(of<Begin>(actions).empty());
}

TEST_F(FleetBegins, WithALookUpWhereNoStateTells)
{
	const auto mine = issuerOf({"me", "b"});
	configure({mine});
	join({"b"});
	auto starting = state(mine, "b", 30s);
	starting.state = ISSUER_STATE_STARTING;
	const auto begins = of<Begin>(settle({starting}));
	ASSERT_EQ(begins.size(), 1U);
	EXPECT_FALSE(begins.front().state);
}

TEST_F(FleetBegins, ReadsAgainAfterAReadThatFailed)
{
	const auto mine = issuerOf({"me", "b"});
	configure({mine});
	join({"b"});
	(void)plan.due(moment);
	hear(ReadFailed{{shardOf(mine)}});
	EXPECT_TRUE(of<ReadStates>(plan.due(moment)).empty());
	EXPECT_EQ(of<ReadStates>(pass(2s)).size(), 1U);
}

TEST_F(FleetBegins, ItSaysSoAfterItsStatesAreWritten)
{
	const auto mine = issuerOf({"me", "b"});
	configure({mine});
	join({"b"});
	for (const auto& record : of<SetRecord>(settle({}))) {
		EXPECT_FALSE(record.kept[shardOf(mine)]);
	}
	tell(mine, ISSUER_STATE_STARTING);
	const auto actions = plan.due(moment);
	ASSERT_EQ(actions.size(), 2U);
	EXPECT_TRUE(std::holds_alternative<WriteStates>(actions[0]));
	ASSERT_TRUE(std::holds_alternative<SetRecord>(actions[1]));
	EXPECT_TRUE(std::get<SetRecord>(actions[1]).kept[shardOf(mine)]);
}

TEST_F(FleetBegins, ANewListTakesBackTheShardUntilItsNewIssuersRun)
{
	const auto mine = issuerOf({"me", "b"});
	configure({mine});
	join({"b"});
	settle({});
	tell(mine, ISSUER_STATE_ACTIVE);
	settle({});
	std::string sibling;
	for (unsigned number = 0; sibling.empty(); ++number) {
		const auto name = "sibling-" + std::to_string(number);
		sibling = shardOf(name) == shardOf(mine) ? name : "";
	}
	configure({mine, sibling});
	const auto records = of<SetRecord>(settle({}));
	ASSERT_EQ(records.size(), 1U);
	EXPECT_FALSE(records.front().kept[shardOf(mine)]);
	EXPECT_EQ(records.front().lists, digestsOf({mine, sibling}));
	EXPECT_EQ(plan.whyKept(mine), Why::first);
}

TEST_F(FleetBegins, ARetriedRenewalStaysDueWhenItWas)
{
	const auto mine = issuerOf({"me", "b"});
	configure({mine});
	join({"b"});
	settle({});
	tell(mine, ISSUER_STATE_ACTIVE, 0s);
	settle({});
	const auto due = moment.wall;
	moment.wall += 5s;
	tell(mine, ISSUER_STATE_RETRYING, 7s);
	const auto writes = of<WriteStates>(plan.due(moment));
	ASSERT_EQ(writes.size(), 1U);
	EXPECT_EQ(writes.front().states.front().next, due);
}

/// This host keeps an issuer, and then a member joins that claims it first.
class FleetLetsGoToB : public PlanTest
{
protected:
	FleetLetsGoToB()
	{
		configure({mine});
		join({});
		settle({});
		tell(mine, ISSUER_STATE_ACTIVE);
		settle({});
	}

	const std::string mine = issuerOf({"b", "me"});
};

TEST_F(FleetLetsGoToB, WhenThatKeepsTheShardWithTheSameList)
{
	hear(MemberPut{member("b", names, false)});
	EXPECT_TRUE(of<LetGo>(pass(30s)).empty());
	hear(MemberPut{member("b", names)});
	EXPECT_EQ(of<LetGo>(plan.due(moment)).size(), 1U);
	EXPECT_EQ(plan.whyKept(mine), std::nullopt);
}

TEST_F(FleetLetsGoToB, AnIssuerThatAPlanBeforeThisOneHadBegunAsSoonAsThatKeepsIt)
{
	Plan next{{.member = "me", .run = "12345678", .takeover = takeover}, std::vector<std::string>{"me"}};
	next.configure(moment, names);
	next.adopt(mine);
	EXPECT_TRUE(next.whyKept(mine));
	next.heard(moment, Joined{});
	next.heard(moment, MembersListed{{member("b", names, false)}});
	EXPECT_TRUE(of<LetGo>(next.due(moment)).empty());
	next.heard(moment, MemberPut{member("b", names)});
	EXPECT_EQ(of<LetGo>(next.due(moment)).size(), 1U);
}

TEST_F(FleetLetsGoToB, NotWhereItsListIsAnother)
{
	auto other = member("b", names);
	other.lists[digestOf(shardOf(mine))] += 1;
	hear(MemberPut{other});
	EXPECT_TRUE(of<LetGo>(pass(30s)).empty());
}

TEST_F(FleetLetsGoToB, NotWhileTheEngineIsAway)
{
	hear(Away{"no answer"});
	hear(MemberPut{member("b", names)});
	EXPECT_TRUE(of<LetGo>(pass(30s, false)).empty());
	answer();
	EXPECT_EQ(of<LetGo>(plan.due(moment)).size(), 1U);
}

TEST_F(FleetLetsGoToB, NotAfterAPauseOfItsOwnBeforeTheEngineHasAnswered)
{
	const auto before = moment.boot;
	moment.boot += 6s;
	moment.wall += 6s;
	hear(MemberPut{member("b", names)});
	hear(Answered{before});
	EXPECT_TRUE(of<LetGo>(plan.due(moment)).empty());
	answer();
	EXPECT_EQ(of<LetGo>(plan.due(moment)).size(), 1U);
}

TEST_F(FleetLetsGoToB, AndDeletesItsStateOnlyOnceTheOtherTellsAsMuch)
{
	const auto left = state(mine, "me", 60s);
	auto starting = state(mine, "b", 60s);
	starting.state = ISSUER_STATE_STARTING;
	hear(MemberPut{member("b", names)});
	EXPECT_TRUE(of<DeleteStates>(settle({left, starting})).empty());
	pass(10s);
	hear(StatesRead{{shardOf(mine)}, {left, starting}});
	EXPECT_TRUE(of<DeleteStates>(plan.due(moment)).empty());
	hear(StatesRead{{shardOf(mine)}, {left, state(mine, "b", 60s)}});
	const auto deletes = of<DeleteStates>(plan.due(moment));
	ASSERT_EQ(deletes.size(), 1U);
	EXPECT_EQ(deletes.front().names, (std::vector<StateName>{{mine, "me"}}));
}

TEST_F(FleetLetsGo, TheStateOfAMemberThatIsGoneAfterItsOwnIsWritten)
{
	const auto mine = issuerOf({"me", "b"});
	configure({mine});
	join({"b"});
	const std::vector<State> states{state(mine, "gone", 30s), state(mine, "b", 30s)};
	EXPECT_TRUE(of<DeleteStates>(settle(states)).empty());
	tell(mine, ISSUER_STATE_ACTIVE, 30s);
	settle(states);
	pass(14s);
	hear(StatesRead{{shardOf(mine)}, states});
	EXPECT_TRUE(of<DeleteStates>(plan.due(moment)).empty()) << "it may have joined, and the news of it be late";
	pass(1s);
	hear(StatesRead{{shardOf(mine)}, states});
	const auto deletes = of<DeleteStates>(plan.due(moment));
	ASSERT_EQ(deletes.size(), 1U);
	EXPECT_EQ(deletes.front().names, (std::vector<StateName>{{mine, "gone"}}));
}

TEST_F(FleetLetsGo, TheStateOfAMemberOfWhichNoNewsHadComeStays)
{
	const auto mine = issuerOf({"me", "b", "late"});
	configure({mine});
	join({"b"});
	tell(mine, ISSUER_STATE_ACTIVE, 30s);
	const std::vector<State> states{state(mine, "late", 30s)};
	settle(states);
	tell(mine, ISSUER_STATE_ACTIVE, 30s);
	pass(10s);
	hear(MemberPut{member("late", names)});
	hear(MemberGone{"late"}); // it loses its lease, and comes back unheard
	pass(10s);
	hear(StatesRead{{shardOf(mine)}, states});
	EXPECT_TRUE(of<DeleteStates>(plan.due(moment)).empty());
}

TEST_F(FleetWithoutEngine, NothingIsBegunAsFirst)
{
	configure({issuerOf({"b", "me"})});
	join({"b"});
	settle({state(names.front(), "b", 100s)});
	hear(Away{"no answer"});
	hear(MemberGone{"b"});
	hear(StatesRead{{shardOf(names.front())}, {}});
	EXPECT_TRUE(of<Begin>(pass(15s, false)).empty());
}

TEST_F(FleetWithoutEngine, AStartBeginsAllAfterThreeTimesTIfThatIsLittle)
{
	configure({"web", "api"});
	hear(Away{"no answer"});
	EXPECT_TRUE(of<Begin>(pass(29s, false)).empty());
	const auto begins = of<Begin>(pass(2s, false));
	ASSERT_EQ(begins.size(), 2U);
	EXPECT_EQ(begins.front().why, Why::withoutEngine);
}

TEST_F(FleetWithoutEngine, AStartThatHasSeenNoMembersWatchesOverNothing)
{
	Plan many({.member = "me", .run = "12345678", .takeover = takeover, .issuersWithoutRing = 1});
	many.configure(moment, {"web", "api"});
	many.heard(moment, Away{"no answer"});
	for (int second = 0; second < 120; ++second) {
		moment.boot += 1s;
		EXPECT_TRUE(of<Begin>(many.due(moment)).empty()) << second;
	}
}

TEST_F(FleetWithoutEngine, AHostIsSettledOnceItHasBegunOrJoined)
{
	configure({"web"});
	pass(29s, false);
	EXPECT_FALSE(plan.outlook(moment).settled);
	pass(2s, false);
	EXPECT_TRUE(plan.outlook(moment).settled);

	Plan other({.member = "me", .run = "12345678", .takeover = takeover});
	other.configure(moment, {"web"});
	EXPECT_FALSE(other.outlook(moment).settled);
	other.heard(moment, Joined{});
	other.heard(moment, LeaseLost{});
	other.heard(moment, Away{"no answer"});
	EXPECT_TRUE(other.outlook(moment).settled);
}

TEST_F(FleetWithoutEngine, AStartBeginsNothingIfThatIsMuchAndSaysSo)
{
	Plan many({.member = "me", .run = "12345678", .takeover = takeover, .issuersWithoutRing = 1});
	many.configure(moment, {"web", "api"});
	many.heard(moment, Away{"no answer"});
	static_cast<void>(many.due(moment));
	Actions all;
	for (int second = 0; second < 60; ++second) {
		moment.boot += 1s;
		keep(all, many.due(moment));
	}
	EXPECT_TRUE(of<Begin>(all).empty());
	ASSERT_EQ(of<Tell>(all).size(), 1U);
	EXPECT_EQ(of<Tell>(all).front().level, ISSUER_LOG_ERROR);
}

TEST_F(FleetWithoutEngine, AStartBeginsWhatTheRingLastSeenRanksItThirdOf)
{
	Plan known({.member = "me", .run = "12345678", .takeover = takeover, .issuersWithoutRing = 0},
		std::vector<std::string>{"b", "c", "d", "me"});
	const auto third = issuerOf({"b", "c", "me", "d"});
	known.configure(moment, {third, issuerOf({"b", "c", "d", "me"})});
	moment.boot += 30s;
	const auto begins = of<Begin>(known.due(moment));
	ASSERT_EQ(begins.size(), 1U);
	EXPECT_EQ(begins.front().issuer, third);
}

} // namespace issuer::fleet
