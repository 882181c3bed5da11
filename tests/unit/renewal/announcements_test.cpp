#include "renewal/format.h"

#include "keeper_fixture.h"

#include <gmock/gmock.h>

/// Reports for operators: rare, and with the facts they need to act.
namespace issuer::vault::renewal::test {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Format, DatesAreWrittenInUtc)
{
	EXPECT_EQ(format::date(KeeperFixture::christmasEve()), "2026-12-24T10:00:00Z");
	EXPECT_EQ(format::date(WallTime{}), "1970-01-01T00:00:00Z");
}

TEST(Format, LengthsAreTheTwoLargestUnits)
{
	EXPECT_EQ(format::lifeInWords(-5s), "0 s");
	EXPECT_EQ(format::lifeInWords(2500ms), "2.5 s");
	EXPECT_EQ(format::lifeInWords(45s), "45 s");
	EXPECT_EQ(format::lifeInWords(125s), "2 min 5 s");
	EXPECT_EQ(format::lifeInWords(3h + 12min + 5s), "3 h 12 min");
	EXPECT_EQ(format::lifeInWords(76h), "3 d 4 h");
}

TEST(Format, EndIsADateAndWhatIsLeft)
{
	EXPECT_EQ(format::until(KeeperFixture::christmasEve(), KeeperFixture::christmasEve() - 3h),
		"2026-12-24T10:00:00Z (3 h 0 min)");
	EXPECT_EQ(format::until(std::nullopt, KeeperFixture::christmasEve()), "an unknown time");
}

TEST(KeeperEvents, StateFollowsAnOutcome)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s));
	EXPECT_THAT(fixture.changes(), ElementsAre(State::starting, State::active));
	fixture.forget().meet(away());
	ASSERT_EQ(fixture.events.size(), 2U);
	EXPECT_EQ(fixture.events[0].outcome, Outcome::failure);
	EXPECT_EQ(fixture.events[0].state, State::retrying) << "the state after it";
	EXPECT_EQ(fixture.events[1].outcome, Outcome::none);
	EXPECT_EQ(fixture.events[1].attempt, 0U);
}

TEST(KeeperEvents, StateIsToldAtChangesOnly)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).forget();
	for (int round = 0; round < 5; ++round) {
		fixture.meet(Grant{3600s, false});
	}
	EXPECT_THAT(fixture.changes(), IsEmpty());
	fixture.meet(away()).meet(away()).meet(away());
	EXPECT_THAT(fixture.changes(), ElementsAre(State::retrying));
}

TEST(KeeperEvents, AttemptsOfOneRenewalAreCounted)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).forget().meet(away()).meet(away()).meet(Grant{3600s, false});
	std::vector<std::uint32_t> attempts;
	for (const auto& event : fixture.events) {
		if (event.outcome != Outcome::none) {
			attempts.push_back(event.attempt);
		}
	}
	EXPECT_THAT(attempts, ElementsAre(1U, 2U, 3U));
}

TEST(KeeperEvents, TellWhenAndUntilWhen)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).forget().meet(Grant{60s, false}, 0ms);
	const auto& event = fixture.events.at(0);
	EXPECT_EQ(event.when, fixture.now.wall);
	EXPECT_EQ(event.ttl, 60s);
	EXPECT_EQ(event.expires, fixture.now.wall + 60s);
	EXPECT_EQ(event.next, fixture.now.wall + 30s);
}

TEST(KeeperEvents, CountersAreThoseOfTheEvents)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).meet(away()).meet(Grant{3600s, false}).meet(Grant{900s, true});
	const auto snapshot = fixture.keeper.snapshot();
	EXPECT_EQ(snapshot.successes, 2U);
	EXPECT_EQ(snapshot.failures, 1U);
	EXPECT_EQ(snapshot.notRenewables, 1U);
	EXPECT_THAT(
		fixture.outcomes(), ElementsAre(Outcome::failure, Outcome::success, Outcome::success, Outcome::notRenewable));
}

TEST(KeeperNotes, FirstFailureTellsTheRestOfLifeAndTheNextTry)
{
	KeeperFixture fixture;
	fixture.begin(token(7200s, 7200s)).forget().meet(away());
	ASSERT_EQ(fixture.notes.size(), 1U);
	EXPECT_EQ(fixture.notes[0].level, Level::warn);
	EXPECT_EQ(fixture.notes[0].text,
		"what the server said; attempt 1; alive until 2026-12-24T12:00:00Z (1 h 0 min); next try in 1 s");
}

