#include "keeper_fixture.h"

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
		fixture.begin(token(60s, 60s)).meet(Grant{60s, false}, 0ms);
		fixture.meetUntil(*fixture.keeper.expiry(), refusal()).meet(refusal());
		ASSERT_EQ(fixture.state(), State::expired);
	}

	KeeperFixture fixture;
};

TEST_F(KeeperDeath, IsToldOnce)
{
	EXPECT_EQ(fixture.changes().back(), State::expired);
	EXPECT_EQ(fixture.notes.back().level, Level::error);
	fixture.forget().meetUntil(fixture.now.boot + 24h, refusal());
	EXPECT_THAT(fixture.events, IsEmpty());
	EXPECT_THAT(fixture.notes, IsEmpty());
}

TEST_F(KeeperDeath, IsProbedByLookUpsAfterFiveMinutesDoublingToAnHour)
{
	std::vector<Duration> pauses;
	for (int probe = 0; probe < 6; ++probe) {
		pauses.push_back(*fixture.pause());
		EXPECT_EQ(fixture.take().operation, Operation::lookUp);
		fixture.answer(probe % 2 == 0 ? refusal() : away());
	}
	EXPECT_THAT(pauses, ElementsAre(5min, 10min, 20min, 40min, 1h, 1h));
}

TEST_F(KeeperDeath, CostsFewRequestsADay)
{
	fixture.forget().meetUntil(fixture.now.boot + 24h, refusal());
	EXPECT_LE(fixture.starts.size(), 40U);
}

TEST_F(KeeperDeath, TokenThatIsAcceptedAgainIsRenewedAtOnce)
{
	fixture.meet(token(30s, 60s));
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_LE(fixture.pause(), 1s);
	EXPECT_EQ(fixture.take().operation, Operation::renew);
}

TEST_F(KeeperDeath, ProbeThatAPolicyForbidsIsASignOfLife)
{
	EXPECT_EQ(fixture.meet(policyRefusal()).take().operation, Operation::renew);
	fixture.answer(Grant{60s, false});
	EXPECT_EQ(fixture.state(), State::active);
}

TEST_F(KeeperDeath, RenewNowProbesAtOnce)
{
	fixture.wait(2s).keeper.renewNow(fixture.now);
	EXPECT_EQ(fixture.pause(), 0s);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
}

TEST_F(KeeperDeath, IsNoUrgency)
{
	EXPECT_EQ(fixture.keeper.expiry(), std::nullopt);
}

TEST(KeeperDeathBeforeAnyLife, IsProbedSoonerSinceItsEndIsNotKnown)
{
	KeeperFixture fixture;
	fixture.beginRefused();
	EXPECT_EQ(fixture.pause(), 1min);
	fixture.forget().meetUntil(fixture.now.boot + 24h, refusal());
	EXPECT_LE(fixture.starts.size(), 40U);
}

TEST(KeeperDeathOfTheUnrenewable, IsSeenByOneLookUpAtItsEnd)
{
	KeeperFixture fixture;
	auto facts = token(60s, 60s);
	facts.batch = true;
	fixture.begin(facts).forget().meet(refusal());
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_THAT(fixture.outcomes(), IsEmpty());
	EXPECT_EQ(fixture.starts.size(), 1U);
}

TEST(KeeperDeathOfTheUnrenewable, IsNotHurriedByLookUpsThatAPolicyForbids)
{
	auto batch = token(600s, 600s);
	batch.batch = true;
	KeeperFixture fixture;
	fixture.begin(batch).meet(policyRefusal()).meet(policyRefusal());
	EXPECT_EQ(fixture.state(), State::notRenewable) << "only living tokens are denied";
	EXPECT_GE(*fixture.pause(), 60s);
}

TEST(KeeperDeathOfTheUnrenewable, ComesAtItsEndThoughRefusedBefore)
{
	KeeperFixture fixture;
	auto facts = token(60s, 60s);
	facts.batch = true;
	fixture.begin(facts).forget().wait(5s).keeper.renewNow(fixture.now);
	fixture.meetUntil(*fixture.keeper.expiry(), refusal()).meet(refusal());
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_EQ(fixture.reason(), Reason::expired);
}

