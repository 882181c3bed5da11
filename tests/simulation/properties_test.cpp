#include "campaign.h"
#include "runs.h"
#include "worlds.h"

#include <gtest/gtest.h>

#include <functional>
#include <sstream>
#include <string>
#include <string_view>

namespace issuer::simulation {
namespace {

/// For each property so many, others, and always the same: a debug build takes a second or two for them.
/// `simulate --worlds` plays hundreds of thousands of new ones.
constexpr std::uint64_t worlds = 1'000;

class Keeper : public testing::TestWithParam<Property>
{
};

TEST_P(Keeper, KeepsItsPromiseInEveryWorld)
{
	const auto& property = GetParam();
	const auto run = std::hash<std::string_view>()(property.name);
	for (std::uint64_t index = 0; index < worlds; ++index) {
		const auto seed = seedOf(run, index);
		const auto world = worldOf(seed).value();
		if (property.broken(world, play(world))) {
			std::ostringstream how;
			explain(how, seed, property);
			FAIL() << how.str();
		}
	}
}

INSTANTIATE_TEST_SUITE_P(Simulated, Keeper, testing::ValuesIn(properties().begin(), properties().end()),
	[](const auto& tested) { return std::string(tested.param.name); });

} // namespace
} // namespace issuer::simulation
