#include "fixture.h"

#include <Poco/NumberFormatter.h>

namespace issuer::vault::test {
namespace {

class HandoverTest : public InstanceTest
{
protected:
	/// Returns the state of an instance with this configuration after a look-up and a renewal.
	std::string handedOver(Config config)
	{
		EXPECT_CALL(*exchange, send).WillOnce(Return(lookedUp(60s))).WillOnce(Return(renewed(60s)));
		const auto old = make(std::move(config));
		EXPECT_TRUE(start(*old));
		services->toNextRun();
		EXPECT_TRUE(old->stop(1h));
		const auto text = old->exportState();
		testing::Mock::VerifyAndClearExpectations(exchange.get());
		return text.value();
	}
};

TEST_F(HandoverTest, TheSuccessorNeitherAsksNorForgets)
{
	const auto text = handedOver(config());
	EXPECT_CALL(*exchange, send).Times(0);
	const auto next = make(config());
	ASSERT_TRUE(next->importState(text));
	ASSERT_TRUE(start(*next));
	services->advance(0s);
	EXPECT_EQ(next->snapshot().state, State::active);
	EXPECT_EQ(next->snapshot().successes, 1);
	EXPECT_EQ(next->snapshot().lease, 60s);
	EXPECT_LE(services->untilNextRun().value(), 30s);
	EXPECT_TRUE(next->stop(1h));
}

TEST_F(HandoverTest, TheRenewalComesWhenItWasPlanned)
{
	const auto text = handedOver(config());
	EXPECT_CALL(*exchange, send).WillOnce(Return(renewed(60s)));
	const auto next = make(config());
	ASSERT_TRUE(next->importState(text));
	ASSERT_TRUE(start(*next));
	services->toNextRun();
	EXPECT_EQ(next->snapshot().successes, 2);
	EXPECT_TRUE(next->stop(1h));
}

TEST_F(HandoverTest, AnotherTokenBeginsAnotherLifeWithTheOldCounts)
{
	const auto text = handedOver(config());
	EXPECT_CALL(*exchange, send).WillOnce(Return(lookedUp(30s)));
	auto other = config();
	other.token.value = credential::Secret("s.another");
	const auto next = make(std::move(other));
	ASSERT_TRUE(next->importState(text));
	ASSERT_TRUE(start(*next));
	services->advance(0s);
	EXPECT_EQ(next->snapshot().lease, 30s);
	EXPECT_EQ(next->snapshot().successes, 1);
	EXPECT_TRUE(next->stop(1h));
}

TEST_F(HandoverTest, TheOldOneGoesOnFromWhatItKnewShouldTheSuccessorFail)
{
	EXPECT_CALL(*exchange, send).WillOnce(Return(lookedUp(60s)));
	const auto old = make(config());
	ASSERT_TRUE(start(*old));
	ASSERT_TRUE(old->stop(1h));
	ASSERT_TRUE(old->exportState());
	ASSERT_TRUE(start(*old));
	services->advance(0s);
	EXPECT_EQ(old->snapshot().state, State::active);
	EXPECT_TRUE(old->stop(1h));
}

TEST_F(HandoverTest, HoldsNoSecret)
{
	EXPECT_EQ(handedOver(config()).find(secretText), std::string::npos);
}

TEST_F(HandoverTest, IsNotForRunningOnes)
{
	EXPECT_CALL(*exchange, send).WillRepeatedly(Return(lookedUp(60s)));
	const auto instance = make(config());
	ASSERT_TRUE(start(*instance));
	EXPECT_EQ(instance->exportState().error().kind, Refusal::Kind::state);
	EXPECT_EQ(instance->importState("{}").error().kind, Refusal::Kind::state);
	EXPECT_TRUE(instance->stop(1h));
}

TEST_F(HandoverTest, ComesThroughTextUnchanged)
{
	const auto text = handedOver(config());
	EXPECT_EQ(toText(handoverFrom(text).value()), text);
}

/// With the checksum that a text of this plugin would have.
std::string resealed(std::string text, std::string_view what, std::string_view with)
{
	const auto at = text.find(what);
	if (at == std::string::npos) {
		throw std::logic_error("not in the text: " + std::string(what));
	}
	text.replace(at, what.size(), with);
	const auto end = text.rfind(",\"checksum\":");
	std::uint64_t sum = 0xcbf29ce484222325U;
	for (const char byte : text.substr(0, end) + "}") {
		sum = (sum ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
	}
	return text.substr(0, end) + ",\"checksum\":\"" + Poco::NumberFormatter::formatHex(sum, 16) + "\"}";
}

std::string complaint(std::string_view text)
{
	return handoverFrom(text).error().text;
}

TEST_F(HandoverTest, TextThatIsNoneOfOursIsRefusedAndChangesNothing)
{
	const auto next = make(config());
	for (const std::string& text : {std::string(), std::string("[]"), std::string("{}"), std::string(70'000, '{')}) {
		EXPECT_EQ(next->importState(text).error().kind, Refusal::Kind::invalid);
	}
	EXPECT_CALL(*exchange, send).WillOnce(Return(lookedUp(60s)));
	EXPECT_TRUE(start(*next));
	EXPECT_TRUE(next->stop(1h));
}

TEST_F(HandoverTest, EveryDamagedByteIsNoticed)
{
	const auto text = handedOver(config());
	ASSERT_TRUE(handoverFrom(text));
	for (std::size_t at = 0; at < text.size(); ++at) {
		auto damaged = text;
		damaged[at] = damaged[at] == '1' ? '2' : '1';
		EXPECT_FALSE(handoverFrom(damaged)) << at << ": " << damaged;
		EXPECT_FALSE(handoverFrom(text.substr(0, at))) << at;
	}
}

TEST_F(HandoverTest, FieldsOutOfTheirRangeAreRefusedByName)
{
	using testing::HasSubstr;
	const auto text = handedOver(config());
	ASSERT_TRUE(handoverFrom(resealed(text, "\"retry.failures\":0", "\"retry.failures\":1")));
	EXPECT_THAT(complaint(resealed(text, "\"version\":2", "\"version\":1")), HasSubstr("version"));
	EXPECT_THAT(complaint(resealed(text, "\"retry.kind\":", "\"retry.kind\":99")), HasSubstr("retry.kind is out"));
	EXPECT_THAT(complaint(resealed(text, "\"retry.failures\":0", "\"retry.failures\":-1")),
		HasSubstr("retry.failures is out of its range"));
	EXPECT_THAT(
		complaint(resealed(text, "\"retry.failures\":0", "\"retry.failures\":\"0\"")), HasSubstr("not a whole number"));
	EXPECT_THAT(
		complaint(resealed(text, "\"lease.granted\":", "\"lease.granted\":9999999999")), HasSubstr("lease.granted"));
}

TEST_F(HandoverTest, FieldsThatThisVersionNoLongerHasAreIgnored)
{
	const auto text = handedOver(config());
	EXPECT_TRUE(handoverFrom(resealed(text, "\"lease.full\":", "\"lease.ask_full\":0,\"lease.full\":")));
}

/// Returns the text as another machine would have written it, whose boot clock shows `boot` more and whose wall clock
/// shows `wall` more than this one's.
std::string ofAnotherMachine(std::string_view text, Duration boot, Duration wall = 0s)
{
	auto handover = handoverFrom(text).value();
	// A machine of the same wall clock: all its instants are moved like its boot clock.
	handover.boot = "another";
	auto now = handover.seen.value();
	now.boot += boot;
	EXPECT_TRUE(moveTo(now, handover));
	auto& lease = handover.memory.lease; // not yet known less exactly
	lease.earliest += clockError;
	lease.latest -= clockError;
	lease.ifRenewedEarliest += clockError;
	lease.ifRenewedLatest -= clockError;
	lease.maxTtlWithin -= clockError;
	handover.boot = "another";
	handover.seen->wall += wall;
	return toText(handover);
}

TEST_F(HandoverTest, AnotherMachineGoesOnByTheWallClockAndAsksNothing)
{
	for (const Duration apart : {Duration(-1000h), Duration(0s), Duration(1000h)}) {
		const auto text = ofAnotherMachine(handedOver(config()), apart);
		EXPECT_CALL(*exchange, send).Times(0);
		const auto next = make(config());
		ASSERT_TRUE(next->importState(text));
		ASSERT_TRUE(start(*next));
		services->advance(0s);
		EXPECT_EQ(next->snapshot().state, State::active);
		EXPECT_EQ(next->snapshot().successes, 1);
		EXPECT_LE(services->untilNextRun().value(), 30s);
		EXPECT_GE(services->untilNextRun().value(), 20s);
		testing::Mock::VerifyAndClearExpectations(exchange.get());
		EXPECT_TRUE(next->stop(1h));
	}
}

TEST_F(HandoverTest, TheEndIsKnownTwoSecondsLessExactlyOnAnotherMachine)
{
	const auto text = handedOver(config());
	const auto here = handoverFrom(text).value();
	auto there = handoverFrom(ofAnotherMachine(text, 50h)).value();
	ASSERT_TRUE(moveTo(*here.seen, there));
	EXPECT_EQ(there.memory.lease.earliest, here.memory.lease.earliest - 2s);
	EXPECT_EQ(there.memory.lease.latest, here.memory.lease.latest + 2s);
	EXPECT_EQ(there.memory.lease.ifRenewedEarliest, here.memory.lease.ifRenewedEarliest - 2s);
	EXPECT_EQ(there.memory.lease.ifRenewedLatest, here.memory.lease.ifRenewedLatest + 2s);
	EXPECT_EQ(there.memory.told.lastSuccess, here.memory.told.lastSuccess);
	ASSERT_TRUE(moveTo(*here.seen, there)) << "it is of this boot now";
	EXPECT_EQ(there.memory.lease.earliest, here.memory.lease.earliest - 2s);
}

TEST_F(HandoverTest, PastFactsOfAMachineWhoseClockIsAheadAreNotInTheFuture)
{
	const auto text = handedOver(config());
	const auto now = handoverFrom(text).value().seen.value();
	auto there = handoverFrom(ofAnotherMachine(text, 50h, 1s)).value();
	ASSERT_TRUE(moveTo(now, there));
	EXPECT_LE(there.memory.started, now.boot);
	EXPECT_LE(there.memory.told.lastSuccess.value(), now.boot);
}

TEST_F(HandoverTest, ALifeBeyondAWholeLeaseIsLookedUpAndSaid)
{
	const auto text = ofAnotherMachine(handedOver(config()), 50h, 10s);
	EXPECT_CALL(*exchange, send).WillOnce(Return(lookedUp(60s)));
	const auto next = make(config());
	ASSERT_TRUE(next->importState(text));
	ASSERT_TRUE(start(*next));
	services->advance(0s);
	EXPECT_THAT(hearing.everything(), testing::HasSubstr("compare the clocks of both"));
	EXPECT_TRUE(next->stop(1h));
}

TEST_F(HandoverTest, AStateTakenWhileItRunsIsTheOneThatItExportsAfterwards)
{
	EXPECT_CALL(*exchange, send).WillOnce(Return(lookedUp(60s)));
	const auto old = make(config());
	ASSERT_TRUE(start(*old));
	services->advance(0s);
	const auto taken = handoverFrom(old->snapshotState().value()).value();
	EXPECT_EQ(taken.memory.lease.latest, handoverFrom(old->snapshotState().value()).value().memory.lease.latest);
	EXPECT_TRUE(old->stop(1h));
	const auto exported = handoverFrom(old->exportState().value()).value();
	EXPECT_EQ(taken.memory.lease.latest, exported.memory.lease.latest);
	EXPECT_EQ(taken.seen, exported.seen);
	EXPECT_EQ(old->snapshotState().value().find(secretText), std::string::npos);
	EXPECT_EQ(old->snapshotState().value(), old->exportState().value());
}

TEST_F(HandoverTest, AnEventToldOnceStaysToldOnAnotherMachine)
{
	EXPECT_CALL(*exchange, send)
		.WillOnce(Return(
			reply(200, R"({"data":{"ttl":60,"creation_ttl":60,"renewable":false,"type":"service","num_uses":0}})")));
	const auto old = make(config());
	ASSERT_TRUE(start(*old));
	services->advance(0s);
	ASSERT_EQ(hearing.outcomes(Outcome::notRenewable), 1U);
	const auto text = ofAnotherMachine(old->snapshotState().value(), -30h);
	EXPECT_TRUE(old->stop(1h));
	const auto next = make(config());
	ASSERT_TRUE(next->importState(text));
	ASSERT_TRUE(start(*next));
	services->advance(1s);
	EXPECT_EQ(next->snapshot().state, State::notRenewable);
	EXPECT_EQ(next->snapshot().notRenewables, 1U);
	EXPECT_EQ(hearing.outcomes(Outcome::notRenewable), 1U);
	EXPECT_TRUE(next->stop(1h));
}

TEST_F(HandoverTest, TimesOfAnotherRunWithoutAWallClockAreRefused)
{
	using testing::HasSubstr;
	auto handover = handoverFrom(handedOver(config())).value();
	handover.seen.reset();
	EXPECT_TRUE(handoverFrom(toText(handover))) << "times of this boot mean what they say";
	for (const char* boot : {"another", ""}) {
		handover.boot = boot;
		EXPECT_THAT(complaint(toText(handover)), HasSubstr("means nothing now"));
	}
}

TEST_F(HandoverTest, NextStepIsNotInItButFollowsFromWhatIsKnown)
{
	const auto text = handedOver(config());
	EXPECT_EQ(text.find("next"), text.find("renew_next") + 6) << "but whether look-ups are of any use";
	EXPECT_EQ(text.rfind("next"), text.find("next"));
}

} // namespace
} // namespace issuer::vault::test
