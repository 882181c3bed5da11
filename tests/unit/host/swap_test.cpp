#include "fake_plugin.h"
#include "registry/registry.h"

#include <algorithm>
#include <future>
#include <gmock/gmock.h>

namespace issuer::registry {
namespace {

using issuer::test::FakePlugin;
using issuer::test::FakeWorld;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

/// An issuer "a" that runs on the plugin "old" and is swapped to "next".
class Swap : public testing::Test
{
protected:
	void SetUp() override
	{
		ASSERT_TRUE(registry.apply({FakeWorld::spec("a", "old")}));
		ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
		_before = world.calls.all().size();
	}

	Changes swap(const std::string& plugin = "next", const std::string& config = "{}")
	{
		return registry.apply({FakeWorld::spec("a", plugin, config)}).value();
	}

	/// The calls since the old one has started.
	std::vector<std::string> calls() const
	{
		const auto all = world.calls.all();
		return {all.begin() + static_cast<std::ptrdiff_t>(_before), all.end()};
	}

	void expectRolledBack(const Changes& changes, const std::string& why)
	{
		EXPECT_EQ(changes.swapped, 0U);
		EXPECT_EQ(changes.rolledBack, 1U);
		EXPECT_TRUE(world.told.waitFor("a rolled_back: goes on as before: " + why));
		EXPECT_EQ(registry.apply({FakeWorld::spec("a", "old")})->kept, 1U);
	}

