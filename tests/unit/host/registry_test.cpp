#include "registry/registry.h"

#include "fake_plugin.h"
#include "no_threads.h"
#include "temp_dir.h"

#include <fstream>
#include <future>
#include <gmock/gmock.h>

namespace issuer::registry {
namespace {

using issuer::test::FakeWorld;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

class RegistryOf : public testing::Test
{
protected:
	Result<Changes> apply(std::vector<IssuerSpec> specs) { return registry.apply(std::move(specs)); }

	FakeWorld world;
	Registry registry{world.plugins, world.surroundings};
};

TEST_F(RegistryOf, CreatesAllBeforeItStartsAny)
{
	world.next.answer("create", {ISSUER_E_INVALID});
	const auto applied =
		apply({FakeWorld::spec("a", "old"), FakeWorld::spec("b", "next"), FakeWorld::spec("c", "none")});
	ASSERT_FALSE(applied);
	EXPECT_EQ(applied.error().text, "issuer b: create says 1\nissuer c: plugin none refused: there is no such file");
	EXPECT_THAT(world.calls.all(), Not(Contains("old.start")));
	EXPECT_THAT(world.calls.all(), IsSupersetOf({"old.destroy", "old.closed", "next.closed"}));
}

TEST_F(RegistryOf, RecordsBeforeItStarts)
{
	ASSERT_TRUE(apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	EXPECT_THAT(world.calls.all(), ElementsAre("old.create", "old.record", "old.start"));
}

TEST_F(RegistryOf, TellsWhatAPluginRecordsAndLogsUnderItsIssuersName)
{
	ASSERT_TRUE(apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	issuer_event event{};
	event.struct_size = sizeof event;
	event.detail = {"renewed", 7};
	world.old.recordEvent(event);
	world.old.log(ISSUER_LOG_WARN, "tls", "the certificate ends soon");
	EXPECT_THAT(world.told.all(), IsSupersetOf({"a event: renewed", "a tls: the certificate ends soon"}));
}

TEST_F(RegistryOf, AnEventTooShortToBeOneIsIgnored)
{
	ASSERT_TRUE(apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	issuer_event event{};
	event.struct_size = offsetof(issuer_event, detail);
	event.detail = {"not there", 9};
	world.old.recordEvent(event);
	EXPECT_THAT(world.told.all(), Not(Contains(HasSubstr("not there"))));
}

TEST_F(RegistryOf, GoesOnWithoutAFurtherThreadAndSaysSo)
{
	const issuer::test::NoThreads none;
	ASSERT_TRUE(apply({FakeWorld::spec("a", "old"), FakeWorld::spec("b", "old"), FakeWorld::spec("c", "old")}));
	for (const char* name : {"a", "b", "c"}) {
		EXPECT_TRUE(world.told.waitFor(std::string(name) + " started: with Fake old"));
	}
	const auto changes =
		apply({FakeWorld::spec("a", "next"), FakeWorld::spec("b", "next"), FakeWorld::spec("c", "old")});
	ASSERT_TRUE(changes);
	EXPECT_EQ(changes->swapped, 2U);
	EXPECT_THAT(world.told.all(), Contains(testing::StartsWith("threads: cannot create another thread")));
	EXPECT_TRUE(registry.stopAll());
}

TEST_F(RegistryOf, AStartWhoseServerIsAwayIsTriedAgain)
{
	world.old.answer("start", {ISSUER_E_UNAVAILABLE, ISSUER_E_UNAVAILABLE});
	ASSERT_TRUE(apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	EXPECT_TRUE(world.told.waitFor("a start_failed: start says 9; tried again in 0 s", 2));
}

TEST_F(RegistryOf, TheBackoffIsAskedWithTheNumberOfFailures)
{
	std::vector<unsigned> asked;
	world.surroundings.backoff = [&](unsigned failures, bool) {
		asked.push_back(failures);
		return std::chrono::milliseconds(0);
	};
	Registry own(world.plugins, world.surroundings);
	world.old.answer("start", {ISSUER_E_UNAVAILABLE, ISSUER_E_UNAVAILABLE, ISSUER_E_UNAVAILABLE});
	ASSERT_TRUE(own.apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	EXPECT_THAT(asked, ElementsAre(1, 2, 3));
}

TEST_F(RegistryOf, ADeadCredentialIsToldToTheBackoff)
{
	std::promise<bool> dead;
	world.surroundings.backoff = [&](unsigned, bool credentialDead) {
		dead.set_value(credentialDead);
		return std::chrono::hours(1);
	};
	Registry own(world.plugins, world.surroundings);
	world.old.answer("start", {ISSUER_E_UNAVAILABLE});
	world.old.recordsAtStart(ISSUER_STATE_EXPIRED);
	ASSERT_TRUE(own.apply({FakeWorld::spec("a", "old")}));
	EXPECT_TRUE(dead.get_future().get());
}

TEST_F(RegistryOf, AReloadStartsWhatHasGivenUpAndDisturbsNoOther)
{
	world.old.answer("start", {ISSUER_E_INVALID});
	ASSERT_TRUE(apply({FakeWorld::spec("a", "old"), FakeWorld::spec("b", "next")}));
	ASSERT_TRUE(world.told.waitFor("b started: with Fake next"));
	ASSERT_TRUE(world.calls.waitFor("old.start"));
	ASSERT_TRUE(apply({FakeWorld::spec("a", "old"), FakeWorld::spec("b", "next")}));
	EXPECT_TRUE(world.told.waitFor("a started: with Fake old"));
	EXPECT_THAT(world.calls.all(), Not(Contains("next.stop")));
	EXPECT_EQ(std::ranges::count(world.calls.all(), "next.start"), 1);
}

TEST_F(RegistryOf, AStartThatHangsDelaysNoOther)
{
	world.old.startWaits();
	ASSERT_TRUE(apply({FakeWorld::spec("a", "old"), FakeWorld::spec("b", "next")}));
	EXPECT_TRUE(world.told.waitFor("b started: with Fake next"));
	EXPECT_TRUE(world.calls.waitFor("old.start"));
}

TEST_F(RegistryOf, AStartThatHangsIsCancelledByStop)
{
	world.old.startWaits();
	ASSERT_TRUE(apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.calls.waitFor("old.start"));
	EXPECT_TRUE(registry.stopAll());
	EXPECT_THAT(world.calls.all(), IsSupersetOf({"old.destroy", "old.closed"}));
	EXPECT_THAT(world.told.all(), Not(Contains(HasSubstr("start_failed"))));
}

TEST_F(RegistryOf, StopDoesNotWaitForThePauseBeforeTheNextStart)
{
	world.surroundings.backoff = [](unsigned, bool) { return std::chrono::hours(1); };
	Registry own(world.plugins, world.surroundings);
	world.old.answer("start", {ISSUER_E_UNAVAILABLE});
	ASSERT_TRUE(own.apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a start_failed: start says 9; tried again in 1 h"));
	EXPECT_TRUE(own.stopAll());
	EXPECT_TRUE(world.calls.waitFor("old.closed"));
}

TEST_F(RegistryOf, AStartThatAPersonHasToMendIsTriedAgainCalmlyAndTheOthersRunOn)
{
	std::promise<bool> needsPerson;
	world.surroundings.backoff = [&](unsigned, bool person) {
		needsPerson.set_value(person);
		return std::chrono::hours(1);
	};
	Registry own(world.plugins, world.surroundings);
	world.old.answer("start", {ISSUER_E_INVALID});
	ASSERT_TRUE(own.apply({FakeWorld::spec("a", "old"), FakeWorld::spec("b", "next")}));
	EXPECT_TRUE(world.told.waitFor("a start_failed: start says 1; tried again in 1 h, and at once when a file that its "
								   "configuration names changes"));
	EXPECT_TRUE(world.told.waitFor("b started: with Fake next"));
	EXPECT_TRUE(needsPerson.get_future().get());
}

TEST_F(RegistryOf, AFileThatTheConfigurationNamesBeginsTheStartThatWaitsWhenItChanges)
{
	const issuer::test::TempDir temp;
	const std::string file = temp.path() / "token";
	world.surroundings.backoff = [](unsigned, bool) { return std::chrono::hours(1); };
	world.surroundings.lookPause = std::chrono::milliseconds(1);
	Registry own(world.plugins, world.surroundings);
	world.old.answer("start", {ISSUER_E_INVALID, ISSUER_E_UNAVAILABLE});
	ASSERT_TRUE(own.apply({FakeWorld::spec("a", "old", R"({"token":{"file":")" + file + "\"}}")}));
	ASSERT_TRUE(world.calls.waitFor("old.start"));
	std::ofstream(file) << "a token";
	ASSERT_TRUE(world.calls.waitFor("old.start", 2));
	std::ofstream(file) << "another token";
	EXPECT_TRUE(world.told.waitFor("a started: with Fake old"));
}

TEST_F(RegistryOf, ANudgeBeginsTheStartThatWaits)
{
	world.surroundings.backoff = [](unsigned, bool) { return std::chrono::hours(1); };
	Registry own(world.plugins, world.surroundings);
	world.old.answer("start", {ISSUER_E_INVALID});
	ASSERT_TRUE(own.apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a start_failed: start says 1; tried again in 1 h, and at once when a file that its "
								   "configuration names changes"));
	EXPECT_TRUE(own.nudge("a", Nudge::credentialChanged));
	EXPECT_TRUE(world.told.waitFor("a started: with Fake old"));
}

TEST_F(RegistryOf, BeginStartsTheGoodOnesAndTriesTheOthersAgain)
{
	world.old.answer("create", {ISSUER_E_INVALID, ISSUER_E_INVALID});
	registry.begin({FakeWorld::spec("a", "old"), FakeWorld::spec("b", "next"), FakeWorld::spec("c", "none")});
	EXPECT_TRUE(world.told.waitFor("b started: with Fake next"));
	EXPECT_TRUE(world.told.waitFor("a started: with Fake old"));
	EXPECT_TRUE(
		world.told.waitFor("c start_failed: issuer c: plugin none refused: there is no such file; tried again in "
						   "0 s, and at once when a file that its configuration names changes",
			3));
}

TEST_F(RegistryOf, TheUnchangedAreNotTouchedTheNewStartedAndTheRemovedStopped)
{
	ASSERT_TRUE(apply({FakeWorld::spec("kept", "old"), FakeWorld::spec("gone", "next")}));
	ASSERT_TRUE(world.told.waitFor("kept started: with Fake old"));
	ASSERT_TRUE(world.told.waitFor("gone started: with Fake next"));
	const std::size_t before = world.calls.all().size();

	const auto changes = apply({FakeWorld::spec("kept", "old"), FakeWorld::spec("new", "old")});
	ASSERT_TRUE(changes);
	EXPECT_EQ(changes->kept, 1U);
	EXPECT_EQ(changes->added, 1U);
	EXPECT_EQ(changes->removed, 1U);
	ASSERT_TRUE(world.told.waitFor("new started: with Fake old"));
	const auto calls = world.calls.all();
	EXPECT_THAT(std::vector(calls.begin() + static_cast<std::ptrdiff_t>(before), calls.end()),
		testing::UnorderedElementsAre(
			"old.create", "next.stop", "next.destroy", "next.closed", "old.record", "old.start"));
}

TEST_F(RegistryOf, ABadNewConfigurationTouchesNothing)
{
	ASSERT_TRUE(apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	world.next.answer("create", {ISSUER_E_INVALID});
	EXPECT_FALSE(apply({FakeWorld::spec("a", "next"), FakeWorld::spec("b", "old")}));
	EXPECT_THAT(world.calls.all(), Not(Contains("old.stop")));
	EXPECT_TRUE(apply({FakeWorld::spec("a", "old")})->kept == 1);
}

TEST_F(RegistryOf, StopAllStopsDestroysAndUnloadsAll)
{
	ASSERT_TRUE(apply({FakeWorld::spec("a", "old"), FakeWorld::spec("b", "old"), FakeWorld::spec("c", "next")}));
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	ASSERT_TRUE(world.told.waitFor("b started: with Fake old"));
	ASSERT_TRUE(world.told.waitFor("c started: with Fake next"));
	EXPECT_TRUE(registry.stopAll());
	EXPECT_TRUE(world.calls.waitFor("old.stop", 2));
	EXPECT_TRUE(world.calls.waitFor("old.destroy", 2));
	EXPECT_TRUE(world.calls.waitFor("old.closed", 1));
	EXPECT_TRUE(world.calls.waitFor("next.closed", 1));
	EXPECT_THAT(world.calls.all(), Each(Not(HasSubstr("in use"))));
}

TEST_F(RegistryOf, AnInstanceThatDoesNotStopIsToldLeftAloneAndKeepsItsLibrary)
{
	ASSERT_TRUE(apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	world.old.answer("stop", {ISSUER_E_TIMEOUT});
	world.old.answer("destroy", {ISSUER_E_BUSY});
	EXPECT_FALSE(registry.stopAll());
	EXPECT_TRUE(world.told.waitFor("a stop_timed_out: stop says 4"));
	EXPECT_TRUE(world.calls.waitFor("old.in use"));
	world.old.log(ISSUER_LOG_WARN, "late", "still here"); // it still has something to talk to
	EXPECT_TRUE(world.told.waitFor("a late: still here"));
}

/// Plugins that do not return from a call until they are let go.
struct Hanging : RegistryOf
{
	Hanging()
	{
		world.surroundings.callTimeout = std::chrono::milliseconds(200);
		world.surroundings.swapTimeout = std::chrono::milliseconds(200);
		world.surroundings.stopTimeout = std::chrono::milliseconds(300);
	}
	~Hanging() override { letGo(); }

	void letGo()
	{
		world.old.letGo();
		world.next.letGo();
		while (world.surroundings.calls->leftBehind() > 0) {
			std::this_thread::yield();
		}
	}

	void run(Registry& own)
	{
		ASSERT_TRUE(own.apply({FakeWorld::spec("a", "old"), FakeWorld::spec("b", "old")}));
		ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
		ASSERT_TRUE(world.told.waitFor("b started: with Fake old"));
	}
};

TEST_F(Hanging, InCreateIsRefusedAndHasDisturbedNoOther)
{
	Registry own(world.plugins, world.surroundings);
	run(own);
	world.next.hang("create");
	EXPECT_EQ(own.swap("a", {"next", {}}).text, "issuer a: the plugin does not return from create");
	EXPECT_EQ(own.apply({FakeWorld::spec("a", "next"), FakeWorld::spec("b", "old")}).error().text,
		"issuer a: the plugin does not return from create");
	EXPECT_THAT(world.calls.all(), Not(Contains("old.stop")));
	EXPECT_FALSE(own.stopAll()); // a hanging plugin has not stopped
	world.next.letGo();
	EXPECT_TRUE(world.calls.waitFor("next.destroy", 2)); // by the thread that was left behind
}

TEST_F(Hanging, InStartRollsTheSwapBack)
{
	Registry own(world.plugins, world.surroundings);
	run(own);
	world.next.hang("start");
	EXPECT_EQ(own.swap("a", {"next", {}}).text,
		"issuer a goes on as before: the new one does not start: the plugin does not return from start");
	EXPECT_TRUE(world.told.waitFor("a rolled_back: goes on as before: the new one does not start: the plugin does not "
								   "return from start"));
	EXPECT_TRUE(world.calls.waitFor("old.start", 3));
	EXPECT_EQ(own.snapshot().front().phase, observe::Phase::running);
}

TEST_F(Hanging, InImportRollsTheSwapBack)
{
	Registry own(world.plugins, world.surroundings);
	run(own);
	world.next.hang("import");
	EXPECT_EQ(own.swap("a", {"next", {}}).result, SwapReport::Result::rolledBack);
	EXPECT_TRUE(world.calls.waitFor("old.start", 3));
}

TEST_F(Hanging, InStopKeepsItFromBeingSwappedOnceAndIsThenLeftBehind)
{
	Registry own(world.plugins, world.surroundings);
	run(own);
	world.old.hang("stop");
	EXPECT_EQ(own.swap("a", {"next", {}}).text,
		"issuer a goes on as before: the running one does not stop: the plugin does not return from stop");
	EXPECT_EQ(own.swap("a", {"next", {}}).text, "issuer a goes on with next");
	EXPECT_TRUE(
		world.told.waitFor("a swapped: from Fake old to Fake next, and the old one is left behind: the plugin has "
						   "not returned from stop yet"));
}

TEST_F(Hanging, InStopGoesOnWhenItReturns)
{
	Registry own(world.plugins, world.surroundings);
	run(own);
	world.old.hang("stop");
	EXPECT_EQ(own.swap("a", {"next", {}}).result, SwapReport::Result::rolledBack);
	world.old.letGo();
	EXPECT_TRUE(world.told.waitFor("a started: with Fake old", 2));
}

TEST_F(Hanging, InThePollOfAStopIsWaitedForWhenItStillReturns)
{
	world.surroundings.stopTimeout = std::chrono::seconds(20); // longer than a host waits for a poll
	Registry own(world.plugins, world.surroundings);
	run(own);
	world.old.hang("poll");
	std::jthread returning([&] {
		while (world.surroundings.calls->leftBehind() == 0) {
			std::this_thread::yield();
		}
		world.old.letGo();
	});
	EXPECT_TRUE(own.stopAll()) << "a machine under load is no plugin that hangs";
}

TEST_F(Hanging, InDestroyIsLeftBehindAndTheNewOneRuns)
{
	Registry own(world.plugins, world.surroundings);
	run(own);
	world.old.hang("destroy");
	EXPECT_EQ(own.swap("a", {"next", {}}).text, "issuer a goes on with next");
	EXPECT_EQ(own.snapshot().front().phase, observe::Phase::running);
}

TEST_F(Hanging, InAnyCallDoesNotKeepTheHostFromItsEnd)
{
	for (const char* slot : {"create", "record", "start", "stop", "poll", "destroy", "health"}) {
		issuer::test::FakePlugin stuck("stuck", world.calls);
		world.plugins.add(stuck);
		stuck.offersHealth = true;
		{
			Registry own(world.plugins, world.surroundings);
			ASSERT_TRUE(own.apply({FakeWorld::spec("a", "next")}));
			ASSERT_TRUE(world.calls.waitFor("next.start"));
			stuck.hang(slot);
			own.begin({FakeWorld::spec("b", "stuck")});
			if (slot != std::string("create")) {
				ASSERT_TRUE(world.calls.waitFor("stuck.create"));
			}
			const auto before = std::chrono::steady_clock::now();
			static_cast<void>(own.stopAll());
			EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20)) << slot;
			stuck.letGo();
			while (world.surroundings.calls->leftBehind() > 0) {
				std::this_thread::yield();
			}
		}
	}
}

TEST_F(Hanging, OfManyDoesNotDelayTheStartsOfTheOthers)
{
	Registry own(world.plugins, world.surroundings);
	world.old.hang("start");
	std::vector<IssuerSpec> specs;
	for (int i = 0; i < 200; ++i) { // more than start side by side
		specs.push_back(FakeWorld::spec("hanging " + std::to_string(i), "old"));
	}
	specs.push_back(FakeWorld::spec("well", "next"));
	own.begin(std::move(specs));
	EXPECT_TRUE(world.told.waitFor("well started: with Fake next"));
	EXPECT_EQ(own.swap("well", {"next", {}}).result, SwapReport::Result::swapped);
	EXPECT_EQ(own.swap("hanging 7", {"next", {}}).result, SwapReport::Result::swapped);
}

TEST_F(RegistryOf, AfterStopAllNothingIsAppliedAnyMore)
{
	EXPECT_TRUE(registry.stopAll());
	EXPECT_EQ(apply({FakeWorld::spec("a", "old")}).error().text, "the host is stopping");
}

class ASharedIssuer : public RegistryOf
{
protected:
	void SetUp() override
	{
		auto spec = FakeWorld::spec("a", "old");
		spec.shared = true;
		registry.begin({spec, FakeWorld::spec("own", "old")});
		ASSERT_TRUE(world.told.waitFor("own started: with Fake old"));
	}

	std::vector<IssuerSpec> specs(const std::string& config = "{}", bool shared = true)
	{
		auto spec = FakeWorld::spec("a", "old");
		spec.shared = shared;
		spec.config = config;
		auto own = FakeWorld::spec("own", "old");
		return {spec, own};
	}

	observe::Phase phase() { return registry.status("a")->phase; }
};

TEST_F(ASharedIssuer, IsNotCreatedBeforeTheFleetGivesItToThisHost)
{
	EXPECT_THAT(world.calls.all(), ElementsAre("old.create", "old.record", "old.start"));
	EXPECT_EQ(phase(), observe::Phase::elsewhere);
	EXPECT_EQ(registry.shared(), std::vector<std::string>{"a"});
	EXPECT_FALSE(registry.nudge("a", Nudge::renewNow));
	registry.letGo("a"); // no effect
	EXPECT_TRUE(registry.stopAll());
}

TEST_F(ASharedIssuer, BeginsFromAStateAndIsLetGoWithoutLosingAnything)
{
	registry.keep("a", "what another host knew");
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	EXPECT_THAT(world.calls.all(), Contains("old.import what another host knew"));
	EXPECT_EQ(phase(), observe::Phase::running);
	registry.letGo("a");
	ASSERT_TRUE(world.calls.waitFor("old.destroy"));
	registry.keep("a", std::nullopt);
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old", 2));
	EXPECT_EQ(phase(), observe::Phase::running);
	EXPECT_TRUE(registry.stopAll());
}

TEST_F(ASharedIssuer, WhoseStateIsRefusedStartsAllTheSame)
{
	world.old.answer("import", {ISSUER_E_INVALID});
	registry.keep("a", "of another version");
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	EXPECT_THAT(world.told.all(), Contains(HasSubstr("a state_refused: the state that another host has left")));
}

TEST_F(ASharedIssuer, ThatIsLetGoWhileItsStartWaitsStopsWaiting)
{
	world.old.startWaits();
	registry.keep("a", std::nullopt);
	ASSERT_TRUE(world.calls.waitFor("old.start", 2));
	registry.letGo("a");
	ASSERT_TRUE(world.calls.waitFor("old.destroy"));
	EXPECT_TRUE(registry.stopAll());
}

TEST_F(ASharedIssuer, StaysElsewhereAcrossAReload)
{
	const auto changes = apply(specs(R"({"other":1})"));
	ASSERT_TRUE(changes) << changes.error().text;
	EXPECT_EQ(phase(), observe::Phase::elsewhere);
	EXPECT_THAT(world.told.all(), Not(Contains(HasSubstr("a started"))));
	ASSERT_TRUE(apply(specs(R"({"other":1})")));
	EXPECT_EQ(phase(), observe::Phase::elsewhere);
	registry.keep("a", std::nullopt);
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	ASSERT_TRUE(apply(specs(R"({"other":2})")));
	EXPECT_EQ(phase(), observe::Phase::running) << "and stays here";
}

TEST_F(ASharedIssuer, ThatIsSharedNoLongerIsKeptHere)
{
	ASSERT_TRUE(apply(specs("{}", false)));
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	EXPECT_TRUE(registry.shared().empty());
}

TEST_F(ASharedIssuer, ThatIsSharedNoLongerWhileItIsLetGoStartsOnceThatHasEnded)
{
	registry.keep("a", std::nullopt);
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	world.old.hang("stop");
	registry.letGo("a");
	ASSERT_TRUE(world.calls.waitFor("old.stop"));
	auto reload = std::async(std::launch::async, [this] { return apply(specs("{}", false)).has_value(); });
	EXPECT_EQ(reload.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
	world.old.letGo();
	EXPECT_TRUE(reload.get());
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old", 2));
	EXPECT_TRUE(world.calls.waitFor("old.destroy"));
	EXPECT_THAT(world.told.all(), Not(Contains(HasSubstr("a start_failed"))));
	EXPECT_EQ(phase(), observe::Phase::running);
}

TEST_F(ASharedIssuer, AddedByAReloadIsCheckedAndLeftToTheFleet)
{
	auto all = specs();
	auto added = FakeWorld::spec("b", "old");
	added.shared = true;
	all.push_back(added);
	const auto changes = apply(all);
	ASSERT_TRUE(changes);
	EXPECT_THAT(changes->sentences, Contains("issuer b is added, and the fleet decides which host keeps it"));
	EXPECT_EQ(registry.status("b")->phase, observe::Phase::elsewhere);
	EXPECT_TRUE(registry.stopAll());
}

} // namespace
} // namespace issuer::registry
