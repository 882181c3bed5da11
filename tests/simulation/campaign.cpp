#include "campaign.h"

#include "keeper_renewer.h"
#include "share_out.h"
#include "world_player.h"
#include "worlds.h"

#include <rapidcheck/shrinkable/Operations.h>

#include <algorithm>
#include <ostream>

namespace issuer::simulation {

Chronicle play(const World& world, Timeline* timeline)
{
	KeeperRenewer keeper(world.policy, world.dice);
	return WorldPlayer(world, keeper, timeline).play();
}

std::uint64_t seedOf(std::uint64_t run, std::uint64_t index)
{
	// Small enough to be typed. 2^40 worlds are enough, and the multiplier is odd: no world comes twice.
	constexpr std::uint64_t worlds = (1ULL << 40U) - 1;
	return (run * 0x9e3779b97f4a7c15U + index) * 0xd1342543de82ef95U & worlds;
}

Verdicts judge(std::uint64_t run, std::uint64_t worlds, unsigned workers, const Property* untilBroken)
{
	const auto all = properties();
	const auto work = [&](std::uint64_t index, Verdicts& verdicts) {
		const auto seed = seedOf(run, index);
		const auto world = worldOf(seed).value();
		const auto chronicle = play(world);
		bool goOn = true;
		for (std::size_t which = 0; which < all.size(); ++which) {
			const bool judged = untilBroken == nullptr || untilBroken == &all[which];
			if (judged && all[which].broken(world, chronicle)) {
				goOn = untilBroken == nullptr;
				verdicts[which].add(seed);
			}
		}
		return goOn;
	};
	Verdicts sum{};
	shareOut<Verdicts>(worlds, workers, work, [&](const Verdicts& share) {
		for (std::size_t which = 0; which < all.size(); ++which) {
			const auto known = std::min<std::uint64_t>(share[which].broken, Judgement::mostSeeds);
			for (std::size_t index = 0; index < known; ++index) {
				sum[which].add(share[which].seeds[index]);
			}
			sum[which].broken += share[which].broken - known;
		}
	});
	return sum;
}

World simplest(std::uint64_t seed, const Property& property)
{
	const auto breaks = [&](const World& world) { return property.broken(world, play(world)).has_value(); };
	return rc::shrinkable::findLocalMin(worldOf(seed), breaks).first;
}

void explain(std::ostream& out, std::uint64_t seed, const Property& property)
{
	out << property.name << ": " << property.promise << ". It is broken in world " << seed
		<< ", which is replayed by\n    simulate --seed " << seed << "\nThe simplest such world:\n";
	const auto world = simplest(seed, property);
	out << world << '\n';
	Timeline timeline(out);
	const auto chronicle = play(world, &timeline);
	out << "=> " << property.broken(world, chronicle).value_or("kept") << '\n';
}

} // namespace issuer::simulation
