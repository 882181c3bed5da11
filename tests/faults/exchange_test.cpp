#include "exchange_fixture.h"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// One exchange over real sockets, with servers that behave.
namespace issuer::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using vault::transport::Clients;
using Kind = ExchangeError::Kind;

TEST(Exchange, CarriesARequestAndItsReply)
{
	FaultServer server;
	server.setReply(httpReply(200, "{\"auth\":null}"));
	const auto reply = renew(settingsFor({server.address() + "/prefix/"}));
	ASSERT_TRUE(reply.has_value()) << told(reply);
	EXPECT_EQ(reply->status, 200);
	EXPECT_EQ(reply->body, "{\"auth\":null}");
	EXPECT_THAT(server.received(), testing::StartsWith("POST /prefix/v1/auth/token/renew-self HTTP/1.1\r\n"));
	EXPECT_THAT(server.received(), HasSubstr("X-Vault-Token: " + canary + "\r\n"));
}

TEST(Exchange, GoesOverUnixSockets)
{
	const TempDir directory;
	FaultServer server({.unixSocket = directory.path() / "s"});
	EXPECT_EQ(renew(settingsFor({server.address()}))->status, 200);
	const auto nobody = renew(settingsFor({"unix://" + (directory.path() / "none").string()}));
	ASSERT_FALSE(nobody.has_value());
	EXPECT_THAT(nobody.error().text, HasSubstr("no such file"));
}

TEST(Exchange, GoesOverIpv6)
{
	std::optional<FaultServer> server;
	try {
		server.emplace(FaultServer::Options{.loopback = "::1"});
	}
	catch (const std::runtime_error&) {
		GTEST_SKIP() << "this machine has no IPv6 loopback";
	}
	EXPECT_EQ(renew(settingsFor({server->address("[::1]")}))->status, 200);
}

TEST(Exchange, KeepsConnectionsAndSharesThemAmongEqualSettings)
{
	FaultServer server;
	Clients clients;
	const auto one = clients.get(settingsFor({server.address()}));
	const auto other = clients.get(settingsFor({server.address()}));
	EXPECT_EQ(one, other);
	for (int i = 0; i < 5; ++i) {
		ASSERT_TRUE(renew(*one).has_value());
		ASSERT_TRUE(renew(*other).has_value());
	}
	EXPECT_EQ(server.connections(), 1u);
	EXPECT_EQ(server.requests(), 10u);
}

TEST(Exchange, OpensAnewWhereTheServerCloses)
{
	FaultServer server;
	server.setReply(httpReply(200, "{}", "Connection: close\r\n"));
	const auto client = Clients().get(settingsFor({server.address()}));
	ASSERT_TRUE(renew(*client).has_value());
	ASSERT_TRUE(renew(*client).has_value());
	EXPECT_EQ(server.connections(), 2u);
}

TEST(Exchange, AServerThatClosesAKeptConnectionCostsNoFailure)
{
	FaultServer server;
	const auto client = Clients().get(settingsFor({server.address()}));
	const auto first = renew(*client);
	ASSERT_TRUE(first.has_value());
	EXPECT_FALSE(first->sentBefore);
	// The second request of each connection meets its end: as if the server had closed it at that moment.
	server.setFault({Fault::What::close, 0, Fault::Layer::reply, 1});
	const auto reply = renew(*client);
	ASSERT_TRUE(reply.has_value()) << told(reply);
	EXPECT_EQ(server.connections(), 2u);
	EXPECT_EQ(server.requests(), 3u);
	EXPECT_TRUE(reply->sentBefore) << "the server may have carried it out twice";
}

TEST(Exchange, AFreshConnectionThatFailsIsNotTriedAgain)
{
	FaultServer server;
	server.setFault({Fault::What::close, 0});
	const auto reply = renew(settingsFor({server.address()}));
	ASSERT_FALSE(reply.has_value());
	EXPECT_EQ(reply.error().kind, Kind::network);
	EXPECT_EQ(server.requests(), 1u);
}

TEST(Exchange, AReusedConnectionThatFailsInsideAReplyIsNotTriedAgain)
{
	FaultServer server;
	const auto client = Clients().get(settingsFor({server.address()}));
	ASSERT_TRUE(renew(*client).has_value());
	server.setFault({Fault::What::close, 3, Fault::Layer::reply, 1});
	EXPECT_FALSE(renew(*client).has_value());
	EXPECT_EQ(server.requests(), 2u);
}

