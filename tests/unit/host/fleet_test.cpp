#include "observe/fleet/fleet.h"

#include "told_events.h"

#include <gmock/gmock.h>
#include <thread>

namespace issuer::observe {
namespace {

using namespace std::chrono_literals;
using test::renewal;
using test::state;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

constexpr UnixTime noon{1'800'000'000s};

IssuerRecord only(const Fleet& fleet)
{
	const auto all = fleet.all();
	EXPECT_THAT(all, SizeIs(1));
	return all.empty() ? IssuerRecord{} : all.front();
}

class AFleet : public testing::Test
{
protected:
	void SetUp() override { fleet.admit({"a"}); }

	SteadyTime steady{};
	Fleet fleet{[] { return noon; }, [this] { return steady; }};
};

TEST(Fleet, KnowsNoIssuerAtFirst)
{
	Fleet fleet;
	fleet.event("a", state(ISSUER_STATE_ACTIVE, noon, 1h));
	EXPECT_THAT(fleet.all(), IsEmpty());
	EXPECT_THAT(fleet.historyOf("a"), IsEmpty());
}

TEST_F(AFleet, KeepsItsKnowledgeOfAnIssuerThatIsAdmittedAgain)
{
	fleet.event("a", renewal(ISSUER_RESULT_SUCCESS, noon, 1h));
	fleet.admit({"a", "b"});
	fleet.keepOnly({"a"});
	EXPECT_EQ(only(fleet).successes, 1U);
}

TEST_F(AFleet, ForgetsIssuersThatAreNoLongerConfigured)
{
	fleet.admit({"gone"});
	fleet.event("gone", state(ISSUER_STATE_ACTIVE, noon, 1h));
	fleet.keepOnly({"a"});
	EXPECT_EQ(only(fleet).name, "a");
}

TEST_F(AFleet, HearsNoLateWordOfIssuersThatAreNoLongerConfigured)
{
	fleet.admit({"gone"});
	fleet.keepOnly({"a"});
	const SteadyTime before = fleet.lastEvent();
	steady += 1min;
	fleet.event("gone", state(ISSUER_STATE_ACTIVE, noon, 1h));
	fleet.notice({Action::started, ISSUER_LOG_INFO, "gone", "x"});
	EXPECT_EQ(only(fleet).name, "a");
	EXPECT_THAT(fleet.historyOf("gone"), IsEmpty());
	EXPECT_EQ(fleet.lastEvent(), before); // it is no sign that those that are there move
}

TEST_F(AFleet, CountsTheThreeResultsAndTheFailuresInARow)
{
	fleet.event("a", renewal(ISSUER_RESULT_SUCCESS, noon, 1h));
	fleet.event("a", renewal(ISSUER_RESULT_FAILURE, noon + 1s, 59min));
	fleet.event("a", renewal(ISSUER_RESULT_FAILURE, noon + 2s, 59min));
	fleet.event("a", renewal(ISSUER_RESULT_NOT_RENEWABLE, noon + 3s, 59min));
	const IssuerRecord record = only(fleet);
	EXPECT_EQ(record.successes, 1U);
	EXPECT_EQ(record.failures, 2U);
	EXPECT_EQ(record.notRenewables, 1U);
	EXPECT_EQ(record.consecutiveFailures, 2U);
	EXPECT_EQ(record.lastSuccess, noon);
	fleet.event("a", renewal(ISSUER_RESULT_SUCCESS, noon + 4s, 1h));
	EXPECT_EQ(only(fleet).consecutiveFailures, 0U);
}

TEST_F(AFleet, TakesTheLastGrantForAWholeLifeAndUntilThenTheMostItSaw)
{
	fleet.event("a", state(ISSUER_STATE_ACTIVE, noon, 40min));
	fleet.event("a", state(ISSUER_STATE_ACTIVE, noon + 1s, 30min));
	EXPECT_EQ(only(fleet).lease, 40min);
	fleet.event("a", renewal(ISSUER_RESULT_SUCCESS, noon + 2s, 20min));
	EXPECT_EQ(only(fleet).lease, 20min);
}

TEST_F(AFleet, KeepsEqualEventsAsOneSoThatPlainRenewalsDoNotPushOutFailures)
{
	fleet.event("a", renewal(ISSUER_RESULT_FAILURE, noon, 1h));
	for (int i = 1; i <= 100; ++i) {
		fleet.event("a", renewal(ISSUER_RESULT_SUCCESS, noon + i * 1s, 1h));
	}
	EXPECT_THAT(fleet.historyOf("a"),
		ElementsAre(testing::AllOf(Field(&Happening::times, 100U), Field(&Happening::first, noon + 1s),
						Field(&Happening::last, noon + 100s)),
			Field(&Happening::result, ISSUER_RESULT_FAILURE)));
}

TEST_F(AFleet, RemembersNoMoreThanItsLimit)
{
	for (int i = 0; i < 100; ++i) {
		fleet.event("a", renewal(i % 2 == 0 ? ISSUER_RESULT_FAILURE : ISSUER_RESULT_SUCCESS, noon + i * 1s, 1h));
		fleet.notice({Action::unloaded, ISSUER_LOG_INFO, {}, "x"});
		fleet.notice({Action::reloaded, ISSUER_LOG_INFO, {}, "x"});
	}
	EXPECT_THAT(fleet.historyOf("a"), SizeIs(Fleet::history));
	EXPECT_EQ(fleet.historyOf("a").front().last, noon + 99s);
	EXPECT_THAT(fleet.hostHistory(), SizeIs(Fleet::history));
}

TEST_F(AFleet, CutsALongTextBetweenCharacters)
{
	std::string text;
	while (text.size() <= Fleet::longestText) {
		text += "é!";
	}
	issuer_event event = state(ISSUER_STATE_RETRYING, noon, 1h);
	event.detail = {text.data(), text.size()};
	fleet.event("a", event);
	const std::string kept = only(fleet).text;
	EXPECT_LE(kept.size(), Fleet::longestText + 3);
	EXPECT_TRUE(kept.ends_with("é…") || kept.ends_with("!…")) << kept;
}

TEST_F(AFleet, CountsChangesOfStateButNotTheFirst)
{
	fleet.event("a", state(ISSUER_STATE_ACTIVE, noon, 1h));
	fleet.event("a", state(ISSUER_STATE_ACTIVE, noon + 1s, 1h));
	EXPECT_EQ(only(fleet).stateChanges, 0U);
	EXPECT_EQ(only(fleet).since, noon);
	fleet.event("a", state(ISSUER_STATE_RETRYING, noon + 2s, 1h));
	EXPECT_EQ(only(fleet).stateChanges, 1U);
	EXPECT_EQ(only(fleet).since, noon + 2s);
}

TEST_F(AFleet, IgnoresEventsOfAKindThatALaterContractMayHave)
{
	issuer_event event = state(ISSUER_STATE_EXPIRED, noon, 0s);
	event.kind = 77;
	fleet.event("a", event);
	EXPECT_FALSE(only(fleet).told);
}

TEST(Fleet, IsReadWhileManyTell)
{
	Fleet fleet;
	fleet.admit({"0", "1", "2", "3"});
	std::vector<std::thread> tellers;
	for (int i = 0; i < 4; ++i) {
		tellers.emplace_back([&, name = std::to_string(i)] {
			for (int k = 0; k < 500; ++k) {
				fleet.event(name, renewal(ISSUER_RESULT_SUCCESS, noon + k * 1s, 1h));
			}
		});
	}
	for (std::uint64_t seen = 0; seen < 2000; seen = fleet.revision()) {
		for (const IssuerRecord& record : fleet.all()) {
			EXPECT_EQ(record.failures, 0U);
			static_cast<void>(fleet.historyOf(record.name));
		}
	}
	for (std::thread& teller : tellers) {
		teller.join();
	}
	for (const IssuerRecord& record : fleet.all()) {
		EXPECT_EQ(record.successes, 500U);
	}
}

} // namespace
} // namespace issuer::observe
