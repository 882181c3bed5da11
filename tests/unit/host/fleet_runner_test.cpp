#include "fleet/runner/relay.h"
#include "fleet/runner/runner.h"

#include "fake_plugin.h"
#include "memory_directory.h"
#include "temp_dir.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <gmock/gmock.h>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace issuer::fleet {
namespace {

using issuer::test::FakePlugin;
using issuer::test::FakeWorld;
using issuer::test::MemoryDirectory;
using issuer::test::MemoryEngine;
using observe::Phase;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

/// A host in this process: a registry over fake plugins, and its part in the fleet.
struct Host
{
	Host(MemoryEngine& engine, const std::string& name, int count, std::filesystem::path ringFile = {})
	{
		world.old.offersHealth = true;
		relay = std::make_shared<Relay>(world.surroundings.sink);
		world.surroundings.sink = relay;
		world.surroundings.lastState = [this](const std::string& issuer, const std::string& plugin, std::string text) {
			runner->lastState(issuer, plugin, std::move(text));
		};
		registry = std::make_unique<registry::Registry>(world.plugins, world.surroundings);
		Runner::Settings settings;
		settings.fleet = "test";
		settings.plan.member = name;
		settings.plan.run = "0123abcd";
		settings.plan.takeover = 2s;
		settings.ringFile = std::move(ringFile);
		settings.pulse = [this, name] {
			if (isPulseBroken.exchange(false)) {
				throw std::runtime_error("the test breaks this pass");
			}
			return "pulse of " + name;
		};
		settings.pulsePause = 1ms;
		settings.pauseAfterFailure = 1ms;
		runner = std::make_unique<Runner>(settings, *registry, world.surroundings.sink, [&](Listener listener) {
			auto made = std::make_unique<MemoryDirectory>(engine, std::move(listener));
			directory = made.get();
			return made;
		});
		relay->follow(runner.get());
		registry->begin(specs(count));
		runner->begin();
	}
	~Host()
	{
		relay->follow(nullptr);
		runner->close();
		static_cast<void>(registry->stopAll());
		runner.reset();
		registry.reset();
	}

	static std::vector<registry::IssuerSpec> specs(int count)
	{
		std::vector<registry::IssuerSpec> all;
		for (int i = 0; i < count; ++i) {
			all.push_back(FakeWorld::spec("issuer-" + std::to_string(i), "old"));
			all.back().shared = true;
		}
		return all;
	}

	std::set<std::string> running() const
	{
		std::set<std::string> names;
		for (const auto& status : registry->snapshot()) {
			if (status.phase == Phase::running) {
				names.insert(status.name);
			}
		}
		return names;
	}

	/// Leaves as at SIGTERM.
	void leave()
	{
		relay->follow(nullptr);
		runner->close();
		EXPECT_TRUE(registry->stopAll());
		runner->leave(1s);
	}