TEST(Exchange, TriesTheNextAddressAndRemembersTheGoodOne)
{
	FaultServer server;
	const auto dead = "http://127.0.0.1:" + std::to_string(closedPort());
	const BlackHole hole;
	const auto silent = "http://127.0.0.1:" + std::to_string(hole.port());
	const auto client = Clients().get(settingsFor({dead, silent, server.address()}));
	ASSERT_TRUE(renew(*client, std::chrono::seconds(2)).has_value());
	// Not enough for the silent one's share and the answer: it is not asked again.
	ASSERT_TRUE(renew(*client, std::chrono::seconds(10)).has_value());
	EXPECT_EQ(server.connections(), 1u);
}

TEST(Exchange, AnAddressThatCannotDoItsWorkIsLeftForTheNextTime)
{
	FaultServer sealed;
	FaultServer good;
	sealed.setReply(httpReply(503, "{}"));
	const auto client = Clients().get(settingsFor({sealed.address(), good.address()}));
	EXPECT_EQ(renew(*client)->status, 503);
	EXPECT_EQ(renew(*client)->status, 200);
	EXPECT_EQ(renew(*client)->status, 200);
	EXPECT_EQ(sealed.requests(), 1u);
}

TEST(Exchange, ARequestThatMayHaveArrivedGoesToNoOtherAddress)
{
	FaultServer broken;
	FaultServer good;
	broken.setFault({Fault::What::reset, 0});
	const auto client = Clients().get(settingsFor({broken.address(), good.address()}));
	EXPECT_FALSE(renew(*client).has_value());
	EXPECT_EQ(good.requests(), 0u);
	EXPECT_TRUE(renew(*client).has_value());
	EXPECT_EQ(good.requests(), 1u);
}

TEST(Exchange, TellsTheHostsItCouldNotReachAndWhy)
{
	const auto dead = "http://127.0.0.1:" + std::to_string(closedPort());
	const auto reply = renew(settingsFor({dead}));
	ASSERT_FALSE(reply.has_value());
	EXPECT_EQ(reply.error().kind, Kind::network);
	EXPECT_EQ(reply.error().text, dead + ": connection refused");
}

TEST(Exchange, TellsARequestThatSurelyWasNotSentFromOneThatMayHaveBeen)
{
	EXPECT_TRUE(renew(settingsFor({"http://127.0.0.1:" + std::to_string(closedPort())})).error().unsent);
	FaultServer server;
	server.setFault({Fault::What::close, 0});
	EXPECT_FALSE(renew(settingsFor({server.address()})).error().unsent);
}

TEST(Exchange, AServerThatDiesOverAKeptConnectionMayHaveGotTheRequest)
{
	auto server = std::make_unique<FaultServer>();
	const auto client = Clients().get(settingsFor({server->address()}));
	ASSERT_TRUE(renew(*client).has_value());
	server->setFault({Fault::What::stall, 0, Fault::Layer::reply, 1});
	auto running = std::async(std::launch::async, [&] { return renew(*client); });
	ASSERT_TRUE(server->awaitFaults(1));
	server.reset(); // the connection breaks, and there is no other to be had
	const auto reply = running.get();
	ASSERT_FALSE(reply.has_value());
	EXPECT_FALSE(reply.error().unsent);
}

TEST(Exchange, SendsNothingAfterStopOrDeadline)
{
	FaultServer server;
	const auto client = Clients().get(settingsFor({server.address()}));
	ASSERT_TRUE(renew(*client).has_value());
	const Stop stop;
	stop.now();
	EXPECT_EQ(renew(*client, patience, stop.fd()).error().kind, Kind::cancelled);
	EXPECT_EQ(renew(*client, std::chrono::milliseconds(0)).error().kind, Kind::timeout);
	EXPECT_EQ(server.requests(), 1u);
}

TEST(Exchange, FollowsOneRedirectToAConfiguredAddress)
{
	FaultServer standby;
	FaultServer leader;
	standby.setReply(httpReply(307, "", "Location: " + leader.address() + "/v1/auth/token/renew-self\r\n"));
	const auto reply = renew(settingsFor({standby.address(), leader.address()}));
	ASSERT_TRUE(reply.has_value()) << told(reply);
	EXPECT_EQ(reply->status, 200);
	EXPECT_THAT(leader.received(), testing::StartsWith("POST /v1/auth/token/renew-self HTTP/1.1\r\n"));
	EXPECT_THAT(leader.received(), HasSubstr(canary));
	EXPECT_THAT(leader.received(), testing::EndsWith("\r\n\r\n{}"));
}

