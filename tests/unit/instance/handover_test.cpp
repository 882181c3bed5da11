#include "fixture.h"

namespace issuer::vault::test {
namespace {

class HandoverTest : public InstanceTest
{
protected:
	/// What an instance with this configuration knows after a look-up and a renewal.
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

std::string damaged(std::string text, std::string_view what, std::string_view with)
{
	return text.replace(text.find(what), what.size(), with);
}

TEST_F(HandoverTest, DamagedOnesAreRefusedByNameAndChangeNothing)
{
	const auto text = handedOver(config());
	const auto next = make(config());
	const auto complaint = [&](const std::string& blob) {
		const auto imported = next->importState(blob);
		EXPECT_EQ(imported.error().kind, Refusal::Kind::invalid);
		return imported.error().text;
	};
	using testing::HasSubstr;
	EXPECT_THAT(complaint(""), HasSubstr("damaged"));
	EXPECT_THAT(complaint("[]"), HasSubstr("damaged"));
	EXPECT_THAT(complaint(text.substr(0, text.size() / 2)), HasSubstr("damaged"));
	EXPECT_THAT(complaint(damaged(text, "\"version\":1", "\"version\":2")), HasSubstr("version"));
	EXPECT_THAT(complaint(damaged(text, "\"boot\":\"", "\"boot\":\"x")), HasSubstr("boot"));
	EXPECT_THAT(complaint(damaged(text, "\"state\":", "\"state\":99")), HasSubstr("state is out of its range"));
	EXPECT_THAT(
		complaint(damaged(text, "\"failures\":0", "\"failures\":-1")), HasSubstr("failures is out of its range"));
	EXPECT_THAT(complaint(damaged(text, "\"failures\":0", "\"failures\":\"0\"")), HasSubstr("not a whole number"));
	EXPECT_THAT(complaint(damaged(text, "\"life.lease\":", "\"life.lease\":9999999999")), HasSubstr("life.lease"));
}

} // namespace
} // namespace issuer::vault::test
