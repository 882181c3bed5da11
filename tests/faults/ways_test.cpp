#include "exchange_fixture.h"
#include "transport/socket_address.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <latch>
#include <thread>

/// Worlds in which a token was lost although its server would have renewed it at once: each has a way out.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using vault::transport::Clients;
using vault::transport::Exchange;
using vault::transport::Resolver;
using vault::transport::SocketAddress;
using Clock = std::chrono::steady_clock;
using What = Fault::What;

const auto sealed = httpReply(503, "{\"errors\":[\"Vault is sealed\"]}");
const auto cutOff = httpReply(500, "{\"errors\":[\"local node not active but active cluster node not found\"]}");

int status(const ExchangeResult& outcome)
{
	EXPECT_TRUE(outcome.has_value()) << told(outcome);
	return outcome ? outcome->status : 0;
}

/// A name server whose answers the test sets.
class Names
{
public:
	Names()
	{
		resolver = std::make_shared<Resolver>([script = _script](const std::string&) {
			std::unique_lock lock(script->mutex);
			++script->asked;
			script->changed.wait(lock, [&] { return !script->hangs; });
			return script->found;
		});
	}
	~Names() { say({}); } // lets hanging lookups end

	void say(const std::vector<std::string>& addresses)
	{
		const std::lock_guard lock(_script->mutex);
		_script->hangs = false;
		_script->found = {{}, "the name server is away"};
		for (const auto& address : addresses) {
			_script->found.addresses.push_back(vault::transport::numericAddresses(address).at(0));
		}
		_script->changed.notify_all();
	}
	void fail() { say({}); }
	void hang()
	{
		const std::lock_guard lock(_script->mutex);
		_script->hangs = true;
	}
	[[nodiscard]] int asked() const
	{
		const std::lock_guard lock(_script->mutex);
		return _script->asked;
	}

	std::shared_ptr<Resolver> resolver;

private:
	struct Script
	{
		std::mutex mutex;
		std::condition_variable changed;
		Resolver::Found found;
		bool hangs = false;
		int asked = 0;
	};
	std::shared_ptr<Script> _script = std::make_shared<Script>();
};

/// Two servers behind one name: the same port of two addresses.
struct Pair
{
	explicit Pair(std::optional<Identity> tls = {})
	{
		for (int attempt = 0; !second && attempt < 20; ++attempt) {
			first = std::make_unique<FaultServer>(FaultServer::Options{.tls = tls});
			try {
				second = std::make_unique<FaultServer>(
					FaultServer::Options{.tls = tls, .loopback = "127.0.0.2", .port = first->port()});
			}
			catch (const std::runtime_error&) {
				// Another process has the port there.
			}
		}
		names.say({"127.0.0.1", "127.0.0.2"});
		client = newClient();
	}

	/// That knows nothing of the servers yet.
	[[nodiscard]] std::shared_ptr<Exchange> newClient() const
	{
		auto settings = settingsFor({first->address("localhost")});
		settings.tls.caFile = Pki::shared().authority.caFile();
		return Clients(names.resolver).get(settings);
	}

	Names names;
	std::unique_ptr<FaultServer> first;
	std::unique_ptr<FaultServer> second;
	std::shared_ptr<Exchange> client;
};

// A connection that answers badly for ever, beside others that are well.

class OneBadConnection : public testing::TestWithParam<std::string>
{
};

TEST_P(OneBadConnection, IsLeftAfterItsFirstBadAnswer)
{
	FaultServer balancer;
	const auto client = Clients().get(settingsFor({balancer.address()}));
	ASSERT_EQ(status(renew(*client)), 200);
	balancer.setReplyOf(1, GetParam());
	EXPECT_GE(status(renew(*client)), 500);
	EXPECT_EQ(status(renew(*client)), 200);
	EXPECT_EQ(status(renew(*client)), 200);
	EXPECT_EQ(balancer.connections(), 2u);
}

INSTANTIATE_TEST_SUITE_P(Balancer, OneBadConnection, testing::Values(sealed, cutOff));

TEST(Ways, APageThatIsNotTheServersIsLeftToo)
{
	FaultServer balancer;
	const auto client = Clients().get(settingsFor({balancer.address()}));
	auto request = renewal();
	request.understands = [](const HttpReply& reply) { return reply.body.starts_with("{"); };
	const auto ask = [&] {
		return status(vault::transport::blockingly(client->carry(request, Clock::now() + patience)));
	};
	balancer.setReplyOf(1, httpReply(403, "RBAC: access denied"));
	EXPECT_EQ(ask(), 403);
	EXPECT_EQ(ask(), 200);
	EXPECT_EQ(ask(), 200);
	EXPECT_EQ(balancer.connections(), 2u);
}

