#include "transport/pool.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <utility>

/// Connections that are kept and connections that are closed, over sockets that lead to the test.
namespace issuer::vault::transport {
namespace {

using namespace std::chrono_literals;

Address address(std::uint16_t port, const std::string& host = "127.0.0.1")
{
	return {Address::Scheme::http, host, port, "", ""};
}

class PoolTest : public testing::Test
{
protected:
	[[nodiscard]] Places::Attempt begin(const Pool::PlaceRef& place, Places::Identity identity = 0)
	{
		_places = {*place->id};
		return Pool::begin(_places, identity, Pool::Clock::now() + 1h, true);
	}

	/// A connection to `place` that has just carried a good reply, and its other end.
	Descriptor keep(const Pool::PlaceRef& place, Places::Identity identity = 0)
	{
		int ends[2] = {-1, -1};
		EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		auto attempt = begin(place, identity);
		attempt.mayReuse = false;
		auto step = pool->next(attempt, 0);
		endpoint = std::get<Pool::Dial>(step).order.front();
		auto connection = std::make_unique<Connection>(Descriptor(ends[0]), place->address, "peer");
		last = connection.get();
		EXPECT_FALSE(pool->goodReply(attempt, endpoint, 1ms, pool->opened(attempt, endpoint, std::move(connection))));
		return Descriptor(ends[1]);
	}

	/// The kept connection that a request to `place` would get.
	Pool::OpenedPtr take(const Pool::PlaceRef& place, Places::Identity identity = 0)
	{
		auto attempt = begin(place, identity);
		auto step = pool->next(attempt, 0);
		auto* const kept = std::get_if<Pool::Kept>(&step);
		return kept != nullptr ? std::move(kept->opened) : nullptr;
	}

	/// Returns whether our end of it is closed.
	static bool isClosed(const Descriptor& peer)
	{
		char byte = 0;
		const auto count = ::recv(peer.get(), &byte, 1, MSG_DONTWAIT);
		return count == 0 || (count < 0 && errno == ECONNRESET);
	}

	std::shared_ptr<Pool> pool = std::make_shared<Pool>(nullptr, nullptr);
	Pool::PlaceRef here = pool->place(address(8200), {});
	Places::EndpointId endpoint; ///< of the last that was kept
	const Connection* last = nullptr;

private:
	std::vector<Places::PlaceId> _places;
};

TEST_F(PoolTest, APlaceIsWhereBytesGo)
{
	auto withPrefix = address(8200);
	withPrefix.prefix = "/prefix";
	EXPECT_EQ(pool->place(withPrefix, {}), here);
	EXPECT_NE(pool->place(address(8201), {}), here);
	EXPECT_NE(pool->place(address(8200, "127.0.0.2"), {}), here);
	EXPECT_NE(pool->place(address(8200), address(3128)), here) << "there is a proxy between";
}

TEST_F(PoolTest, AConnectionIsUsedAgainByItsOwnPlaceAndIdentity)
{
	const auto there = pool->place(address(8201), {});
	const auto identity = pool->newIdentity();
	const auto peer = keep(here, *identity);
	EXPECT_EQ(take(there, *identity), nullptr);
	EXPECT_EQ(take(here), nullptr);
	const auto taken = take(here, *identity);
	ASSERT_NE(taken, nullptr);
	EXPECT_EQ(taken->connection.get(), last);
	EXPECT_EQ(pool->idle(), 0u);
}

TEST_F(PoolTest, AConnectionThatIsClosedOrTalksOutOfTurnGoesAtTheNextLook)
{
	{
		const auto closed = keep(here);
	}
	const auto quiet = keep(here);
	const auto talking = keep(here);
	EXPECT_EQ(::send(talking.get(), "x", 1, 0), 1);
	pool->look();
	EXPECT_EQ(pool->idle(), 1u);
	EXPECT_NE(take(here), nullptr);
	EXPECT_TRUE(isClosed(talking));
}

TEST_F(PoolTest, ABadReplyClosesWhatIdlesAtItsEndpoint)
{
	const auto there = pool->place(address(8201), {});
	const auto elsewhere = keep(there);
	const auto peer = keep(here);
	pool->badReply(endpoint);
	EXPECT_TRUE(isClosed(peer));
	EXPECT_FALSE(isClosed(elsewhere));
}

TEST_F(PoolTest, AConnectionThatCarriesAGoodReplyAfterAMarkIsKept)
{
	const auto busy = keep(here);
	auto taken = take(here);
	pool->badReply(endpoint);
	const auto attempt = begin(here);
	EXPECT_FALSE(pool->goodReply(attempt, endpoint, 1ms, std::move(taken)));
	EXPECT_NE(take(here), nullptr);
}

TEST_F(PoolTest, AnUnheldPlaceLosesItsConnections)
{
	const auto peer = keep(here);
	here.reset();
	EXPECT_TRUE(isClosed(peer));
	here = pool->place(address(8200), {});
	EXPECT_EQ(take(here), nullptr);
}

TEST_F(PoolTest, AnUnheldIdentityLosesItsConnections)
{
	auto identity = pool->newIdentity();
	const auto peer = keep(here, *identity);
	identity.reset();
	EXPECT_TRUE(isClosed(peer));
}

TEST_F(PoolTest, AReplyThatComesWhenItsPlaceHasGoneIsNoHarm)
{
	const auto peer = keep(here);
	auto taken = take(here);
	const auto attempt = begin(here);
	here.reset();
	EXPECT_FALSE(pool->goodReply(attempt, endpoint, 1ms, std::move(taken)));
	EXPECT_TRUE(isClosed(peer));
	EXPECT_EQ(pool->idle(), 0u);
}

TEST_F(PoolTest, WithoutDescriptorsTheOldestGoFirst)
{
	EXPECT_FALSE(pool->giveUpDescriptors()) << "there is nothing to give up";
	std::vector<Descriptor> peers;
	for (int i = 0; i < 12; ++i) {
		peers.push_back(keep(here));
	}
	EXPECT_TRUE(pool->giveUpDescriptors());
	EXPECT_TRUE(isClosed(peers.front()));
	EXPECT_FALSE(isClosed(peers.back()));
	EXPECT_EQ(pool->idle(), 4u);
}

} // namespace
} // namespace issuer::vault::transport