TEST(KeeperDeathOfTheUnrenewable, IsNotProvedByARefusalBeforeItsEnd)
{
	for (const bool batch : {true, false}) {
		KeeperFixture fixture;
		auto facts = token(3600s, 3600s);
		facts.batch = batch;
		facts.renewable = batch;
		fixture.begin(facts).forget().wait(5s).keeper.renewNow(fixture.now);
		fixture.meet(refusal());
		EXPECT_EQ(fixture.state(), State::retrying) << "a wrong source address, a disabled entity: they heal";
		EXPECT_EQ(fixture.reason(), Reason::refused);
		EXPECT_EQ(fixture.notes.back().level, Level::warn);
		EXPECT_EQ(fixture.pause(), 60s);
		EXPECT_EQ(fixture.take().operation, Operation::lookUp) << "no renewal would be granted";
		fixture.answer(refusal());
		EXPECT_EQ(fixture.pause(), 120s);
		facts.ttl = 3400s;
		fixture.meet(facts);
		EXPECT_EQ(fixture.state(), State::notRenewable);
	}
}

TEST(KeeperDeathOfTheUnrenewable, IsCertainAtItsEndThoughTheServerIsAway)
{
	KeeperFixture fixture;
	auto facts = token(60s, 60s);
	facts.renewable = false;
	fixture.begin(facts).meet(away());
	EXPECT_EQ(fixture.state(), State::expired);
	EXPECT_EQ(fixture.reason(), Reason::expired);
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
		fixture.begin();
		for (const auto& answer : GetParam().answers) {
			fixture.meet(answer);
		}
		ASSERT_EQ(fixture.state(), GetParam().state);
		fixture.forget();
	}

	KeeperFixture fixture;
};

TEST_P(KeeperInState, NewCredentialBeginsANewLifeOnceItIsAccepted)
{
	fixture.wait(600ms).hear(fixture.keeper.candidateFound(fixture.now));
	EXPECT_EQ(fixture.pause(), 0s);
	const bool oldOneMayLive = GetParam().state != State::starting && GetParam().state != State::expired;
	EXPECT_EQ(fixture.keeper.hasCandidate(), oldOneMayLive);
	EXPECT_EQ(fixture.state(), oldOneMayLive ? GetParam().state : State::starting);
	const auto attempt = fixture.take();
	EXPECT_EQ(attempt.operation, Operation::lookUp);
	EXPECT_EQ(attempt.token, oldOneMayLive ? Token::candidate : Token::current);
	fixture.answer(token(60s, 60s));
	EXPECT_FALSE(fixture.keeper.hasCandidate());
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.keeper.snapshot().consecutiveFailures, 0U);
	EXPECT_EQ(fixture.keeper.snapshot().cappedAt, std::nullopt);
	EXPECT_EQ(fixture.changes().back(), State::active);
}

TEST_P(KeeperInState, AnswerThatSpeaksOfATokenGivenUpIsIgnored)
{
	fixture.wait(600ms).hear(fixture.keeper.candidateFound(fixture.now)).take();
	fixture.hear(fixture.keeper.candidateFound(fixture.now)).forget().answer(token(10s, 10s));
	EXPECT_THAT(fixture.events, IsEmpty());
	EXPECT_NE(fixture.keeper.next(), std::nullopt);
}

TEST_P(KeeperInState, StopLeadsToStoppedAndToNoLaterOutput)
{
	if (fixture.keeper.next()) {
		fixture.take();
	}
	fixture.hear(fixture.keeper.stopped(fixture.now));
	EXPECT_THAT(fixture.changes(), ElementsAre(State::stopped));
	EXPECT_THAT(fixture.outcomes(), IsEmpty());
	EXPECT_EQ(fixture.state(), State::stopped);
	EXPECT_EQ(fixture.keeper.next(), std::nullopt);
	fixture.forget().answer(Grant{60s, false});
	fixture.hear(fixture.keeper.stopped(fixture.now)).hear(fixture.keeper.candidateFound(fixture.now));
	fixture.hear(fixture.keeper.credentialUnreadable(fixture.now, false, "no such file"));
	fixture.keeper.renewNow(fixture.now);
	EXPECT_THAT(fixture.events, IsEmpty());
	EXPECT_THAT(fixture.notes, IsEmpty());
	EXPECT_EQ(fixture.keeper.next(), std::nullopt);
}