TEST(Ways, AThrottledConnectionIsKept)
{
	FaultServer server;
	server.setReply(httpReply(429, "{}"));
	const auto client = Clients().get(settingsFor({server.address()}));
	EXPECT_EQ(status(renew(*client)), 429);
	EXPECT_EQ(status(renew(*client)), 429);
	EXPECT_EQ(server.connections(), 1u);
}

// One name, two addresses.

TEST(Ways, OfOneNamesServersTheOneThatIsSealedIsAskedOnce)
{
	Pair pair;
	pair.first->setReply(httpReply(503, "{}", "Connection: close\r\n"));
	EXPECT_EQ(status(renew(*pair.client)), 503);
	EXPECT_EQ(status(renew(*pair.client)), 200);
	EXPECT_EQ(status(renew(*pair.client)), 200);
	EXPECT_EQ(pair.first->requests(), 1u);
}

TEST(Ways, OfOneNamesServersTheOneThatIsSilentIsAskedOnce)
{
	Pair pair;
	pair.first->setFault({What::stall, 0});
	EXPECT_FALSE(renew(*pair.client, 500ms).has_value());
	EXPECT_EQ(status(renew(*pair.client)), 200);
	EXPECT_EQ(pair.first->requests(), 1u);
}

TEST(Ways, AHandshakeThatFailsIsFollowedByTheNextEndpointInTheSameAttempt)
{
	Pair pair(Pki::shared().server);
	for (const auto what : {What::garbage, What::close}) {
		pair.first->setFault({what, 0, Fault::Layer::wire});
		EXPECT_EQ(status(renew(*pair.newClient())), 200);
	}
}

TEST(Ways, AHandshakeThatHangsLeavesItsNeighbourAShareOfTheTime)
{
	Pair pair(Pki::shared().server);
	pair.first->setFault({What::stall, 0, Fault::Layer::wire});
	EXPECT_EQ(status(renew(*pair.client, 2s)), 200);
	EXPECT_EQ(pair.first->received(), "");
}

// Names that move, fail and hang.

TEST(Ways, ANameThatMovesIsFollowedWhileTheOldServerStillAnswers)
{
	Pair pair;
	pair.names.say({"127.0.0.1"});
	EXPECT_EQ(status(renew(*pair.client)), 200);
	pair.first->setReply(sealed);
	pair.names.say({"127.0.0.2"});
	while (status(renew(*pair.client)) == 503 && pair.names.asked() < 3) {
		// A name in trouble is asked again 250 ms after the last time.
	}
	EXPECT_EQ(pair.names.asked(), 2);
	EXPECT_EQ(pair.second->requests(), 1u);
}

/// Returns the time limit of one attempt, by the length of the lease, when half of it is left (docs/renewal.md).
std::chrono::milliseconds budgetOf(std::chrono::seconds lease)
{
	const std::chrono::milliseconds left = lease / 2;
	return std::min<std::chrono::milliseconds>(
		{30s, left, std::max({left / 4, std::min<std::chrono::milliseconds>(1s, left / 2)})});
}

std::string nameOf(const testing::TestParamInfo<std::chrono::seconds>& lease)
{
	return "ALeaseOf" + std::to_string(lease.param.count()) + "s";
}

class ByLease : public testing::TestWithParam<std::chrono::seconds>
{
protected:
	const std::chrono::milliseconds budget = budgetOf(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Ways, ByLease, testing::Values(4s, 8s, 20s, 60s), nameOf);

/// A server that is well, and a client that has resolved its name again in vain.
struct NameInTrouble : Pair
{
	NameInTrouble(bool hangs, std::chrono::milliseconds budget)
	{
		names.say({"127.0.0.1"});
		EXPECT_EQ(status(renew(*client)), 200);
		hangs ? names.hang() : names.fail();
		first->setReply(sealed);
		while (names.asked() < 2) { // in trouble it is
			EXPECT_EQ(status(renew(*client, budget)), 503);
		}
		first->setReply(httpReply(200, "{}"));
	}
};

TEST_P(ByLease, ANameServerThatHangsDoesNotKeepRequestsFromAServerThatHasNotMoved)
{
	NameInTrouble world(true, budget);
	EXPECT_EQ(status(renew(*world.client, budget)), 200);
}

TEST(Ways, ANameServerThatFailsDoesNotKeepRequestsFromAServerThatHasNotMoved)
{
	NameInTrouble world(false, 1s);
	const auto reply = renew(*world.client, 1s);
	ASSERT_EQ(status(reply), 200);
	EXPECT_THAT(reply->advice,
		testing::ElementsAre(testing::AllOf(HasSubstr("localhost cannot be resolved now"), HasSubstr("plain http"))));
}

TEST(Ways, ABurstOfNewConnectionsDoesNotAskForTheNameEachTime)
{
	constexpr int threads = 8;
	constexpr int each = 20;
	Pair pair;
	pair.first->setReply(httpReply(200, "{}", "Connection: close\r\n"));
	std::vector<std::thread> burst;
	for (int i = 0; i < threads; ++i) {
		burst.emplace_back([&] {
			for (int k = 0; k < each; ++k) {
				EXPECT_EQ(status(renew(*pair.client)), 200);
			}
		});
	}
	for (auto& thread : burst) {
		thread.join();
	}
	EXPECT_EQ(pair.first->connections(), static_cast<std::size_t>(threads * each));
	EXPECT_LE(pair.names.asked(), threads) << "at most the threads that came before the first answer";
}

// Kept connections whose far end hangs.

/// A server with sixteen connections to it, all idle, and its client.
struct Sixteen
{
	static constexpr std::size_t count = 16;

