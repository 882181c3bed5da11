#include "fleet/lists.h"
#include "fleet/ring.h"
#include "fleet/ring_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace issuer::fleet {

namespace {

const std::vector<std::string> five{"host-a", "host-b", "host-c", "host-d", "host-e"};

std::string firstOf(const Ring& ring, std::size_t shard)
{
	return std::string(ring.ranked(static_cast<Shard>(shard)).front().member);
}

} // namespace

TEST(Ring, AnIssuersShardIsTheSameInEveryRelease)
{
	EXPECT_EQ(shardOf("web"), 1205);
	EXPECT_EQ(shardOf("api"), 332);
}

TEST(Ring, AClaimIsTheSameInEveryRelease)
{
	Ring ring;
	ring.add("host-a");
	EXPECT_EQ(ring.ranked(0x00f).front().weight, 0xd7529542d48ee409U);
}

TEST(Ring, TheGreatestWeightIsFirst)
{
	Ring ring;
	ring.assign(five);
	EXPECT_TRUE(std::ranges::is_sorted(ring.ranked(7), std::ranges::greater(), &Claim::weight));
}

TEST(Ring, HostsThatLearnOfTheMembersInAnyOrderRankThemAlike)
{
	Ring one;
	one.assign(five);
	Ring other;
	(void)other.ranked(7);
	std::ranges::for_each(five.rbegin(), five.rend(), [&](const auto& member) { other.add(member); });
	other.add("host-x");
	other.remove("host-x");
	for (std::size_t shard = 0; shard < shardCount; ++shard) {
		const auto number = static_cast<Shard>(shard);
		ASSERT_TRUE(std::ranges::equal(one.ranked(number), other.ranked(number), {}, &Claim::member, &Claim::member))
			<< shard;
	}
}

TEST(Ring, ALeavingMembersShardsGoToTheirSecondsAndNoOtherMoves)
{
	Ring ring;
	ring.assign(five);
	std::vector<std::string> firsts;
	std::vector<std::string> seconds;
	for (std::size_t shard = 0; shard < shardCount; ++shard) {
		firsts.push_back(firstOf(ring, shard));
		seconds.emplace_back(ring.ranked(static_cast<Shard>(shard))[1].member);
	}
	ring.remove("host-c");
	for (std::size_t shard = 0; shard < shardCount; ++shard) {
		ASSERT_EQ(firstOf(ring, shard), firsts[shard] == "host-c" ? seconds[shard] : firsts[shard]);
	}
}

TEST(Ring, MembersGetAboutTheSameNumberOfShards)
{
	Ring ring;
	ring.assign(five);
	std::map<std::string, std::size_t> shards;
	for (std::size_t shard = 0; shard < shardCount; ++shard) {
		++shards[firstOf(ring, shard)];
	}
	for (const auto& [member, count] : shards) {
		EXPECT_GT(count, shardCount / 5 * 9 / 10) << member;
		EXPECT_LT(count, shardCount / 5 * 11 / 10) << member;
	}
}

TEST(Ring, AStrangerHasNoRank)
{
	Ring ring;
	ring.assign(five);
	EXPECT_EQ(ring.rankOf("host-x", 1), std::nullopt);
	EXPECT_EQ(ring.rankOf(ring.ranked(1)[2].member, 1), 3U);
}

TEST(ListDigests, DoNotDependOnTheOrderOfNames)
{
	EXPECT_EQ(digestsOf({"web", "api", "db"}), digestsOf({"db", "web", "api"}));
}

TEST(ListDigests, ANameChangesThatOfItsSixteenShardsAlone)
{
	const auto before = digestsOf({"web", "api"});
	const auto after = digestsOf({"web", "api", "db"});
	for (std::size_t group = 0; group < before.size(); ++group) {
		EXPECT_EQ(before[group] != after[group], group == digestOf(shardOf("db"))) << group;
	}
}

TEST(RingText, ComesBackAsItWasStored)
{
	EXPECT_EQ(ringFrom(ringText(five)).value(), five);
	EXPECT_TRUE(ringFrom(ringText({})).value().empty());
}

TEST(RingText, ThatIsDamagedIsRefusedWithItsReason)
{
	EXPECT_EQ(ringFrom("").error().text, "its first line is not «issuer fleet members 1»");
	auto cut = ringText(five);
	cut.pop_back();
	EXPECT_EQ(ringFrom(cut).error().text, "it is cut off in its last line");
	EXPECT_EQ(ringFrom(ringText({"host-a", ""})).error().text, "it has an empty line");
}

} // namespace issuer::fleet