TEST(Exchange, DoesNotFollowASecondRedirect)
{
	FaultServer one;
	FaultServer other;
	one.setReply(httpReply(307, "", "Location: " + other.address() + "/v1/auth/token/renew-self\r\n"));
	other.setReply(httpReply(307, "", "Location: " + one.address() + "/v1/auth/token/renew-self\r\n"));
	EXPECT_EQ(renew(settingsFor({one.address(), other.address()}))->status, 307);
	EXPECT_EQ(one.requests() + other.requests(), 2u);
}

TEST(Exchange, DoesNotCarryTheTokenToAnAddressThatIsNotConfigured)
{
	FaultServer standby;
	FaultServer stranger;
	standby.setReply(httpReply(307, "", "Location: " + stranger.address() + "/v1/auth/token/renew-self\r\n"));
	const auto reply = renew(settingsFor({standby.address()}));
	EXPECT_EQ(reply->status, 307);
	EXPECT_THAT(reply->advice, ElementsAre(HasSubstr("not among the configured addresses")));
	EXPECT_EQ(stranger.connections(), 0u);
}

TEST(Exchange, TheTokenDoesNotFollowASignOnPage)
{
	FaultServer server;
	FaultServer signOn;
	for (const int status : {301, 302, 303, 307, 308}) {
		server.setReply(httpReply(status, "", "Location: " + signOn.address() + "/oauth2/start?rd=x\r\n"));
		auto settings = settingsFor({server.address(), signOn.address()});
		settings.redirects = vault::transport::Redirects::any;
		EXPECT_EQ(renew(settings)->status, status);
		EXPECT_EQ(signOn.connections(), 0u) << status;
	}
}

TEST(Exchange, OfABodyOfMegabytesOnlyWhatIsReadIsKept)
{
	constexpr vault::JsonKey read[] = {{"errors"}};
	FaultServer server;
	const auto names = R"({"policies": [")" + std::string(3'000'000, 'p') + R"("], "errors": ["x"]})";
	auto request = renewal();
	request.reads = read;
	const auto client = vault::transport::Clients().get(settingsFor({server.address()}));
	server.setReply(httpReply(200, names));
	const auto reply =
		vault::transport::blockingly(client->carry(request, std::chrono::steady_clock::now() + patience), -1);
	ASSERT_TRUE(reply.has_value()) << told(reply);
	EXPECT_EQ(reply->body, R"({"errors":["x"]})");
}

TEST(Exchange, AConnectionThatLeadsToAGatewayIsNotKept)
{
	FaultServer server;
	auto request = renewal();
	request.understands = [](const HttpReply& reply) { return reply.body == "Vault's"; };
	const auto client = vault::transport::Clients().get(settingsFor({server.address()}));
	const auto connectionsFor = [&](int status, const std::string& body) {
		server.setReply(httpReply(status, body));
		const auto before = server.connections();
		for (int i = 0; i < 2; ++i) {
			const auto reply =
				vault::transport::blockingly(client->carry(request, std::chrono::steady_clock::now() + patience), -1);
			EXPECT_EQ(reply->status, status);
		}
		return server.connections() - before;
	};
	EXPECT_EQ(connectionsFor(200, "Vault's"), 1u);
	EXPECT_EQ(connectionsFor(403, "Vault's"), 0u);
	EXPECT_EQ(connectionsFor(429, "<html>"), 0u);
	EXPECT_EQ(connectionsFor(403, "<html>"), 1u); // over the kept one, then over another
	EXPECT_EQ(connectionsFor(503, "Vault's"), 2u);
}

TEST(Exchange, AnAddressThatHoldsTheTokenIsNeitherFollowedNorShown)
{
	FaultServer standby;
	for (const auto& location : {"http://" + canary + ".example/", standby.address() + "/" + canary}) {
		standby.setReply(httpReply(307, "", "Location: " + location + "\r\n"));
		const auto before = standby.requests();
		const auto reply = renew(settingsFor({standby.address()}));
		EXPECT_EQ(reply->status, 307);
		EXPECT_THAT(reply->advice, ElementsAre(AllOf(HasSubstr("holds the token"), Not(HasSubstr(canary)))));
		EXPECT_EQ(standby.requests() - before, 1u);
	}
}

