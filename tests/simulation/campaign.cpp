#include "campaign.h"

#include "keeper_renewer.h"
#include "world_player.h"
#include "worlds.h"

#include <rapidcheck/shrinkable/Operations.h>

#include <ostream>

namespace issuer::simulation {

Chronicle play(const World& world, Timeline* timeline)
{
	KeeperRenewer keeper(world.policy, world.dice);
	return WorldPlayer(world, keeper, timeline).play();
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