TEST(KeeperNotes, FailuresAreNotedAtDoublingCounts)
{
	KeeperFixture fixture;
	fixture.begin(token(10h, 10h)).forget();
	std::vector<int> noted;
	for (int failure = 1; failure <= 20; ++failure) {
		const auto before = fixture.notes.size();
		fixture.meet(away());
		if (fixture.notes.size() > before) {
			noted.push_back(failure);
		}
	}
	EXPECT_THAT(noted, ElementsAre(1, 2, 4, 8, 16));
}

TEST(KeeperNotes, RecoveryTellsTheLengthOfTheOutageAndTheTries)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).meet(unreachable()).meet(unreachable()).forget().meet(Grant{3600s, false});
	ASSERT_EQ(fixture.notes.size(), 1U);
	EXPECT_EQ(fixture.notes[0].level, Level::info);
	EXPECT_THAT(
		fixture.notes[0].text, HasSubstr("recovered after 2 failed attempts in 3 s; alive until 2026-12-24T11:"));
}

TEST(KeeperNotes, GoodRenewalsAreSilent)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).forget();
	for (int round = 0; round < 100; ++round) {
		fixture.meet(Grant{60s, false});
	}
	EXPECT_THAT(fixture.notes, IsEmpty());
}

TEST(KeeperNotes, FlappingServerFillsNoLog)
{
	KeeperFixture fixture;
	fixture.begin(token(8s, 8s)).forget();
	const auto end = fixture.now.boot + 24h;
	while (fixture.now.boot < end) {
		fixture.meet(away()).meet(Grant{8s, false});
	}
	EXPECT_LE(fixture.notes.size(), 8U + 24 * 6);
}

TEST(KeeperNotes, DeathsWithoutEndFillNoLogEither)
{
	KeeperFixture fixture;
	fixture.begin(token(2s, 2s)).forget();
	const auto start = fixture.now.boot;
	for (int round = 0; round < 100; ++round) {
		fixture.meet(timedOut(), 2s).meet(timedOut(), 2s).meet(timedOut(), 2s).meet(Grant{2s, false}, 0ms);
	}
	EXPECT_LE(fixture.notes.size(), static_cast<std::size_t>(12 + (fixture.now.boot - start) / 10min));
}

TEST(KeeperNotes, DeathIsToldHoweverMuchWasTold)
{
	KeeperFixture fixture;
	fixture.begin(token(8s, 8s));
	for (int round = 0; round < 20; ++round) {
		fixture.meet(away()).meet(Grant{8s, false});
	}
	fixture.meetUntil(*fixture.keeper.expiry(), refusal()).forget().meet(refusal());
	ASSERT_EQ(fixture.notes.size(), 1U);
	EXPECT_EQ(fixture.notes[0].level, Level::error);
	EXPECT_THAT(fixture.notes[0].text, AllOf(HasSubstr("the token ended at 2026-12-24T10:0"), HasSubstr("replace")));
}

struct Bound
{
	const char* name;
	std::vector<Answer> answers;
	const char* says;
};

class KeeperTextsForTheOperator : public testing::TestWithParam<Bound>
{
};

TEST_P(KeeperTextsForTheOperator, TellTheHourOfDeathAndWhatToDo)
{
	KeeperFixture fixture;
	fixture.begin();
	for (const auto& answer : GetParam().answers) {
		fixture.meet(answer);
	}
	EXPECT_THAT(fixture.lastEvent().detail,
		AllOf(HasSubstr(GetParam().says), HasSubstr("2026-12-24T1"), HasSubstr("replace the token")));
	EXPECT_THAT(fixture.notes.back().text, HasSubstr(fixture.lastEvent().detail));
	EXPECT_EQ(fixture.notes.back().level, Level::warn);
}

Answer with(bool batch, bool renewable, std::int64_t usesLeft)
{
	auto facts = token(3600s, 3600s);
	facts.batch = batch;
	facts.renewable = renewable;
	facts.usesLeft = usesLeft;
	return facts;
}

Answer withMaxTtl()
{
	auto facts = token(3600s, 3600s);
	facts.explicitMaxTtl = 7200s;
	facts.creationTime = KeeperFixture::christmasEve();
	facts.expireTime = KeeperFixture::christmasEve() + 3600s;
	return facts;
}

INSTANTIATE_TEST_SUITE_P(Bounds, KeeperTextsForTheOperator,
	testing::Values(Bound{"Capped", {token(3600s, 3600s), Grant{900s, true}}, "reached its max TTL"},
		Bound{"Forecast", {withMaxTtl()}, "until its max TTL ends at 2026-12-24T12:00:0"},
		Bound{"Batch", {with(true, false, 0)}, "batch tokens cannot be renewed"},
		Bound{"NotRenewable", {with(false, false, 0)}, "does not renew this token"},
		Bound{"LimitedUses", {with(false, true, 3)}, "limited uses (num_uses)"},
		Bound{"Denied", {token(3600s, 3600s), policyRefusal()}, "the server will not renew it"}),
	[](const auto& instance) { return std::string(instance.param.name); });

