#include "stage.h"

#include <gmock/gmock.h>

/// After death, and back: the requests about a dead token, and the events that bring life again.
namespace issuer::vault::renewal::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A token that has just died.
class KeeperDeath : public testing::Test
{
protected:
	void SetUp() override
	{
		stage.begin(token(60s, 60s)).meet(Grant{60s, false}, 0ms);
		stage.meetUntil(*stage.keeper.expiry(), refusal()).meet(refusal());
		ASSERT_EQ(stage.state(), State::expired);
	}

	Stage stage;
};

TEST_F(KeeperDeath, IsToldOnce)
{
	EXPECT_EQ(stage.changes().back(), State::expired);
	EXPECT_EQ(stage.notes.back().level, Level::error);
	stage.forget().meetUntil(stage.now.boot + 24h, refusal());
	EXPECT_THAT(stage.events, IsEmpty());
	EXPECT_THAT(stage.notes, IsEmpty());
}

TEST_F(KeeperDeath, IsProbedByLookUpsAfterFiveMinutesDoublingToAnHour)
{
	std::vector<Duration> pauses;
	for (int probe = 0; probe < 6; ++probe) {
		pauses.push_back(*stage.pause());
		EXPECT_EQ(stage.take().operation, Operation::lookUp);
		stage.answer(probe % 2 == 0 ? refusal() : away());
	}
	EXPECT_THAT(pauses, ElementsAre(5min, 10min, 20min, 40min, 1h, 1h));
}

TEST_F(KeeperDeath, CostsFewRequestsADay)
{
	stage.forget().meetUntil(stage.now.boot + 24h, refusal());
	EXPECT_LE(stage.starts.size(), 40U);
}

TEST_F(KeeperDeath, TokenThatIsAcceptedAgainIsRenewedAtOnce)
{
	stage.meet(token(30s, 60s));
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_LE(stage.pause(), 1s);
	EXPECT_EQ(stage.take().operation, Operation::renew);
}

TEST_F(KeeperDeath, ProbeThatAPolicyForbidsIsASignOfLife)
{
	EXPECT_EQ(stage.meet(policyRefusal()).take().operation, Operation::renew);
	stage.answer(Grant{60s, false});
	EXPECT_EQ(stage.state(), State::active);
}

TEST_F(KeeperDeath, RenewNowProbesAtOnce)
{
	stage.wait(2s).keeper.renewNow(stage.now);
	EXPECT_EQ(stage.pause(), 0s);
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
}

TEST_F(KeeperDeath, IsNoUrgency)
{
	EXPECT_EQ(stage.keeper.expiry(), std::nullopt);
}

TEST(KeeperDeathBeforeAnyLife, IsProbedSoonerSinceItsEndIsNotKnown)
{
	Stage stage;
	stage.beginRefused();
	EXPECT_EQ(stage.pause(), 1min);
	stage.forget().meetUntil(stage.now.boot + 24h, refusal());
	EXPECT_LE(stage.starts.size(), 40U);
}

TEST(KeeperDeathOfTheUnrenewable, IsSeenByOneLookUpAtItsEnd)
{
	Stage stage;
	auto facts = token(60s, 60s);
	facts.batch = true;
	stage.begin(facts).forget().meet(refusal());
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_THAT(stage.outcomes(), IsEmpty());
	EXPECT_EQ(stage.starts.size(), 1U);
}

TEST(KeeperDeathOfTheUnrenewable, ComesAtItsEndThoughRefusedBefore)
{
	Stage stage;
	auto facts = token(60s, 60s);
	facts.batch = true;
	stage.begin(facts).forget().wait(5s).keeper.renewNow(stage.now);
	stage.meetUntil(*stage.keeper.expiry(), refusal()).meet(refusal());
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_EQ(stage.reason(), Reason::expired);
}

TEST(KeeperDeathOfTheUnrenewable, IsNotProvedByARefusalBeforeItsEnd)
{
	for (const bool batch : {true, false}) {
		Stage stage;
		auto facts = token(3600s, 3600s);
		facts.batch = batch;
		facts.renewable = batch;
		stage.begin(facts).forget().wait(5s).keeper.renewNow(stage.now);
		stage.meet(refusal());
		EXPECT_EQ(stage.state(), State::retrying) << "a wrong source address, a disabled entity: they heal";
		EXPECT_EQ(stage.reason(), Reason::refused);
		EXPECT_EQ(stage.notes.back().level, Level::warn);
		EXPECT_EQ(stage.pause(), 60s);
		EXPECT_EQ(stage.take().operation, Operation::lookUp) << "no renewal would be granted";
		stage.answer(refusal());
		EXPECT_EQ(stage.pause(), 120s);
		facts.ttl = 3400s;
		stage.meet(facts);
		EXPECT_EQ(stage.state(), State::notRenewable);
	}
}