	FakeWorld world;
	Registry registry{world.plugins, world.surroundings};

private:
	std::size_t _before = 0;
};

TEST_F(Swap, FollowsTheOrderOfTheContract)
{
	EXPECT_EQ(swap().swapped, 1U);
	EXPECT_THAT(calls(), ElementsAre("next.create", "old.stop", "old.export", "old.silence", "old.destroy",
							 "next.import state of old", "next.record", "next.start", "old.closed"));
	EXPECT_TRUE(world.told.waitFor("a swapped: from Fake old to Fake next"));
}

TEST_F(Swap, LetsARequestThatIsOutComeBackFirst)
{
	world.old.offersHealth = world.next.offersHealth = true;
	ASSERT_EQ(swap().swapped, 1U);
	world.next.requestsOut = 3;
	ASSERT_EQ(swap("old").swapped, 1U);
	const auto all = calls();
	const auto stop = std::ranges::find(all, "next.stop");
	EXPECT_EQ(std::count(all.begin(), stop, "next.health"), 4);
}

TEST_F(Swap, IsNotHeldUpForLongByAServerThatHangs)
{
	world.old.offersHealth = world.next.offersHealth = true;
	ASSERT_EQ(swap().swapped, 1U);
	world.next.requestsOut = 1'000'000;
	EXPECT_EQ(swap("old").swapped, 1U);
}

TEST_F(Swap, OfTheConfigurationAloneTakesANewInstanceOfTheSamePlugin)
{
	EXPECT_EQ(swap("old", "{\"changed\": true}").swapped, 1U);
	EXPECT_THAT(calls(), ElementsAre("old.create", "old.stop", "old.export", "old.silence", "old.destroy",
							 "old.import state of old", "old.record", "old.start"));
	EXPECT_TRUE(world.told.waitFor("a swapped: to a new configuration"));
}

TEST_F(Swap, WithoutHandoverOnBothSidesTheNewOneBeginsAfresh)
{
	world.next.offersHandover = false;
	EXPECT_EQ(swap().swapped, 1U);
	EXPECT_THAT(calls(), ElementsAre("next.create", "old.stop", "old.silence", "old.destroy", "next.record",
							 "next.start", "old.closed"));
}

TEST_F(Swap, OldThatDoesNotStopIsStartedAgainAsSoonAsItHas)
{
	world.old.answer("stop", {ISSUER_E_TIMEOUT});
	world.old.answer("poll", {ISSUER_E_TIMEOUT, ISSUER_E_TIMEOUT});
	expectRolledBack(swap(), "the running one does not stop: stop says 4");
	EXPECT_TRUE(world.told.waitFor("a started: with Fake old", 2));
	EXPECT_TRUE(world.told.waitFor("a start_failed: poll says 4; tried again in 0 s", 2));
	EXPECT_TRUE(world.calls.waitFor("next.destroy"));
	EXPECT_TRUE(world.calls.waitFor("next.closed"));
}

TEST_F(Swap, OldThatCannotExportIsStartedAgain)
{
	world.old.answer("export", {ISSUER_E_INTERNAL});
	expectRolledBack(swap(), "the running one does not hand over: export says 8");
	EXPECT_THAT(calls(),
		ElementsAre("next.create", "old.stop", "old.export", "old.record", "old.start", "next.destroy", "next.closed"));
}

TEST_F(Swap, OldThatKeepsItsRecorderIsStartedAgain)
{
	world.old.answer("silence", {ISSUER_E_INTERNAL});
	expectRolledBack(swap(), "the running one refused set_recorder(NULL): silence says 8");
	EXPECT_TRUE(world.calls.waitFor("old.start", 2));
}

TEST_F(Swap, OldThatCannotBeDestroyedIsStartedAgain)
{
	world.old.answer("destroy", {ISSUER_E_BUSY});
	expectRolledBack(swap(), "the running one cannot be destroyed: destroy says 3");
	EXPECT_TRUE(world.calls.waitFor("old.start", 2));
	EXPECT_TRUE(world.calls.waitFor("old.record", 2)); // it was silenced before
}

TEST_F(Swap, NewThatDoesNotImportMakesRoomForTheOldWithAllItKnew)
{
	world.next.answer("import", {ISSUER_E_INTERNAL});
	expectRolledBack(swap(), "the new one does not take over: import state of old says 8");
	EXPECT_THAT(calls(),
		ElementsAre("next.create", "old.stop", "old.export", "old.silence", "old.destroy", "next.import state of old",
			"old.create", "next.destroy", "old.import state of old", "old.record", "old.start", "next.closed"));
}

TEST_F(Swap, NewThatDoesNotKnowWhatTheOldOneWroteBeginsAfreshAndSaysSo)
{
	world.next.answer("import", {ISSUER_E_INVALID});
	EXPECT_EQ(swap().swapped, 1U);
	EXPECT_TRUE(world.told.waitFor(
		"a swapped: from Fake old to Fake next, without the state of the old one: import state of old says 1"));
	EXPECT_THAT(world.told.all(), Contains(testing::StartsWith("a swapped")).Times(1)); // it is counted by that
	EXPECT_TRUE(world.calls.waitFor("next.start"));
}

TEST_F(Swap, NewThatDoesNotStartMakesRoomForTheOldWithAllItKnew)
{
	world.next.answer("start", {ISSUER_E_UNAVAILABLE});
	expectRolledBack(swap(), "the new one does not start: start says 9");
	EXPECT_THAT(calls(), ElementsAre("next.create", "old.stop", "old.export", "old.silence", "old.destroy",
							 "next.import state of old", "next.record", "next.start", "old.create", "next.destroy",
							 "old.import state of old", "old.record", "old.start", "next.closed"));
}

TEST_F(Swap, OldThatIsRestoredWhileItsServerIsAwayIsTriedAgain)
{
	world.next.answer("start", {ISSUER_E_UNAVAILABLE});
	world.old.answer("start", {ISSUER_E_UNAVAILABLE});
	expectRolledBack(swap(), "the new one does not start: start says 9");
	EXPECT_TRUE(world.told.waitFor("a started: with Fake old", 2));
}

TEST_F(Swap, OldThatForgetsWhatItKnewIsRestoredAllTheSame)
{
	world.next.answer("start", {ISSUER_E_INVALID});
	world.old.answer("import", {ISSUER_E_INVALID});
	expectRolledBack(
		swap(), "the new one does not start: start says 1; the state of the old one is lost, so it asks its server");
	EXPECT_TRUE(world.calls.waitFor("old.start", 2));
}

TEST_F(Swap, ThatFindsAStartThatNeverEndsLeavesItBehind)
{
	FakePlugin hanging("hanging", world.calls);
	world.plugins.add(hanging);
	hanging.hang("start");
	world.surroundings.stopTimeout = std::chrono::milliseconds(0);
	Registry hasty{world.plugins, world.surroundings};
	ASSERT_TRUE(hasty.apply({FakeWorld::spec("b", "hanging")}));
	ASSERT_TRUE(world.calls.waitFor("hanging.start"));
	EXPECT_EQ(hasty.swap("b", {"next", {}}).text, "issuer b goes on with next");
	hanging.letGo();
	EXPECT_TRUE(world.calls.waitFor("hanging.destroy")); // by the thread that was left behind
	while (world.surroundings.calls->leftBehind() > 0) {
		std::this_thread::yield();
	}
}

TEST_F(Swap, OfOneThatFailsDoesNotKeepOthersFromTheirs)
{
	ASSERT_TRUE(registry.apply({FakeWorld::spec("a", "old"), FakeWorld::spec("b", "old")}));
	ASSERT_TRUE(world.told.waitFor("b started: with Fake old"));
	world.next.answer("start", {ISSUER_E_INVALID});
	const auto changes = registry.apply({FakeWorld::spec("a", "next"), FakeWorld::spec("b", "next")});
	EXPECT_EQ(changes->swapped, 1U);
	EXPECT_EQ(changes->rolledBack, 1U);
	EXPECT_THAT(world.calls.all(), Not(Contains("old.closed")));
}

TEST_F(Swap, ThatWaitsForItsServerIsCutShortByStop)
{
	world.next.startWaits();
	auto swapping = std::async(std::launch::async, [&] { return swap(); });
	ASSERT_TRUE(world.calls.waitFor("next.start"));
	EXPECT_TRUE(registry.stopAll());
	swapping.wait();
	EXPECT_TRUE(world.calls.waitFor("old.closed"));
	EXPECT_TRUE(world.calls.waitFor("next.closed"));
	EXPECT_TRUE(world.calls.waitFor("old.start", 1));
}

TEST_F(Swap, OfSeveralReloadsTheLastCountsAndNoneWaitsForAnother)
{
	const auto applying = [&](const std::string& plugin, const std::string& config) {
		std::promise<void> begun;
		auto result = std::async(std::launch::async, [&, plugin, config, done = &begun] {
			return registry.apply({FakeWorld::spec("a", plugin, config)}, [&](const Changes&) { done->set_value(); });
		});
		begun.get_future().wait();
		return result;
	};
	world.next.hang("start");
	auto first = applying("next", "{}");
	ASSERT_TRUE(world.calls.waitFor("next.start"));
	EXPECT_EQ(registry.apply({FakeWorld::spec("a", "next")})->kept, 1U); // that is what it is about to become
	auto second = applying("old", R"({"b":2})");
	auto third = applying("old", R"({"c":3})");
	world.next.letGo();
	EXPECT_EQ(first.get()->swapped, 1U);
	EXPECT_THAT(second.get()->sentences,
		ElementsAre("issuer a goes on as before: it was told later to go on with something else"));
	EXPECT_EQ(third.get()->swapped, 1U);
	EXPECT_EQ(registry.apply({FakeWorld::spec("a", "old", R"({"c":3})")})->kept, 1U);
}

TEST_F(Swap, OneThatIsRemovedAndAddedAgainMeanwhileIsANewOne)
{
	world.old.hang("stop");
	std::promise<void> begun;
	auto removing = std::async(std::launch::async,
		[&] { return registry.apply({FakeWorld::spec("b", "next")}, [&](const Changes&) { begun.set_value(); }); });
	begun.get_future().wait();
	const auto again = registry.apply({FakeWorld::spec("a", "next"), FakeWorld::spec("b", "next")});
	EXPECT_EQ(again->added, 1U);
	EXPECT_TRUE(world.told.waitFor("a started: with Fake next"));
	world.old.letGo();
	EXPECT_EQ(removing.get()->removed, 1U);
	EXPECT_EQ(registry.apply({FakeWorld::spec("a", "next"), FakeWorld::spec("b", "next")})->kept, 2U);
}

TEST_F(Swap, OfOneByNameTellsItsResult)
{
	const SwapReport done = registry.swap("a", {"next", {}});
	EXPECT_EQ(done.result, SwapReport::Result::swapped);
	EXPECT_EQ(done.text, "issuer a goes on with next");
	EXPECT_TRUE(world.calls.waitFor("old.closed"));
	EXPECT_EQ(registry.apply({FakeWorld::spec("a", "next")})->kept, 1U);
}

TEST_F(Swap, OfOneThatIsNotThereOrToWhatIsNoPluginChangesNothing)
{
	EXPECT_EQ(registry.swap("b", {"next", {}}).text, "there is no issuer b");
	const SwapReport refused = registry.swap("a", {"none", {}});
	EXPECT_EQ(refused.result, SwapReport::Result::refused);
	EXPECT_EQ(refused.text, "issuer a: plugin none refused: there is no such file");
	EXPECT_THAT(calls(), ElementsAre());
}

TEST_F(Swap, OfOneByNameThatFailsIsToldAsSuch)
{
	world.next.answer("start", {ISSUER_E_UNAVAILABLE});
	const SwapReport back = registry.swap("a", {"next", {}});
	EXPECT_EQ(back.result, SwapReport::Result::rolledBack);
	EXPECT_EQ(back.text, "issuer a goes on as before: the new one does not start: start says 9");
	EXPECT_TRUE(world.calls.waitFor("next.closed"));
}

TEST_F(Swap, IsNotHeldUpByStartsThatWaitForTheirServers)
{
	FakePlugin hanging("hanging", world.calls);
	world.plugins.add(hanging);
	hanging.startWaits();
	std::vector<IssuerSpec> specs{FakeWorld::spec("a", "old")};
	for (int i = 0; i < 70; ++i) { // more than there are workers
		specs.push_back(FakeWorld::spec("hanging " + std::to_string(i), "hanging"));
	}
	ASSERT_TRUE(registry.apply(specs));
	ASSERT_TRUE(world.calls.waitFor("hanging.start", 64));
	specs[0].plugin.path = "next";
	EXPECT_EQ(registry.apply(specs)->swapped, 1U);
	EXPECT_TRUE(registry.stopAll());
}

/// As Swap, between plugins that log in. The running one holds what its login brought, and can read it nowhere again.
class SwapOfOneThatLogsIn : public Swap
{
protected:
	void SetUp() override
	{
		world.old.offersSecrets = world.next.offersSecrets = true;
		world.old.loginBrings = "token 1";
		Swap::SetUp();
	}
};

TEST_F(SwapOfOneThatLogsIn, LendsItsSecretsToTheNewOneWhileBothAreThere)
{
	EXPECT_EQ(swap().swapped, 1U);
	EXPECT_THAT(
		calls(), ElementsAre("next.create", "old.stop", "old.export", "old.lend", "next.take token 1", "old.silence",
					 "old.destroy", "next.import state of old", "next.record", "next.start", "old.closed"));
	EXPECT_TRUE(world.told.waitFor("a swapped: from Fake old to Fake next"));
}

TEST_F(SwapOfOneThatLogsIn, IsAsBeforeWhereOneOfThemCannot)
{
	world.next.offersSecrets = false;
	EXPECT_EQ(swap().swapped, 1U);
	EXPECT_EQ(swap("old").swapped, 1U);
	EXPECT_TRUE(world.told.waitFor("a swapped: from Fake next to Fake old"));
	EXPECT_THAT(calls(), testing::Each(Not(testing::AnyOf(testing::HasSubstr("lend"), testing::HasSubstr("take")))));
}

TEST_F(SwapOfOneThatLogsIn, IsAsBeforeWhereThereIsNothingToLend)
{
	world.old.answer("lend", {ISSUER_E_UNAVAILABLE});
	EXPECT_EQ(swap().swapped, 1U);
	EXPECT_TRUE(world.told.waitFor("a swapped: from Fake old to Fake next"));
	EXPECT_THAT(calls(), Not(Contains("next.take token 1")));
}

TEST_F(SwapOfOneThatLogsIn, ThatFailsLendsBackBeforeTheNewOneIsDestroyed)
{
	world.next.answer("start", {ISSUER_E_UNAVAILABLE});
	world.old.loginBrings = "token 2"; // of a login that is not needed
	expectRolledBack(swap(), "the new one does not start: start says 9");
	EXPECT_THAT(calls(),
		ElementsAre("next.create", "old.stop", "old.export", "old.lend", "next.take token 1", "old.silence",
			"old.destroy", "next.import state of old", "next.record", "next.start", "old.create", "next.lend",
			"old.take token 1", "next.destroy", "old.import state of old", "old.record", "old.start", "next.closed"));
}

TEST_F(SwapOfOneThatLogsIn, LendsBackWhatTheNewOneHasGotMeanwhile)
{
	world.old.answer("lend", {ISSUER_E_UNAVAILABLE});
	world.next.loginBrings = "token 3";
	world.next.answer("start", {ISSUER_E_INTERNAL});
	expectRolledBack(swap(), "the new one does not start: start says 8");
	EXPECT_THAT(calls(), Contains("old.take token 3"));
}

TEST_F(SwapOfOneThatLogsIn, GoesOnAndSaysSoWhenTheNewOneCannotReadThem)
{
	world.next.answer("take", {ISSUER_E_INVALID});
	EXPECT_EQ(swap().swapped, 1U);
	EXPECT_TRUE(world.told.waitFor(
		"a swapped: from Fake old to Fake next, without the secrets of the old one: take token 1 says 1"));
}

/// As SwapOfOneThatLogsIn, of a host that soon leaves a call behind.
class HastySwapOfOneThatLogsIn : public testing::Test
{
protected:
	HastySwapOfOneThatLogsIn()
	{
		world.old.offersSecrets = world.next.offersSecrets = true;
		world.old.loginBrings = "token 1";
		world.surroundings.callTimeout = std::chrono::seconds(2);
		registry.emplace(world.plugins, world.surroundings);
		EXPECT_TRUE(registry->apply({FakeWorld::spec("a", "old")}));
		EXPECT_TRUE(world.told.waitFor("a started: with Fake old"));
	}
	~HastySwapOfOneThatLogsIn() override
	{
		while (world.surroundings.calls->leftBehind() > 0) {
			std::this_thread::yield();
		}
	}