TEST_P(KeeperInState, StartAfterStopBeginsANewLife)
{
	const auto failures = fixture.keeper.snapshot().failures;
	fixture.hear(fixture.keeper.stopped(fixture.now)).wait(1s).begin(token(60s, 60s));
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_EQ(fixture.keeper.snapshot().failures, failures) << "counters stay";
}

TEST_P(KeeperInState, AnotherKeeperGoesOnFromItsMemory)
{
	const auto before = fixture.keeper.snapshot();
	fixture.hear(fixture.keeper.stopped(fixture.now)).forget();

	KeeperFixture next(steady(), 99);
	next.now = fixture.now;
	next.hear(next.keeper.resume(next.now, fixture.keeper.memory()));
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
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).take();
	fixture.wait(2s).hear(fixture.keeper.stopped(fixture.now));
	KeeperFixture next;
	next.now = fixture.now;
	next.hear(next.keeper.resume(next.now, fixture.keeper.memory()));
	EXPECT_EQ(next.pause(), 0s);
	EXPECT_EQ(next.take().operation, Operation::renew);
}

TEST(KeeperHandover, AnAttemptThatWasOutMayHaveProlongedTheToken)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).take();
	fixture.wait(2s).hear(fixture.keeper.stopped(fixture.now));
	const auto& lease = fixture.keeper.memory().lease;
	EXPECT_EQ(lease.ifRenewedEarliest, fixture.starts.back() + 60s);
	EXPECT_EQ(lease.ifRenewedLatest, fixture.now.boot + 60s);
}

TEST(KeeperHandover, TimesThatHavePassedFireAtOnce)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).hear(fixture.keeper.stopped(fixture.now));
	KeeperFixture next;
	next.now = fixture.now;
	next.wait(50s).hear(next.keeper.resume(next.now, fixture.keeper.memory()));
	EXPECT_LE(next.pause(), 0s);
}

TEST(KeeperHandover, NoteOfAnOutageIsNotRepeatedAndItsEndIsTold)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).meet(away()).hear(fixture.keeper.stopped(fixture.now));
	KeeperFixture next;
	next.now = fixture.now;
	next.hear(next.keeper.resume(next.now, fixture.keeper.memory())).meet(Grant{60s, false});
	ASSERT_EQ(next.notes.size(), 1U);
	EXPECT_THAT(next.notes[0].text, testing::HasSubstr("recovered after 1 failed attempt in"));
}

TEST(KeeperHandover, FleetDoesNotJitterAsOne)
{
	KeeperFixture fixture(Policy{});
	fixture.begin(token(3600s, 3600s)).hear(fixture.keeper.stopped(fixture.now));
	const auto pauseOf = [&](std::uint64_t seed) {
		KeeperFixture next(Policy{}, seed);
		next.now = fixture.now;
		next.hear(next.keeper.resume(next.now, fixture.keeper.memory())).meet(Grant{3600s, false});
		return *next.pause();
	};
	EXPECT_NE(pauseOf(1), pauseOf(2));
}

TEST(KeeperHandover, EmptyMemoryIsABeginning)
{
	KeeperFixture fixture;
	fixture.hear(fixture.keeper.resume(fixture.now, Memory{}));
	EXPECT_EQ(fixture.state(), State::starting);
	EXPECT_EQ(fixture.take().operation, Operation::lookUp);
}

TEST(KeeperHandover, LifeThatGoesOnIsNotReplaced)
{
	KeeperFixture fixture;
	fixture.begin(token(60s, 60s)).forget().hear(fixture.keeper.resume(fixture.now, Memory{}));
	EXPECT_EQ(fixture.state(), State::active);
	EXPECT_THAT(fixture.events, IsEmpty());
}

} // namespace
} // namespace issuer::vault::renewal::test