	Sixteen()
	{
		std::vector<std::thread> threads;
		for (std::size_t i = 0; i < count; ++i) {
			threads.emplace_back([this] { EXPECT_EQ(status(renew(*client)), 200); });
		}
		for (auto& thread : threads) {
			thread.join();
		}
		EXPECT_EQ(clients.idle(), count);
	}

	FaultServer server{{.gather = count}};
	Clients clients;
	std::shared_ptr<Exchange> client = clients.get(settingsFor({server.address()}));
};

TEST_P(ByLease, SixteenKeptConnectionsThatHangCostOneAttemptAMoment)
{
	Sixteen world;
	world.server.setFault({What::stall, 0, Fault::Layer::reply, 0, Sixteen::count});
	EXPECT_EQ(status(renew(*world.client, budget)), 200);
	EXPECT_EQ(world.server.connections(), Sixteen::count + 1);
	EXPECT_EQ(world.server.faults(), 1u) << "the other fifteen are not tried";
	EXPECT_EQ(world.clients.idle(), 1u) << "but closed";
}

TEST(Ways, ARequestThatMayNotBeRepeatedIsSentOnceOverAFreshConnection)
{
	FaultServer server;
	const auto client = Clients().get(settingsFor({server.address()}));
	EXPECT_EQ(status(renew(*client)), 200);
	auto login = renewal();
	login.repeatable = false;
	EXPECT_EQ(status(vault::transport::blockingly(client->carry(login, Clock::now() + patience))), 200);
	EXPECT_EQ(server.connections(), 2u);
}

// A cluster whose standby leads to a leader that is dead.

TEST(Ways, AStandbyThatLeadsNowhereIsLeftForAnotherServer)
{
	Pair pair;
	const auto dead = "http://127.0.0.1:" + std::to_string(closedPort());
	auto settings = settingsFor({pair.first->address("localhost")});
	settings.redirects = vault::transport::Redirects::any;
	const auto client = Clients(pair.names.resolver).get(settings);
	pair.first->setReply(httpReply(307, "", "Location: " + dead + "/v1/auth/token/renew-self\r\n"));
	EXPECT_FALSE(renew(*client).has_value());
	EXPECT_EQ(status(renew(*client)), 200);
	EXPECT_EQ(pair.second->requests(), 1u);
}

// Places.

TEST(Ways, ExchangesThatBeginWithTheSamePlaceSaySo)
{
	Clients clients;
	auto one = settingsFor({"https://localhost:8200/prefix"});
	one.tls.caFile = "/a.pem";
	auto other = settingsFor({"https://localhost:8200", "https://localhost:8201"});
	auto elsewhere = settingsFor({"https://localhost:8201"});
	auto throughProxy = one;
	throughProxy.proxy = "http://localhost:3128";
	const auto kept = clients.get(one);
	EXPECT_EQ(kept->place(), clients.get(other)->place());
	const auto away = clients.get(elsewhere);
	EXPECT_NE(kept->place(), away->place());
	const auto proxied = clients.get(throughProxy);
	EXPECT_NE(kept->place(), proxied->place());
}

TEST(Ways, AnExchangeBeginsWithTheAddressThatWorks)
{
	FaultServer server;
	Clients clients;
	const auto dead = settingsFor({"http://127.0.0.1:" + std::to_string(closedPort())});
	auto both = settingsFor({dead.addresses.front().text(), server.address()});
	const auto client = clients.get(both);
	const auto first = clients.get(dead);
	const auto second = clients.get(settingsFor({server.address()}));
	EXPECT_EQ(client->place(), first->place());
	ASSERT_EQ(status(renew(*client)), 200);
	EXPECT_EQ(client->place(), second->place());
}

TEST(Ways, SettingsThatDifferInWhatIsNotTheirWayShareConnections)
{
	FaultServer server;
	Clients clients;
	std::vector<std::shared_ptr<Exchange>> held;
	for (int i = 0; i < 10; ++i) {
		auto settings = settingsFor({server.address() + "/" + std::to_string(i)});
		settings.userAgent = std::to_string(i);
		held.push_back(clients.get(settings));
		EXPECT_EQ(status(renew(*held.back())), 200);
	}
	EXPECT_EQ(server.connections(), 1u);
}

} // namespace
} // namespace issuer::test
