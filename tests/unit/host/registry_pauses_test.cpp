// Pauses that begin anew, and stops that wait for each other no longer than the slowest takes.
#include "registry/registry.h"

#include "fake_plugin.h"

#include <gmock/gmock.h>

namespace issuer::registry {
namespace {

using issuer::test::FakeWorld;

TEST(AStartThatSucceeds, EndsTheCountOfFailuresSoThatPausesBeginAnew)
{
	FakeWorld world;
	world.surroundings.backoff = [](unsigned, bool) { return std::chrono::milliseconds(1); };
	Registry registry(world.plugins, world.surroundings);
	world.old.answer("start", {ISSUER_E_UNAVAILABLE, ISSUER_E_UNAVAILABLE});
	ASSERT_TRUE(registry.apply({FakeWorld::spec("a", "old")}));
	ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	const auto status = registry.snapshot().front();
	EXPECT_EQ(status.failedStarts, 0U);
	EXPECT_EQ(status.problem, "");
}

TEST(StoppingMany, TellsAllToStopBeforeItWaitsForAny)
{
	constexpr int many = 20; // more than are stopped side by side
	FakeWorld world;
	Registry registry(world.plugins, world.surroundings);
	std::vector<IssuerSpec> specs;
	for (int i = 0; i < many; ++i) {
		specs.push_back(FakeWorld::spec("a" + std::to_string(i), "old"));
	}
	ASSERT_TRUE(registry.apply(std::move(specs)));
	for (int i = 0; i < many; ++i) {
		ASSERT_TRUE(world.told.waitFor("a" + std::to_string(i) + " started: with Fake old"));
	}
	ASSERT_TRUE(registry.apply({}));
	// As many as are started side by side may still be busy with that, and are told when they are done.
	EXPECT_GT(world.old.pollsBeforeStop, many / 2);
}

} // namespace
} // namespace issuer::registry
