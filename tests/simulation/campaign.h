#pragma once

#include "properties.h"
#include "timeline.h"

#include <array>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace issuer::simulation {

/// The keeper in one world.
[[nodiscard]] Chronicle play(const World& world, Timeline* timeline = nullptr);

/// The seed of the world that stands `index`th in a run; worlds of one run have nothing in common.
[[nodiscard]] std::uint64_t seedOf(std::uint64_t run, std::uint64_t index);

/// The results of one property in many worlds.
struct Judgement
{
	static constexpr std::size_t mostSeeds = 16;

	std::uint64_t broken = 0;                     ///< in so many worlds
	std::array<std::uint64_t, mostSeeds> seeds{}; ///< of the first of them; 0 where there are fewer

	void add(std::uint64_t seed)
	{
		if (broken < mostSeeds) {
			seeds.at(broken) = seed;
		}
		++broken;
	}
};

using Verdicts = std::array<Judgement, propertyCount>;

/// Plays the first `worlds` worlds of a run and judges each by every property, on `workers` processes. A world that
/// kills its process is an error whose text names it.
/// `untilBroken`: stops at the first world that breaks this property, and judges by no other; null: plays them all.
[[nodiscard]] Verdicts judge(
	std::uint64_t run, std::uint64_t worlds, unsigned workers, const Property* untilBroken = nullptr);

/// Of a world in which `property` is broken, the simplest that RapidCheck finds in which it still is.
[[nodiscard]] World simplest(std::uint64_t seed, const Property& property);

/// Tells how a world breaks a property: the seed, the simplest such world, and the course of events in it.
void explain(std::ostream& out, std::uint64_t seed, const Property& property);

} // namespace issuer::simulation
