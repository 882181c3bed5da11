#include "transport/idle_connections.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <utility>

namespace issuer::vault::transport {
namespace {

using namespace std::chrono_literals;

const Address here{Address::Scheme::http, "localhost", 8200, "", ""};
const Address there{Address::Scheme::http, "localhost", 8201, "", ""};

/// A connection, and its other end.
std::pair<std::unique_ptr<Connection>, Descriptor> connected(const Address& address = here)
{
	int ends[2] = {-1, -1};
	EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	return {std::make_unique<Connection>(Descriptor(ends[0]), address, "peer"), Descriptor(ends[1])};
}

class IdleConnectionsTest : public testing::Test
{
protected:
	/// Keeps one, and gives its other end.
	Descriptor keep(const Address& address = here)
	{
		auto [connection, peer] = connected(address);
		last = connection.get();
		idle.keep(std::move(connection), now);
		return std::move(peer);
	}

	[[nodiscard]] std::unique_ptr<Connection> take() { return idle.take(here, 0, now); }

	IdleConnections idle;
	IdleConnections::Time now{};
	const Connection* last = nullptr; ///< that was kept
};

TEST_F(IdleConnectionsTest, TheOneUsedLastIsUsedNext)
{
	const auto first = keep();
	const auto* const older = last;
	const auto second = keep();
	EXPECT_EQ(take().get(), last);
	EXPECT_EQ(take().get(), older);
	EXPECT_EQ(take(), nullptr);
}

TEST_F(IdleConnectionsTest, OnlyOneToTheSamePlaceWithTheSameTrustIsGiven)
{
	const auto elsewhere = keep(there);
	EXPECT_EQ(take(), nullptr);
	EXPECT_NE(idle.take(there, 0, now), nullptr);

	const auto peer = keep();
	EXPECT_EQ(idle.take(here, 1, now), nullptr) << "the files that say whom to trust have changed since";
	EXPECT_EQ(take(), nullptr) << "and it is closed";
}

TEST_F(IdleConnectionsTest, OneThatThePeerHasClosedIsNotGiven)
{
	const auto open = keep();
	const auto* const fit = last;
	keep(); // and closes it
	now += IdleConnections::fresh;
	EXPECT_EQ(take().get(), fit);
}

TEST_F(IdleConnectionsTest, OneOnWhichThePeerTalkedOutOfTurnIsNotGiven)
{
	const auto peer = keep();
	ASSERT_EQ(::send(peer.get(), "?", 1, MSG_NOSIGNAL), 1);
	now += IdleConnections::fresh;
	EXPECT_EQ(take(), nullptr);
}

TEST_F(IdleConnectionsTest, OneThatIsTooOldIsClosed)
{
	const auto peer = keep();
	now += IdleConnections::longestIdle;
	const auto younger = keep();
	now += 1ms;
	EXPECT_EQ(take().get(), last);
	EXPECT_EQ(take(), nullptr);
	char byte = 0;
	EXPECT_EQ(::recv(peer.get(), &byte, 1, MSG_DONTWAIT), 0);
}

TEST_F(IdleConnectionsTest, NoMoreAreKeptThanMayBe)
{
	std::vector<Descriptor> peers;
	for (std::size_t i = 0; i <= IdleConnections::most; ++i) {
		peers.push_back(keep());
	}
	char byte = 0;
	EXPECT_EQ(::recv(peers.front().get(), &byte, 1, MSG_DONTWAIT), 0) << "the oldest goes";
	EXPECT_LT(::recv(peers.at(1).get(), &byte, 1, MSG_DONTWAIT), 0);
}

} // namespace
} // namespace issuer::vault::transport
