#pragma once

#include "command_line.h"
#include "share_out.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iostream>
#include <optional>
#include <span>

namespace issuer::simulation {

/// Returns the seed of the world that stands `index`th in a run; worlds of one run have nothing in common.
[[nodiscard]] constexpr std::uint64_t seedOf(std::uint64_t run, std::uint64_t index)
{
	// Small enough to be typed. 2^40 worlds are enough, and the multiplier is odd: no world comes twice.
	constexpr std::uint64_t worlds = (1ULL << 40U) - 1;
	return (run * 0x9e3779b97f4a7c15U + index) * 0xd1342543de82ef95U & worlds;
}

/// The worlds of a run that break one property.
struct Judgement
{
	static constexpr std::size_t mostSeeds = 16;

	std::uint64_t broken = 0;                     ///< number of worlds
	std::array<std::uint64_t, mostSeeds> seeds{}; ///< of the first of them; 0 where there are fewer

	void add(std::uint64_t seed)
	{
		if (broken < mostSeeds) {
			seeds.at(broken) = seed;
		}
		++broken;
	}
};

/// A property, by its index, and a world that breaks it.
struct BrokenPromise
{
	std::size_t property = 0;
	std::uint64_t seed = 0;
};

/// Judges one world by the properties that the command line wants, prints each verdict, and returns whether all are
/// kept.
template <class Property, std::size_t count, class World, class Chronicle>
bool judgeWorld(const CommandLine& line, std::span<const Property, count> properties, const World& world,
	const Chronicle& chronicle)
{
	bool kept = true;
	for (const auto& property : properties) {
		if (line.wants(property.name)) {
			const auto broken = property.broken(world, chronicle);
			std::cout << property.name << ": " << broken.value_or("kept") << '\n';
			kept = kept && !broken;
		}
	}
	return kept;
}

/// Plays the worlds of a run on `workers` processes, judges each by the properties that the command line wants, prints
/// the verdicts, and returns the first promise that is broken. `play` returns the world of a seed and its chronicle. A
/// world that kills its process is an error whose text names its index.
template <class Property, std::size_t count, class Play>
std::optional<BrokenPromise> judgeRun(const CommandLine& line, std::uint64_t run, unsigned workers,
	std::span<const Property, count> properties, Play play)
{
	using Verdicts = std::array<Judgement, count>;
	const auto work = [&](std::uint64_t index, Verdicts& verdicts) {
		const auto seed = seedOf(run, index);
		const auto [world, chronicle] = play(seed);
		bool goOn = true;
		for (std::size_t which = 0; which < count; ++which) {
			if (line.wants(properties[which].name) && properties[which].broken(world, chronicle)) {
				verdicts[which].add(seed);
				goOn = !line.first;
			}
		}
		return goOn;
	};
	Verdicts sum{};
	shareOut<Verdicts>(*line.worlds, workers, work, [&](const Verdicts& share) {
		for (std::size_t which = 0; which < count; ++which) {
			const auto known = std::min<std::uint64_t>(share[which].broken, Judgement::mostSeeds);
			for (std::size_t index = 0; index < known; ++index) {
				sum[which].add(share[which].seeds[index]);
			}
			sum[which].broken += share[which].broken - known;
		}
	});
	std::optional<BrokenPromise> first;
	for (std::size_t which = 0; which < count; ++which) {
		if (!line.wants(properties[which].name)) {
			continue;
		}
		const auto& [broken, seeds] = sum[which];
		std::cout << properties[which].name << ": " << (broken == 0 ? "kept" : "BROKEN") << " in "
				  << (broken == 0 ? *line.worlds : broken) << " of " << *line.worlds << " worlds";
		for (const auto seed : seeds) {
			std::cout << (seed != 0 ? " " + std::to_string(seed) : "");
		}
		std::cout << std::endl;
		if (broken > 0 && !first) {
			first = {which, seeds.front()};
		}
	}
	return first;
}

} // namespace issuer::simulation