TEST(KeeperDeathOfTheUnrenewable, IsCertainAtItsEndThoughTheServerIsAway)
{
	Stage stage;
	auto facts = token(60s, 60s);
	facts.renewable = false;
	stage.begin(facts).meet(away());
	EXPECT_EQ(stage.state(), State::expired);
	EXPECT_EQ(stage.reason(), Reason::expired);
}

struct Situation
{
	const char* name;
	std::vector<Answer> answers;
	State state;
};

Answer bounded(bool batch, bool renewable, std::int64_t usesLeft, bool expires)
{
	auto facts = token(60s, 60s);
	facts.batch = batch;
	facts.renewable = renewable;
	facts.usesLeft = usesLeft;
	facts.expires = expires;
	return facts;
}

class KeeperInState : public testing::TestWithParam<Situation>
{
protected:
	void SetUp() override
	{
		stage.begin();
		for (const auto& answer : GetParam().answers) {
			stage.meet(answer);
		}
		ASSERT_EQ(stage.state(), GetParam().state);
		stage.forget();
	}

	Stage stage;
};

TEST_P(KeeperInState, NewCredentialBeginsANewLifeOnceItIsAccepted)
{
	stage.wait(600ms).hear(stage.keeper.candidateFound(stage.now));
	EXPECT_EQ(stage.pause(), 0s);
	const bool oldOneMayLive = GetParam().state != State::starting && GetParam().state != State::expired;
	EXPECT_EQ(stage.keeper.hasCandidate(), oldOneMayLive);
	EXPECT_EQ(stage.state(), oldOneMayLive ? GetParam().state : State::starting);
	const auto attempt = stage.take();
	EXPECT_EQ(attempt.operation, Operation::lookUp);
	EXPECT_EQ(attempt.token, oldOneMayLive ? Token::candidate : Token::current);
	stage.answer(token(60s, 60s));
	EXPECT_FALSE(stage.keeper.hasCandidate());
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.keeper.snapshot().consecutiveFailures, 0U);
	EXPECT_EQ(stage.keeper.snapshot().cappedAt, std::nullopt);
	EXPECT_EQ(stage.changes().back(), State::active);
}

TEST_P(KeeperInState, AnswerThatSpeaksOfATokenGivenUpIsIgnored)
{
	stage.wait(600ms).hear(stage.keeper.candidateFound(stage.now)).take();
	stage.hear(stage.keeper.candidateFound(stage.now)).forget().answer(token(10s, 10s));
	EXPECT_THAT(stage.events, IsEmpty());
	EXPECT_NE(stage.keeper.next(), std::nullopt);
}

TEST_P(KeeperInState, StopLeadsToStoppedAndToNoLaterOutput)
{
	if (stage.keeper.next()) {
		stage.take();
	}
	stage.hear(stage.keeper.stopped(stage.now));
	EXPECT_THAT(stage.changes(), ElementsAre(State::stopped));
	EXPECT_THAT(stage.outcomes(), IsEmpty());
	EXPECT_EQ(stage.state(), State::stopped);
	EXPECT_EQ(stage.keeper.next(), std::nullopt);
	stage.forget().answer(Grant{60s, false});
	stage.hear(stage.keeper.stopped(stage.now)).hear(stage.keeper.candidateFound(stage.now));
	stage.hear(stage.keeper.credentialUnreadable(stage.now, false, "no such file"));
	stage.keeper.renewNow(stage.now);
	EXPECT_THAT(stage.events, IsEmpty());
	EXPECT_THAT(stage.notes, IsEmpty());
	EXPECT_EQ(stage.keeper.next(), std::nullopt);
}

TEST_P(KeeperInState, StartAfterStopBeginsANewLife)
{
	const auto failures = stage.keeper.snapshot().failures;
	stage.hear(stage.keeper.stopped(stage.now)).wait(1s).begin(token(60s, 60s));
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_EQ(stage.keeper.snapshot().failures, failures) << "counters stay";
}

