#include "transport/kept.h"

#include <gtest/gtest.h>

/// Which connection is used next, and which go.
namespace issuer::vault::transport {
namespace {

using namespace std::chrono_literals;

using Table = Kept<int>;

class KeptTest : public testing::Test
{
protected:
	/// Keeps a connection that is called `name`, as from now on.
	void keep(int name, const Way& way, Duration life = 1h, unsigned generation = 0)
	{
		auto one = std::make_unique<Table::One>();
		one->way = way;
		one->generation = generation;
		one->retires = now + life;
		one->connection = name;
		kept.keep(std::move(one), now += 1ms, closed);
	}
	/// The name of the one that is given; 0: none.
	int take(const Way& way, unsigned generation = 0)
	{
		const auto one = kept.take(way, generation, closed);
		return one ? one->connection : 0;
	}
	std::vector<int> gone()
	{
		std::vector<int> names;
		for (const auto& one : std::exchange(closed, {})) {
			names.push_back(one->connection);
		}
		return names;
	}

	const Way here{{0, 1}, 0};
	const Way there{{0, 2}, 0};
	const Way somebodyElse{{0, 1}, 7};
	Table kept;
	Table::Some closed;
	Instant now{1h};
};

using Names = std::vector<int>;

TEST_F(KeptTest, TheOneUsedLastIsUsedNext)
{
	keep(1, here);
	keep(2, here);
	EXPECT_EQ(take(here), 2);
	EXPECT_EQ(take(here), 1);
	EXPECT_EQ(take(here), 0);
}

TEST_F(KeptTest, OnlyRequestsOfTheSameEndpointAndIdentityUseIt)
{
	keep(1, here);
	EXPECT_EQ(take(there), 0);
	EXPECT_EQ(take(somebodyElse), 0);
	EXPECT_EQ(take(here), 1);
}

TEST_F(KeptTest, OneThatTrustedOtherFilesCloses)
{
	keep(1, here, 1h, 3);
	keep(2, here, 1h, 4);
	EXPECT_EQ(take(here, 4), 2);
	EXPECT_EQ(take(here, 4), 0);
	EXPECT_EQ(gone(), Names{1});
	EXPECT_EQ(kept.size(), 0u);
}

TEST_F(KeptTest, OneThatRetiresIsNotKeptHoweverBusyItIs)
{
	keep(1, here, 0s);
	EXPECT_EQ(gone(), Names{1});
	EXPECT_EQ(take(here), 0);
}

TEST_F(KeptTest, TheOldestGoFirstWhateverTheirWay)
{
	keep(1, here);
	keep(2, there);
	keep(3, here);
	keep(4, somebodyElse);
	kept.dropOldest(2, closed);
	EXPECT_EQ(gone(), (Names{1, 2}));
	EXPECT_EQ(take(here), 3);
	EXPECT_EQ(take(there), 0);
	EXPECT_EQ(take(somebodyElse), 4);
}

TEST_F(KeptTest, ThoseThatIdleForLongGo)
{
	keep(1, here);
	now += 90s;
	keep(2, there);
	kept.dropOldest(kept.size(), now - 90s, closed);
	EXPECT_EQ(gone(), Names{1});
	EXPECT_EQ(kept.size(), 1u);
}

TEST_F(KeptTest, AnEndpointLosesItsConnectionsOfAllIdentities)
{
	keep(1, here);
	keep(2, there);
	keep(3, somebodyElse);
	kept.dropEndpoint(here.endpoint, closed);
	EXPECT_EQ(gone().size(), 2u);
	EXPECT_EQ(kept.size(), 1u);
	EXPECT_EQ(take(there), 2);
}

TEST_F(KeptTest, AnIdentityThatIsUsedNoMoreLosesItsConnections)
{
	keep(1, here);
	keep(2, somebodyElse);
	kept.dropIdentity(somebodyElse.identity, closed);
	EXPECT_EQ(gone(), Names{2});
	EXPECT_EQ(take(here), 1);
}

TEST_F(KeptTest, ALookGoesThroughAllOfThemInPieces)
{
	for (int name = 1; name <= 10; ++name) {
		keep(name, name % 2 == 0 ? here : there);
	}
	const auto isFit = [](const Table::One& one) { return one.connection % 3 != 0; };
	int pieces = 0;
	for (auto after = Instant::min(); after != Instant::max(); ++pieces) {
		after = kept.dropUnfit(after, 4, isFit, closed);
	}
	EXPECT_EQ(pieces, 3);
	EXPECT_EQ(gone(), (Names{3, 6, 9}));
	EXPECT_EQ(kept.size(), 7u);
}

TEST_F(KeptTest, OfAWayNotMoreThanThoseUsedLastAreKept)
{
	for (int name = 1; name <= static_cast<int>(Table::mostOfAWay) + 2; ++name) {
		keep(name, here);
	}
	EXPECT_EQ(gone(), (Names{1, 2}));
	EXPECT_EQ(kept.size(), Table::mostOfAWay);
}

TEST_F(KeptTest, WaysWithoutConnectionsAreForgottenAndMayComeAgain)
{
	keep(1, here);
	EXPECT_EQ(take(here), 1);
	kept.tidy();
	keep(2, here);
	EXPECT_EQ(take(here), 2);
}

} // namespace
} // namespace issuer::vault::transport