TEST(Exchange, ARedirectToADeadLeaderNamesBoth)
{
	FaultServer standby;
	const auto dead = "http://127.0.0.1:" + std::to_string(closedPort());
	standby.setReply(httpReply(307, "", "Location: " + dead + "/v1/auth/token/renew-self\r\n"));
	const auto reply = renew(settingsFor({standby.address(), dead}));
	ASSERT_FALSE(reply.has_value());
	EXPECT_EQ(reply.error().text, dead + " (redirected from " + standby.address() + "): connection refused");
}

TEST(Exchange, PlainRequestsGoThroughAForwardingProxyInFull)
{
	FaultServer proxy;
	auto settings = settingsFor({"http://vault.example:8200"});
	settings.proxy = proxy.address();
	EXPECT_EQ(renew(settings)->status, 200);
	EXPECT_THAT(
		proxy.received(), testing::StartsWith("POST http://vault.example:8200/v1/auth/token/renew-self HTTP/1.1"));
}

TEST(Exchange, AProxyIsShownItsOwnLoginAndNothingElseShowsIt)
{
	FaultServer proxy;
	for (const std::string target : {"http://vault.example:8200", "https://vault.example:8200"}) {
		auto settings = settingsFor({target});
		settings.proxy = "http://me:hunter2@127.0.0.1:" + std::to_string(proxy.port());
		proxy.setReply(httpReply(407, "no"));
		const auto reply = renew(settings);
		EXPECT_THAT(proxy.received(), HasSubstr("\r\nProxy-Authorization: Basic bWU6aHVudGVyMg==\r\n"));
		EXPECT_THAT(told(reply), Not(HasSubstr("hunter2")));
	}
}

TEST(Exchange, AProxyThatCannotBeUsedIsNamedAndCostsTheOtherAddressesNothing)
{
	FaultServer server;
	::setenv("HTTPS_PROXY", "socks5://me:hunter2@127.0.0.1:1", 1);
	vault::transport::Clients clients;
	::unsetenv("HTTPS_PROXY"); // it was read once
	auto settings = settingsFor({"https://vault.example:8200", server.address()});
	settings.proxy = "environment";
	const auto reply = renew(*clients.get(settings));
	ASSERT_TRUE(reply.has_value()) << told(reply);
	EXPECT_THAT(reply->advice, testing::Contains(HasSubstr("HTTPS_PROXY names a SOCKS proxy")));

	settings.addresses.pop_back();
	const auto refused = renew(*clients.get(settings));
	ASSERT_FALSE(refused.has_value());
	EXPECT_EQ(refused.error().kind, Kind::configuration);
	EXPECT_THAT(refused.error().text, AllOf(HasSubstr("HTTPS_PROXY"), Not(HasSubstr("hunter2"))));
}

TEST(Exchange, AProxyThatOpensNoTunnelIsNamedAndSeesNoToken)
{
	FaultServer proxy;
	proxy.setReply(httpReply(407, "no"));
	auto settings = settingsFor({"https://vault.example:8200"});
	settings.proxy = proxy.address();
	const auto reply = renew(settings);
	ASSERT_FALSE(reply.has_value());
	EXPECT_THAT(reply.error().text, HasSubstr(proxy.address() + " opens no tunnel (status 407)"));
	EXPECT_THAT(proxy.received(), testing::StartsWith("CONNECT vault.example:8200 HTTP/1.1\r\n"));
	EXPECT_THAT(proxy.received(), Not(HasSubstr(canary)));
}

TEST(Exchange, AnUnusableProxySettingIsTold)
{
	auto settings = settingsFor({"http://vault"});
	settings.proxy = "socks5://p";
	EXPECT_EQ(renew(settings).error().kind, Kind::configuration);
}

TEST(Exchange, LeavesNoAdviceWhereAllIsWell)
{
	FaultServer server;
	EXPECT_THAT(renew(settingsFor({server.address()}))->advice, IsEmpty());
}

TEST(Exchange, CleansUpWhenTheLastUserHasGone)
{
	FaultServer server;
	Clients clients;
	auto client = clients.get(settingsFor({server.address()}));
	ASSERT_TRUE(renew(*client).has_value());
	client.reset();
	client = clients.get(settingsFor({server.address()}));
	ASSERT_TRUE(renew(*client).has_value());
	EXPECT_EQ(server.connections(), 2u);
}

} // namespace
} // namespace issuer::test
