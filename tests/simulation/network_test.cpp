#include "keeper_renewer.h"
#include "original_rules.h"
#include "world_player.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace issuer::simulation {
namespace {

using namespace std::chrono_literals;

/// One row of the table of places.md: the server would renew each token that it is asked about.
struct Row
{
	const char* name;
	Topology way;
};

constexpr Part soon{2'000};
constexpr Part atOnce{0};
constexpr Part forEver{300'000};
constexpr std::uint8_t none = 0;
constexpr std::uint8_t first = 1;

Topology wayOf(int endpoints, NetIncident incident, seconds closesIdle = 0s)
{
	return {endpoints, true, 1ms, closesIdle, {incident}};
}

const Row rows[] = {
	{"AConnectionThatSays503ForEver", wayOf(1, {NetFault::connections, WayFault::sealed, none, soon, forEver})},
	{"AConnectionThatGivesAPageForEver", wayOf(1, {NetFault::connections, WayFault::page, none, soon, forEver})},
	{"AKeptConnectionThatHangs", wayOf(1, {NetFault::connections, WayFault::silent, none, soon, forEver})},
	{"AFirstAddressThatSays503", wayOf(2, {NetFault::endpoints, WayFault::sealed, first, soon, forEver})},
	{"AFirstAddressThatAcceptsAndIsSilent", wayOf(2, {NetFault::endpoints, WayFault::silent, first, soon, forEver})},
	{"AFirstAddressThatDropsSyns", wayOf(2, {NetFault::endpoints, WayFault::dropsSyns, first, soon, forEver})},
	{"ANameThatMovesFromNodesThatSay503", wayOf(1, {NetFault::nameMoves, WayFault::sealed, none, soon, forEver})},
	{"ANameThatMovesFromNodesThatAreSilent", wayOf(2, {NetFault::nameMoves, WayFault::silent, none, soon, forEver})},
	{"AResolverThatFailsWhenTheConnectionHasIdled",
		wayOf(1, {NetFault::resolverFails, WayFault::sealed, none, soon, forEver}, 1s)},
	{"AResolverThatHangsWhenTheConnectionHasIdled",
		wayOf(1, {NetFault::resolverHangs, WayFault::sealed, none, soon, forEver}, 1s)},
	{"NeighboursThatHoldAllSlots", wayOf(1, {NetFault::slotsTaken, WayFault::sealed, none, atOnce, forEver})},
};

class OnTheWay : public testing::TestWithParam<std::tuple<Row, int>>
{
protected:
	[[nodiscard]] static World world()
	{
		World world;
		world.token.lease = seconds(std::get<1>(GetParam()));
		world.topology = std::get<0>(GetParam()).way;
		world.leases = 5;
		return world;
	}
};

std::string nameOfRow(const testing::TestParamInfo<OnTheWay::ParamType>& tested)
{
	return std::string(std::get<0>(tested.param).name) + "WithALeaseOf" + std::to_string(std::get<1>(tested.param)) +
		   "s";
}

TEST_P(OnTheWay, NoTokenDies)
{
	const auto world = OnTheWay::world();
	KeeperRenewer keeper(world.policy, world.dice);
	EXPECT_TRUE(WorldPlayer(world, keeper).play().deaths.empty());
}

INSTANTIATE_TEST_SUITE_P(
	Places, OnTheWay, testing::Combine(testing::ValuesIn(rows), testing::Values(4, 8, 20, 60)), nameOfRow);

class ClientThatStaysOnItsWay : public OnTheWay
{
};

/// The network fails as its names say: a client that stays with one connection, or with the first address, loses its
/// token.
TEST_P(ClientThatStaysOnItsWay, LosesTheToken)
{
	const auto world = OnTheWay::world();
	OriginalRules original;
	EXPECT_FALSE(WorldPlayer(world, original).play().deaths.empty());
}

const Row deadly[] = {
	{"AConnectionThatSays503ForEver", wayOf(1, {NetFault::connections, WayFault::sealed, none, soon, forEver})},
	{"AFirstAddressThatSays503", wayOf(2, {NetFault::endpoints, WayFault::sealed, first, soon, forEver})},
	{"AFirstAddressThatAcceptsAndIsSilent", wayOf(2, {NetFault::endpoints, WayFault::silent, first, soon, forEver})},
	{"ANameThatMovesFromNodesThatSay503", wayOf(1, {NetFault::nameMoves, WayFault::sealed, none, soon, forEver})},
	{"AResolverThatFailsWhenTheConnectionHasIdled",
		wayOf(1, {NetFault::resolverFails, WayFault::sealed, none, soon, forEver}, 1s)},
};

INSTANTIATE_TEST_SUITE_P(
	Places, ClientThatStaysOnItsWay, testing::Combine(testing::ValuesIn(deadly), testing::Values(20, 60)), nameOfRow);

} // namespace
} // namespace issuer::simulation