	FakeWorld world;
	std::shared_ptr<Relay> relay;
	std::unique_ptr<registry::Registry> registry;
	std::unique_ptr<Runner> runner;
	MemoryDirectory* directory = nullptr;
	std::atomic<bool> isPulseBroken = false;
};

/// Waits for a condition, with a generous limit.
template <class Condition>
testing::AssertionResult comes(const Condition& condition)
{
	const auto deadline = std::chrono::steady_clock::now() + 30s;
	while (!condition()) {
		if (std::chrono::steady_clock::now() > deadline) {
			return testing::AssertionFailure() << "it has not come in 30 s";
		}
		std::this_thread::sleep_for(2ms); // between two looks at the condition itself
	}
	return testing::AssertionSuccess();
}

constexpr int count = 12;

/// Returns whether each issuer runs on its own keeper alone, so that nothing is about to move.
bool areKeptOnce(const std::vector<const Host*>& hosts)
{
	std::set<std::string> all;
	std::size_t copies = 0;
	for (const Host* host : hosts) {
		const auto mine = host->running();
		const auto member = host->runner->status().member;
		if (std::ranges::any_of(mine, [&](const auto& name) { return host->runner->keeperOf(name) != member; })) {
			return false;
		}
		copies += mine.size();
		all.insert(mine.begin(), mine.end());
	}
	return all.size() == count && copies == count;
}

TEST(FleetRunner, OneHostBeginsEverythingAndWritesItsStates)
{
	MemoryEngine engine;
	const Host a(engine, "a", count);
	EXPECT_TRUE(comes([&] { return areKeptOnce({&a}); }));
	EXPECT_TRUE(comes([&] { return engine.stateCount() == count; }));
	EXPECT_TRUE(comes([&] {
		const std::lock_guard lock(engine.mutex);
		return engine.pulses["a"] == "pulse of a";
	}));
	const auto status = a.runner->status();
	EXPECT_TRUE(status.joined);
	EXPECT_TRUE(status.engineUp);
	EXPECT_EQ(status.kept, std::size_t{count});
	EXPECT_EQ(status.shardsByRank.at(1), shardCount);
	EXPECT_EQ(status.members.size(), 1U);
	EXPECT_GE(status.stateWrites, std::uint64_t{count});
}

TEST(FleetRunner, TwoHostsShareAndTheSecondTakesOverFromTheStatesOfOneThatDies)
{
	MemoryEngine engine;
	Host a(engine, "a", count);
	ASSERT_TRUE(comes([&] { return areKeptOnce({&a}); }));
	ASSERT_TRUE(comes([&] { return engine.stateCount() >= count; }));
	const Host b(engine, "b", count);
	ASSERT_TRUE(comes([&] { return !b.running().empty() && areKeptOnce({&a, &b}); }));
	EXPECT_LT(b.running().size(), std::size_t{count});
	EXPECT_EQ(b.runner->keeperOf(*a.running().begin()), "a");
	for (auto& [name, state] : engine.states) {
		state.text = "what " + name.member + " knew"; // the fake plugin has no snapshot_state
	}
	const auto moved = a.running().size();
	a.directory->die();
	ASSERT_TRUE(comes([&] { return b.running().size() == count; }));
	EXPECT_TRUE(b.world.calls.waitFor("old.import what a knew", static_cast<int>(moved)));
}

TEST(FleetRunner, AHostThatLeavesHandsItsLastStatesOver)
{
	MemoryEngine engine;
	Host a(engine, "a", count);
	ASSERT_TRUE(comes([&] { return areKeptOnce({&a}); }));
	const Host b(engine, "b", count);
	ASSERT_TRUE(comes([&] { return !b.running().empty() && areKeptOnce({&a, &b}); }));
	const auto moved = a.running().size();
	a.leave();
	EXPECT_TRUE(comes([&] { return b.running().size() == count; }));
	EXPECT_TRUE(b.world.calls.waitFor("old.import state of old", static_cast<int>(moved)));
}

TEST(FleetRunner, NothingChangesHandsWhileTheEngineIsAway)
{
	MemoryEngine engine;
	const Host a(engine, "a", count);
	ASSERT_TRUE(comes([&] { return areKeptOnce({&a}); }));
	{
		const std::lock_guard lock(engine.mutex);
		engine.away = true;
	}
	ASSERT_TRUE(comes([&] { return !a.runner->status().engineUp; }));
	EXPECT_EQ(a.running().size(), std::size_t{count});
	EXPECT_THAT(a.world.calls.all(), Not(Contains("old.stop")));
	{
		const std::lock_guard lock(engine.mutex);
		engine.away = false;
	}
	ASSERT_TRUE(comes([&] { return a.runner->status().engineUp; }));
	EXPECT_EQ(a.running().size(), std::size_t{count});
}

TEST(FleetRunner, AReloadGivesTheFleetWhatItAddsAndTakesWhatItRemoves)
{
	MemoryEngine engine;
	const Host a(engine, "a", 2);
	ASSERT_TRUE(comes([&] { return a.running().size() == 2; }));
	ASSERT_TRUE(a.registry->apply(Host::specs(3)));
	a.runner->configure();
	EXPECT_TRUE(comes([&] { return a.running().size() == 3; }));
	auto own = Host::specs(3);
	own[0].shared = false;
	ASSERT_TRUE(a.registry->apply(own));
	a.runner->configure();
	ASSERT_TRUE(a.registry->apply(Host::specs(3))); // shared again: let go, and begun by the plan
	a.runner->configure();
	EXPECT_TRUE(comes([&] { return a.running().size() == 3 && a.runner->status().kept == 3; }));
}

TEST(FleetRunner, AnIssuerThatIsSharedAgainIsLetGoWhereTheFleetDoesNotWantIt)
{
	MemoryEngine engine;
	const Host a(engine, "a", count);
	const Host b(engine, "b", count);
	ASSERT_TRUE(comes([&] { return !a.running().empty() && !b.running().empty() && areKeptOnce({&a, &b}); }));
	auto own = Host::specs(count);
	for (auto& spec : own) {
		spec.shared = false;
	}
	ASSERT_TRUE(a.registry->apply(own));
	a.runner->configure();
	ASSERT_TRUE(comes([&] { return a.running().size() == count; }));
	ASSERT_TRUE(a.registry->apply(Host::specs(count)));
	a.runner->configure();
	EXPECT_TRUE(comes([&] { return areKeptOnce({&a, &b}) && !a.running().empty(); }));
}

TEST(FleetRunner, APassThatFailsIsToldAndLetsNoIssuerGo)
{
	MemoryEngine engine;
	Host a(engine, "a", count);
	Host b(engine, "b", count);
	ASSERT_TRUE(comes([&] { return !a.running().empty() && !b.running().empty() && areKeptOnce({&a, &b}); }));
	const auto kept = a.running();
	const auto stops = [&a] {
		const auto calls = a.world.calls.all();
		return std::ranges::count(calls, "old.stop");
	};
	const auto before = stops();
	a.isPulseBroken = true;
	ASSERT_TRUE(comes([&] {
		const auto told = a.world.told.all();
		return std::ranges::any_of(told, [](const auto& line) { return line.find("the test breaks") != line.npos; });
	}));
	ASSERT_TRUE(comes([&] { return a.runner->status().joined && a.runner->status().kept == kept.size(); }));
	EXPECT_EQ(a.running(), kept);
	EXPECT_EQ(stops(), before);
	b.directory->die(); // what it decides afterwards is right
	EXPECT_TRUE(comes([&] { return a.running().size() == count; }));
}

TEST(FleetRunner, AnActionThatFailsKeepsNoIssuerFromItsBeginning)
{
	MemoryEngine engine;
	Host a(engine, "a", count);
	const Host b(engine, "b", count);
	ASSERT_TRUE(comes([&] { return !a.running().empty() && !b.running().empty() && areKeptOnce({&a, &b}); }));
	b.directory->breakWrites(3); // of the states of those that it begins now
	a.directory->die();
	EXPECT_TRUE(comes([&] { return b.running().size() == count; }));
	EXPECT_TRUE(comes([&] {
		const std::lock_guard lock(engine.mutex);
		const auto written =
			std::ranges::count_if(engine.states, [](const auto& one) { return one.first.member == "b"; });
		return written == count && engine.members["b"].record.kept.any();
	}));
	EXPECT_EQ(b.directory->recordsThatRelyOnNothing(), 0);
}

TEST(FleetRunner, ARingLastSeenIsKeptForAStartWithoutTheEngine)
{
	const issuer::test::TempDir folder;
	const auto file = folder.path() / "ring";
	MemoryEngine engine;
	{
		const Host a(engine, "a", 1, file);
		ASSERT_TRUE(comes([&] { return std::filesystem::exists(file); }));
	}
	std::ofstream(file) << "damaged";
	const Host b(engine, "b", 1, file);
	EXPECT_THAT(b.world.told.all(), Contains(HasSubstr("is left unread")));
}

} // namespace
} // namespace issuer::fleet
