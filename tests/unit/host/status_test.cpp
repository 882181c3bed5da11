#include "fake_plugin.h"
#include "registry/registry.h"

#include <future>
#include <gmock/gmock.h>

namespace issuer::registry {
namespace {

using issuer::test::FakeWorld;
using observe::Phase;

class Status : public testing::Test
{
protected:
	observe::IssuerStatus ofThe(const std::string& name)
	{
		for (observe::IssuerStatus& status : registry.snapshot()) {
			if (status.name == name) {
				return status;
			}
		}
		return {};
	}

	FakeWorld world;
	Registry registry{world.plugins, world.surroundings};
};

TEST_F(Status, OfNoIssuersIsEmpty)
{
	EXPECT_TRUE(registry.snapshot().empty());
}

TEST_F(Status, OfOneThatRunsNamesItsPluginAndWhatThatSaysOfItself)
{
	world.old.offersHealth = true;
	ASSERT_TRUE(registry.apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	const observe::IssuerStatus status = ofThe("a");
	EXPECT_EQ(status.phase, Phase::running);
	EXPECT_EQ(status.problem, "");
	EXPECT_EQ(status.pluginName, "Fake");
	EXPECT_EQ(status.pluginVersion, "old");
	ASSERT_TRUE(status.health);
	EXPECT_EQ(status.health->state, ISSUER_STATE_ACTIVE);
	EXPECT_EQ(status.health->success, 7U);
}

TEST_F(Status, FieldsThatAnOlderPluginDoesNotFillAreUnknown)
{
	world.old.offersHealth = true;
	ASSERT_TRUE(registry.apply({FakeWorld::spec("a", "old")}));
	EXPECT_EQ(ofThe("a").health.value().capped_at_unix_ms, -1);
}

TEST_F(Status, OfAPluginThatTellsNothingOfItsHealthIsTheHostsAlone)
{
	ASSERT_TRUE(registry.apply({FakeWorld::spec("a", "old")}));
	EXPECT_FALSE(ofThe("a").health);
	world.old.offersHealth = true;
	world.old.answer("health", {ISSUER_E_INTERNAL});
	ASSERT_TRUE(registry.apply({FakeWorld::spec("b", "old")}));
	EXPECT_FALSE(ofThe("b").health);
}

TEST_F(Status, OfOneWhoseServerIsAwaySaysWhyAndWhenItIsTriedAgain)
{
	world.surroundings.backoff = [](unsigned, bool) { return std::chrono::hours(1); };
	Registry patient{world.plugins, world.surroundings};
	world.old.answer("start", {ISSUER_E_UNAVAILABLE});
	ASSERT_TRUE(patient.apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a start_failed: start says 9; tried again in 1 h"));
	const observe::IssuerStatus status = patient.snapshot().at(0);
	EXPECT_EQ(status.phase, Phase::waiting);
	EXPECT_EQ(status.problem, "start says 9");
	EXPECT_EQ(status.failedStarts, 1U);
	EXPECT_TRUE(status.nextStartUnixMs);
}

TEST_F(Status, OfOneThatAPersonHasToMendSaysWhy)
{
	world.old.answer("start", {ISSUER_E_INVALID});
	world.surroundings.backoff = [](unsigned, bool) { return std::chrono::hours(1); };
	Registry other{world.plugins, world.surroundings};
	ASSERT_TRUE(other.apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a start_failed: start says 1; tried again in 1 h, and at once when a file that its "
								   "configuration names changes"));
	EXPECT_EQ(other.snapshot().at(0).phase, Phase::failed);
	EXPECT_EQ(other.snapshot().at(0).problem, "start says 1");
}

TEST_F(Status, OfOneWhoseStartWaitsOrIsSwappedIsNotWaitedFor)
{
	world.old.offersHealth = world.next.offersHealth = true;
	ASSERT_TRUE(registry.apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	world.next.startWaits();
	auto swapping = std::async(std::launch::async, [&] { return registry.swap("a", {"next", {}}); });
	ASSERT_TRUE(world.calls.waitFor("next.start"));
	const observe::IssuerStatus status = ofThe("a");
	EXPECT_EQ(status.phase, Phase::swapping);
	EXPECT_EQ(status.pluginVersion, "next");
	EXPECT_TRUE(status.health);
	EXPECT_TRUE(registry.stopAll());
	EXPECT_EQ(swapping.get().result, SwapReport::Result::rolledBack);
}

TEST_F(Status, AfterASwapThatFailedSaysWhy)
{
	ASSERT_TRUE(registry.apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	world.next.answer("start", {ISSUER_E_UNAVAILABLE});
	EXPECT_EQ(registry.swap("a", {"next", {}}).result, SwapReport::Result::rolledBack);
	EXPECT_EQ(ofThe("a").phase, Phase::running);
	EXPECT_EQ(ofThe("a").problem, "not swapped: the new one does not start: start says 9");
	EXPECT_EQ(ofThe("a").pluginVersion, "old");
}

TEST_F(Status, IsOneMomentHoweverOftenItIsSwappedMeanwhile)
{
	world.old.offersHealth = world.next.offersHealth = true;
	ASSERT_TRUE(registry.apply({FakeWorld::spec("a", "old")}));
	auto swapping = std::async(std::launch::async, [&] {
		for (int i = 0; i < 200; ++i) {
			EXPECT_EQ(registry.swap("a", {i % 2 == 0 ? "next" : "old", {}}).result, SwapReport::Result::swapped);
		}
	});
	while (swapping.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
		EXPECT_EQ(ofThe("a").name, "a");
	}
}

} // namespace
} // namespace issuer::registry
