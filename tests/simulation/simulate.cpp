#include "campaign.h"
#include "comparison.h"
#include "runs.h"
#include "worlds.h"

#include <iostream>
#include <utility>

namespace {

using namespace issuer::simulation;

int replay(const CommandLine& line)
{
	const auto world = worldOf(*line.seed).value();
	std::cout << world << '\n';
	Timeline timeline(std::cout);
	const auto chronicle = play(world, &timeline);
	std::cout << '\n';
	return judgeWorld(line, properties(), world, chronicle) ? 0 : 1;
}

int judge(const CommandLine& line, std::uint64_t run, unsigned workers)
{
	const auto broken = judgeRun(line, run, workers, properties(), [](std::uint64_t seed) {
		const auto world = worldOf(seed).value();
		return std::pair(world, play(world));
	});
	if (broken && !line.brief) {
		std::cout << '\n';
		explain(std::cout, broken->seed, properties()[broken->property]);
	}
	return broken ? 1 : 0;
}

void compareRules(std::uint64_t run, std::uint64_t worlds, unsigned workers)
{
	compare(std::cout, run, worlds, workers);
}

} // namespace

int main(int count, char** words)
{
	return runSimulator({.name = "simulate",
							.comparedWith = "other renewers' rules",
							.properties = namesOf(properties()),
							.comparedWorlds = 100'000,
							.replay = replay,
							.judge = judge,
							.compare = compareRules},
		count, words);
}
