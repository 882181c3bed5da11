#include "fleet_properties.h"
#include "fleet_scale.h"
#include "runs.h"

#include <array>
#include <cstdint>
#include <iostream>
#include <string_view>
#include <utility>

namespace {

using namespace issuer::simulation;
namespace fleets = issuer::fleets;

int replay(const CommandLine& line)
{
	const auto world = fleets::worldOf(*line.seed);
	std::cout << world << '\n';
	const auto chronicle = fleets::play(world, &std::cout);
	return judgeWorld(line, fleets::properties(), world, chronicle) ? 0 : 1;
}

int judge(const CommandLine& line, std::uint64_t run, unsigned workers)
{
	const auto broken = judgeRun(line, run, workers, fleets::properties(), [](std::uint64_t seed) {
		const auto world = fleets::worldOf(seed);
		return std::pair(world, fleets::play(world));
	});
	if (broken && !line.brief) {
		std::cout << '\n';
		auto alone = line;
		alone.seed = broken->seed;
		replay(alone);
	}
	return broken ? 1 : 0;
}

void compare(std::uint64_t, std::uint64_t, unsigned)
{
	fleets::printScale(std::cout);
}

} // namespace

int main(int count, char** words)
{
	return runSimulator({.name = "simulate_fleets",
							.comparedWith = "look-ups in place of states: 1,000,000 issuers on 100 members, arithmetic",
							.properties = namesOf(fleets::properties()),
							.comparedWorlds = 1,
							.replay = replay,
							.judge = judge,
							.compare = compare},
		count, words);
}