TEST(KeeperCredential, ThatIsUnreadableKeepsTheOldTokenAndSaysSoOnce)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).forget();
	for (int round = 0; round < 3; ++round) {
		fixture.take();
		fixture.hear(fixture.keeper.credentialUnreadable(fixture.now, true, "/run/token is empty"))
			.answer(Grant{60s, false});
	}
	EXPECT_THAT(fixture.outcomes(), Each(Outcome::success));
	EXPECT_THAT(fixture.lines(),
		ElementsAre(AllOf(HasSubstr("/run/token is empty"), HasSubstr("the token in use stays in use"))));
	fixture.forget().hear(fixture.keeper.candidateGone(fixture.now)).take();
	fixture.hear(fixture.keeper.credentialUnreadable(fixture.now, true, "/run/token is empty"));
	EXPECT_EQ(fixture.notes.size(), 1U) << "it was readable meanwhile";
}

TEST(KeeperCredential, ThatIsUnreadableAtStartFailsTheAttempt)
{
	KeeperFixture fixture;
	fixture.begin().take();
	fixture.hear(fixture.keeper.credentialUnreadable(fixture.now, false, "/run/token: no such file"));
	EXPECT_EQ(fixture.state(), State::starting);
	EXPECT_EQ(fixture.reason(), Reason::credentialUnreadable);
	EXPECT_THAT(fixture.outcomes(), ElementsAre(Outcome::failure));
	EXPECT_TRUE(fixture.keeper.settled());
	EXPECT_EQ(fixture.pause(), 1s);
	EXPECT_THAT(fixture.lastEvent().detail, HasSubstr("no such file"));
}

TEST(KeeperCredential, FirstOneReadIsAskedAboutAtOnce)
{
	KeeperFixture fixture;
	fixture.begin().take();
	fixture.hear(fixture.keeper.credentialUnreadable(fixture.now, false, "no such file"));
	fixture.forget().wait(500ms).hear(fixture.keeper.candidateFound(fixture.now));
	EXPECT_EQ(fixture.pause(), 0s);
	EXPECT_FALSE(fixture.keeper.hasCandidate()) << "there is no other";
	fixture.meet(token(60s, 60s));
	EXPECT_EQ(fixture.state(), State::active);
}

TEST(KeeperCredential, ReplacedIsToldOnceTheServerHasAcceptedIt)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).forget().hear(fixture.keeper.candidateFound(fixture.now));
	EXPECT_THAT(fixture.events, IsEmpty());
	fixture.meet(token(30s, 30s));
	EXPECT_EQ(fixture.lastEvent().state, State::active);
	EXPECT_THAT(fixture.lastEvent().detail, HasSubstr("renewed 15 s after"));
}

TEST(KeeperRenewNow, RenewsAnActiveTokenAtOnce)
{
	KeeperFixture fixture;
	fixture.begin(token(3600s, 3600s)).wait(5s).keeper.renewNow(fixture.now);
	EXPECT_EQ(fixture.pause(), 0s);
	EXPECT_EQ(fixture.take().operation, Operation::renew);
}

TEST(KeeperRenewNow, AsksATokenThatCannotBeRenewedHowItIs)
{
	KeeperFixture fixture;
	fixture.begin(with(true, false, 0)).forget().wait(5s).keeper.renewNow(fixture.now);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
	fixture.answer(with(true, false, 0));
	EXPECT_THAT(fixture.events, IsEmpty()) << "as before";
	EXPECT_GT(fixture.pause(), 3000s);
}

TEST(KeeperRenewNow, FindsARevokedRootTokenDead)
{
	auto root = token(0s, 0s);
	root.expires = false;
	KeeperFixture fixture;
	fixture.begin(root).wait(5s).keeper.renewNow(fixture.now);
	fixture.meet(refusal()).meet(refusal()).meet(refusal()).meet(refusal());
	EXPECT_EQ(fixture.state(), State::starting) << "what refuses it may heal, and no end has passed";
	fixture.meet(refusal());
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_EQ(fixture.reason(), Reason::refused);
}

TEST(KeeperRenewNow, ConfirmsACap)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).meet(Grant{20s, true}).wait(5s).keeper.renewNow(fixture.now);
	EXPECT_EQ(fixture.take().operation, Operation::renew);
}

TEST(KeeperRenewNow, DoesNothingWhileAnAnswerIsAwaited)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).take();
	fixture.keeper.renewNow(fixture.now);
	EXPECT_EQ(fixture.keeper.next(), std::nullopt);
}

} // namespace
} // namespace issuer::vault::renewal::test