	FakeWorld world;
	std::optional<Registry> registry;
};

TEST_F(HastySwapOfOneThatLogsIn, IsNotHeldUpByALenderThatHangs)
{
	world.old.hang("lend");
	EXPECT_EQ(registry->apply({FakeWorld::spec("a", "next")})->swapped, 1U);
	EXPECT_TRUE(world.told.waitFor("a swapped: from Fake old to Fake next, without the secrets of the old one: the "
								   "plugin does not return from lend, and the old one is left behind: the plugin has "
								   "not returned from lend yet"));
	world.old.letGo();
	EXPECT_TRUE(world.calls.waitFor("old.destroy"));                    // by the thread that was left behind
	EXPECT_THAT(world.calls.all(), Not(Contains("next.take token 1"))); // it runs by now
}

TEST_F(HastySwapOfOneThatLogsIn, GoesBackWhenTheNewOneHangsWhileItTakes)
{
	world.next.hang("take");
	EXPECT_EQ(registry->apply({FakeWorld::spec("a", "next")})->rolledBack, 1U);
	EXPECT_TRUE(world.calls.waitFor("old.start", 2)); // of a new one: the old one waits for the take, in lend
	world.next.letGo();
	EXPECT_TRUE(world.calls.waitFor("next.destroy"));
	EXPECT_TRUE(world.calls.waitFor("old.destroy"));
}

/// An issuer whose first start has not succeeded.
class SwapOfOneThatNeverRan : public testing::Test
{
protected:
	FakeWorld world;
	Registry registry{world.plugins, world.surroundings};
};

TEST_F(SwapOfOneThatNeverRan, CancelsTheStartThatWaitsAndHandsNothingOver)
{
	world.old.startWaits();
	ASSERT_TRUE(registry.apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.calls.waitFor("old.start"));
	EXPECT_EQ(registry.apply({FakeWorld::spec("a", "next")})->swapped, 1U);
	EXPECT_THAT(world.calls.all(), Not(Contains("old.export")));
	EXPECT_TRUE(world.told.waitFor("a swapped: from Fake old to Fake next"));
}

TEST_F(SwapOfOneThatNeverRan, StandsEvenIfTheNewOneHasToWaitForItsServerToo)
{
	unsigned failures = 0;
	world.surroundings.backoff = [&](unsigned, bool) {
		return std::chrono::milliseconds(++failures == 1 ? 3'600'000 : 1);
	};
	Registry own{world.plugins, world.surroundings};
	world.old.answer("start", {ISSUER_E_INVALID});
	ASSERT_TRUE(own.apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a start_failed: start says 1; tried again in 1 h, and at once when a file that its "
								   "configuration names changes"));
	world.next.answer("start", {ISSUER_E_UNAVAILABLE});
	EXPECT_EQ(own.apply({FakeWorld::spec("a", "next")})->swapped, 1U);
	EXPECT_TRUE(world.told.waitFor("a started: with Fake next"));
}

TEST_F(SwapOfOneThatNeverRan, LendsWhatItHasNeverthelessGot)
{
	world.old.offersSecrets = world.next.offersSecrets = true;
	world.old.loginBrings = "unwrapped secret id";
	world.old.answer("start", {ISSUER_E_INVALID});
	world.surroundings.backoff = [](unsigned, bool) { return std::chrono::hours(1); };
	Registry own{world.plugins, world.surroundings};
	ASSERT_TRUE(own.apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.calls.waitFor("old.start"));
	EXPECT_EQ(own.apply({FakeWorld::spec("a", "next")})->swapped, 1U);
	EXPECT_THAT(world.calls.all(), Contains("next.take unwrapped secret id"));
}

} // namespace
} // namespace issuer::registry