TEST_P(KeeperInState, AnotherKeeperGoesOnFromItsMemory)
{
	const auto before = stage.keeper.snapshot();
	stage.hear(stage.keeper.stopped(stage.now)).forget();

	Stage next(steady(), 99);
	next.now = stage.now;
	next.hear(next.keeper.resume(next.now, stage.keeper.memory()));
	const auto after = next.keeper.snapshot();
	EXPECT_EQ(after.state, before.state);
	EXPECT_EQ(after.reason, before.reason);
	EXPECT_EQ(after.next, before.next) << "no look-up";
	EXPECT_EQ(after.expires, before.expires);
	EXPECT_EQ(after.cappedAt, before.cappedAt);
	EXPECT_EQ(after.successes, before.successes);
	EXPECT_EQ(after.failures, before.failures);
	EXPECT_EQ(after.notRenewables, before.notRenewables);
	EXPECT_EQ(after.consecutiveFailures, before.consecutiveFailures);
	EXPECT_THAT(next.changes(), ElementsAre(before.state)) << "leaves STOPPED";
	EXPECT_THAT(next.outcomes(), IsEmpty());
	EXPECT_THAT(next.notes, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(States, KeeperInState,
	testing::Values(Situation{"Starting", {unreachable()}, State::starting},
		Situation{"Active", {token(60s, 60s), Grant{60s, false}}, State::active},
		Situation{"Retrying", {token(60s, 60s), away()}, State::retrying},
		Situation{"Refused", {token(60s, 60s), refusal()}, State::retrying},
		Situation{"Capped", {token(60s, 60s), Grant{20s, true}}, State::capped},
		Situation{"Batch", {bounded(true, false, 0, true)}, State::notRenewable},
		Situation{"LimitedUses", {bounded(false, true, 3, true)}, State::notRenewable},
		Situation{"NoExpiry", {bounded(false, false, 0, false)}, State::noExpiry},
		Situation{"Denied", {token(60s, 60s), policyRefusal()}, State::denied},
		Situation{"Expired", {refusal(), refusal(), refusal(), refusal(), refusal()}, State::expired}),
	[](const auto& instance) { return std::string(instance.param.name); });

TEST(KeeperHandover, AnAttemptThatWasOutIsMadeAgainAtOnce)
{
	Stage stage;
	stage.begin(token(60s, 60s)).take();
	stage.wait(2s).hear(stage.keeper.stopped(stage.now));
	Stage next;
	next.now = stage.now;
	next.hear(next.keeper.resume(next.now, stage.keeper.memory()));
	EXPECT_EQ(next.pause(), 0s);
	EXPECT_EQ(next.take().operation, Operation::renew);
}

TEST(KeeperHandover, AnAttemptThatWasOutMayHaveProlongedTheToken)
{
	Stage stage;
	stage.begin(token(60s, 60s)).take();
	stage.wait(2s).hear(stage.keeper.stopped(stage.now));
	const auto& lease = stage.keeper.memory().lease;
	EXPECT_EQ(lease.ifRenewedEarliest, stage.starts.back() + 60s);
	EXPECT_EQ(lease.ifRenewedLatest, stage.now.boot + 60s);
}

TEST(KeeperHandover, TimesThatHavePassedFireAtOnce)
{
	Stage stage;
	stage.begin(token(60s, 60s)).hear(stage.keeper.stopped(stage.now));
	Stage next;
	next.now = stage.now;
	next.wait(50s).hear(next.keeper.resume(next.now, stage.keeper.memory()));
	EXPECT_LE(next.pause(), 0s);
}

TEST(KeeperHandover, NoteOfAnOutageIsNotRepeatedAndItsEndIsTold)
{
	Stage stage;
	stage.begin(token(60s, 60s)).meet(away()).hear(stage.keeper.stopped(stage.now));
	Stage next;
	next.now = stage.now;
	next.hear(next.keeper.resume(next.now, stage.keeper.memory())).meet(Grant{60s, false});
	ASSERT_EQ(next.notes.size(), 1U);
	EXPECT_THAT(next.notes[0].text, testing::HasSubstr("recovered after 1 failed attempt in"));
}

TEST(KeeperHandover, FleetDoesNotJitterAsOne)
{
	Stage stage(Policy{});
	stage.begin(token(3600s, 3600s)).hear(stage.keeper.stopped(stage.now));
	const auto pauseOf = [&](std::uint64_t seed) {
		Stage next(Policy{}, seed);
		next.now = stage.now;
		next.hear(next.keeper.resume(next.now, stage.keeper.memory())).meet(Grant{3600s, false});
		return *next.pause();
	};
	EXPECT_NE(pauseOf(1), pauseOf(2));
}

TEST(KeeperHandover, EmptyMemoryIsABeginning)
{
	Stage stage;
	stage.hear(stage.keeper.resume(stage.now, Memory{}));
	EXPECT_EQ(stage.state(), State::starting);
	EXPECT_EQ(stage.take().operation, Operation::lookUp);
}

TEST(KeeperHandover, LifeThatGoesOnIsNotReplaced)
{
	Stage stage;
	stage.begin(token(60s, 60s)).forget().hear(stage.keeper.resume(stage.now, Memory{}));
	EXPECT_EQ(stage.state(), State::active);
	EXPECT_THAT(stage.events, IsEmpty());
}

} // namespace
} // namespace issuer::vault::renewal::test
