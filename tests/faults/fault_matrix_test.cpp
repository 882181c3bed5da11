#include "exchange_fixture.h"
#include "transport/dial.h"

#include <arpa/inet.h>
#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <latch>
#include <netinet/in.h>
#include <new>
#include <string_view>
#include <sys/resource.h>

/// Phase × fault × (plain, TLS) × (deadline, stop): with every fault of the peer, an exchange ends in time and names
/// the right cause.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;
using vault::transport::blockingly;
using vault::transport::Clients;
using vault::transport::Resolver;
using vault::transport::Settings;
using vault::transport::SocketAddress;
using Clock = std::chrono::steady_clock;
using Kind = ExchangeError::Kind;
using What = Fault::What;
using Layer = Fault::Layer;

/// Longer than the promise (20 ms over the deadline, 50 ms after stop: stop_latency measures that), so that even a busy
/// machine keeps it, but shorter than a time-out per read or a blocked wait would take.
constexpr auto slack = 10s;

void expectTimeout(const Settings& settings, std::shared_ptr<Resolver> resolver = std::make_shared<Resolver>())
{
	const auto client = Clients(std::move(resolver)).get(settings);
	const auto limit = 150ms;
	const auto begin = Clock::now();
	const auto outcome = renew(*client, limit);
	const auto lasted = Clock::now() - begin;
	ASSERT_FALSE(outcome.has_value());
	EXPECT_EQ(outcome.error().kind, Kind::timeout) << told(outcome);
	EXPECT_GE(lasted, limit);
	EXPECT_LT(lasted, limit + slack);
}

/// `stuck` returns once the exchange is in the phase to be stopped.
template <class Stuck>
void expectStops(
	const Settings& settings, Stuck&& stuck, std::shared_ptr<Resolver> resolver = std::make_shared<Resolver>())
{
	const auto client = Clients(std::move(resolver)).get(settings);
	const Stop stop;
	auto running = std::async(std::launch::async, [&] { return renew(*client, patience, stop.fd()); });
	stuck();
	const auto begin = Clock::now();
	stop.now();
	const auto outcome = running.get();
	ASSERT_FALSE(outcome.has_value());
	EXPECT_EQ(outcome.error().kind, Kind::cancelled) << told(outcome);
	EXPECT_LT(Clock::now() - begin, slack);
}

FaultServer::Options options(bool tls)
{
	FaultServer::Options result;
	if (tls) {
		result.tls = Pki::shared().server;
	}
	return result;
}

Settings trusting(const FaultServer& server)
{
	auto settings = settingsFor({server.address()});
	settings.tls.caFile = Pki::shared().authority.caFile();
	return settings;
}

struct Case
{
	const char* name;
	bool tls;
	Fault fault;
};

std::string nameOf(const testing::TestParamInfo<Case>& info)
{
	return info.param.name;
}

/// Faults after which nothing ends the exchange but its limits.
class EndlessFault : public testing::TestWithParam<Case>
{
protected:
	EndlessFault() : _server(options(GetParam().tls))
	{
		_server.setReply(httpReply(200, std::string(4000, 'x'))); // dripping, that lasts 80 s
		_server.setFault(GetParam().fault);
	}

	FaultServer _server;
};

TEST_P(EndlessFault, EndsAtTheDeadline)
{
	expectTimeout(trusting(_server));
}

TEST_P(EndlessFault, EndsAtStop)
{
	expectStops(trusting(_server), [&] { ASSERT_TRUE(_server.awaitFaults(1)); });
}

INSTANTIATE_TEST_SUITE_P(Matrix, EndlessFault,
	testing::Values(Case{"PlainNoReply", false, {What::stall, 0}}, Case{"PlainStatusLine", false, {What::stall, 7}},
		Case{"PlainHeaders", false, {What::stall, 50}}, Case{"PlainBody", false, {What::stall, 2000}},
		Case{"PlainHeadDrips", false, {What::drip, 0}}, Case{"PlainBodyDrips", false, {What::drip, 200}},
		Case{"TlsNoHandshake", true, {What::stall, 0, Layer::wire}},
		Case{"TlsRecordHeader", true, {What::stall, 3, Layer::wire}},
		Case{"TlsHandshake", true, {What::stall, 400, Layer::wire}},
		Case{"TlsHandshakeDrips", true, {What::drip, 0, Layer::wire}},
		Case{"TlsHandshakeEndDrips", true, {What::drip, 500, Layer::wire}},
		Case{"TlsReplyRecord", true, {What::stall, 3000, Layer::wire}}, Case{"TlsNoReply", true, {What::stall, 0}},
		Case{"TlsHeaders", true, {What::stall, 50}}, Case{"TlsBody", true, {What::stall, 2000}},
		Case{"TlsHeadDrips", true, {What::drip, 0}}, Case{"TlsBodyDrips", true, {What::drip, 200}}),
	nameOf);

/// Faults that end the exchange themselves: at every byte, and never taken for a success.
class EndingFault : public testing::TestWithParam<Case>
{
};

TEST_P(EndingFault, IsAFailureAtEveryByte)
{
	const auto& [name, tls, fault] = GetParam();
	const bool wire = fault.layer == Layer::wire;
	const auto reply = chunkedReply(200, "{\"auth\":{\"lease_duration\":3600}}");
	FaultServer server(options(tls));
	server.setReply(reply);
	const auto client = Clients().get(trusting(server));
	// The handshake of a P-256 certificate takes some 900 bytes from the server, in TLS records of their own.
	const std::size_t end = wire ? 900 : reply.size();
	const std::size_t step = tls ? 13 : 1;
	for (std::size_t at = 0; at < end; at += step) {
		auto here = fault;
		here.at = at;
		server.setFault(here);
		const auto outcome = renew(*client);
		ASSERT_FALSE(outcome.has_value()) << "a fault at byte " << at << " passed for a reply";
		EXPECT_THAT(outcome.error().kind, AnyOf(Kind::network, Kind::malformed, Kind::tls)) << told(outcome);
		EXPECT_THAT(outcome.error().text, testing::StartsWith(server.address()));
		EXPECT_THAT(outcome.error().text, testing::Not(HasSubstr("canary")));
		if (wire) {
			ASSERT_EQ(server.received(), "") << "the token left before the handshake was over, at byte " << at;
		}
	}
}

INSTANTIATE_TEST_SUITE_P(Matrix, EndingFault,
	testing::Values(Case{"PlainCloses", false, {What::close}}, Case{"PlainResets", false, {What::reset}},
		Case{"PlainTalksGarbage", false, {What::garbage}}, Case{"PlainFloods", false, {What::flood}},
		Case{"TlsCloses", true, {What::close}}, Case{"TlsResets", true, {What::reset}},
		Case{"TlsTalksGarbage", true, {What::garbage}}, Case{"TlsFloods", true, {What::flood}},
		Case{"TlsHandshakeCloses", true, {What::close, 0, Layer::wire}},
		Case{"TlsHandshakeResets", true, {What::reset, 0, Layer::wire}},
		Case{"TlsHandshakeGarbage", true, {What::garbage, 0, Layer::wire}},
		Case{"TlsHandshakeFloods", true, {What::flood, 0, Layer::wire}}),
	nameOf);

TEST(FaultMatrix, ACutBodyIsNoReplyHoweverItsLengthIsTold)
{
	const auto reply = httpReply(200, "{\"lease_duration\":3600}");
	FaultServer server;
	server.setReply(reply);
	const auto client = Clients().get(trusting(server));
	for (std::size_t at = 0; at < reply.size(); ++at) {
		server.setFault({What::close, at});
		ASSERT_FALSE(renew(*client).has_value()) << at;
	}
}

TEST(FaultMatrix, AReplyThatClaimsToBeHugeIsRefusedByItsHead)
{
	FaultServer server;
	server.setReply("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
	EXPECT_EQ(renew(trusting(server)).error().kind, Kind::malformed);
}

TEST(FaultMatrix, ABlackHoleEndsAtTheDeadlineAndAtStop)
{
	const BlackHole hole;
	for (const auto* scheme : {"http", "https"}) {
		const auto settings = settingsFor({scheme + ("://127.0.0.1:" + std::to_string(hole.port()))});
		expectTimeout(settings);
		expectStops(settings, [] {}); // it is stuck from its first packet on
	}
}

TEST(FaultMatrix, ASilentProxyEndsAtTheDeadlineAndAtStop)
{
	auto settings = settingsFor({"https://vault.example:8200"});
	FaultServer slow;
	slow.setFault({What::stall, 0});
	settings.proxy = slow.address();
	expectTimeout(settings);
	FaultServer silent; // another one: whether the deadline was quicker than the fault is not known
	silent.setFault({What::stall, 0});
	settings.proxy = silent.address();
	expectStops(settings, [&] { ASSERT_TRUE(silent.awaitFaults(1)); });
}

TEST(FaultMatrix, ADeadResolverEndsAtTheDeadlineAndAtStop)
{
	std::latch asked(1);
	auto release = std::make_shared<std::latch>(1);
	const auto resolver = std::make_shared<Resolver>([&asked, release](const std::string&) {
		asked.count_down();
		release->wait();
		return Resolver::Found{{}, "released"};
	});
	const auto settings = settingsFor({"http://vault.example:8200"});
	// The second question joins the first: the helper is asked once.
	expectStops(
		settings, [&] { asked.wait(); }, resolver);
	expectTimeout(settings, resolver);
	release->count_down();
}

TEST(FaultMatrix, NamesThatDoNotResolveDelayNoNameThatDoes)
{
	auto release = std::make_shared<std::latch>(1);
	const auto resolver = std::make_shared<Resolver>([release](const std::string& host) {
		if (host.starts_with("dead")) {
			release->wait();
		}
		return Resolver::Found{{}, "looked up " + host};
	});
	for (int i = 0; i < 8; ++i) {
		expectTimeout(settingsFor({"http://dead" + std::to_string(i)}), resolver);
	}
	EXPECT_THAT(told(renew(*Clients(resolver).get(settingsFor({"http://alive"})))), HasSubstr("looked up alive"));
	release->count_down();
}

const std::string peer = "x"; // must outlive its borrowers

SocketAddress loopback(std::uint16_t port)
{
	SocketAddress result;
	auto& address = reinterpret_cast<sockaddr_in&>(result.address);
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	result.size = sizeof(address);
	result.setPort(port);
	return result;
}

vault::transport::Dialled dial(const std::vector<SocketAddress>& addresses)
{
	const auto dialled = [&]() -> vault::Task<Expected<vault::transport::Dialled, ExchangeError>> {
		co_return co_await vault::transport::dial(addresses, Clock::now() + patience);
	};
	return blockingly(dialled()).value();
}

Expected<Resolver::Found, ExchangeError> resolve(Resolver& resolver, std::chrono::milliseconds limit = patience)
{
	static const std::string host = "vault";
	return blockingly(resolver.resolve(host, peer, Clock::now() + limit));
}

TEST(Dial, TriesTheNextAddressBesideOneThatDoesNotAnswer)
{
	const BlackHole hole;
	FaultServer server;
	const auto begin = Clock::now();
	const auto dialled = dial({loopback(hole.port()), loopback(closedPort()), loopback(server.port())});
	ASSERT_TRUE(dialled.socket);
	EXPECT_EQ(dialled.winner, 2u);
	ASSERT_EQ(dialled.failed.size(), 1u);
	EXPECT_EQ(dialled.failed.front(), std::pair(std::size_t{1}, ECONNREFUSED));
	EXPECT_GE(Clock::now() - begin, 250ms);
}

TEST(Dial, TriesTheNextAddressAtOnceAfterARefusal)
{
	FaultServer server;
	std::vector<SocketAddress> addresses(8, loopback(closedPort()));
	addresses.push_back(loopback(server.port()));
	const auto begin = Clock::now();
	ASSERT_TRUE(dial(addresses).socket);
	EXPECT_LT(Clock::now() - begin, 8 * 250ms); // the time it would take if it waited each time
}

TEST(SocketAddress, FamiliesAlternateAndGetThePort)
{
	SocketAddress six;
	six.address.ss_family = AF_INET6;
	six.size = sizeof(sockaddr_in6);
	std::vector<int> families;
	for (const auto& bytes : vault::transport::inOrder({six, six, loopback(0), loopback(0)}, 8200)) {
		const auto address = SocketAddress::from(bytes);
		families.push_back(address.family());
		EXPECT_EQ(reinterpret_cast<const sockaddr_in&>(address.address).sin_port, htons(8200));
	}
	EXPECT_THAT(families, testing::ElementsAre(AF_INET6, AF_INET, AF_INET6, AF_INET));
}

TEST(SocketAddress, OnlyNumbersAreNumeric)
{
	EXPECT_EQ(vault::transport::numericAddresses("127.0.0.1").size(), 1u);
	EXPECT_EQ(vault::transport::numericAddresses("::1").front().text(), "::1");
	EXPECT_TRUE(vault::transport::numericAddresses("localhost").empty());
}

/// Leaves the process no descriptor while it lives.
class NoDescriptors
{
public:
	NoDescriptors()
	{
		::getrlimit(RLIMIT_NOFILE, &_before);
		rlimit none = _before;
		none.rlim_cur = 0;
		::setrlimit(RLIMIT_NOFILE, &none);
	}
	~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &_before); }
	NoDescriptors(const NoDescriptors&) = delete;
	NoDescriptors& operator=(const NoDescriptors&) = delete;

private:
	rlimit _before{};
};

TEST(Resolver, ResolvesWithoutADescriptorLeftToWaitFor)
{
	if (std::string_view(ISSUER_SANITIZE).find("undefined") != std::string_view::npos) {
		GTEST_SKIP() << "this sanitizer looks at memory through a pipe, for which no descriptor would be left";
	}
	Resolver resolver([](const std::string&) { return Resolver::Found{{loopback(0)}, ""}; });
	const NoDescriptors none;
	const auto found = resolve(resolver);
	ASSERT_TRUE(found.has_value()) << found.error().text;
	EXPECT_EQ(found->addresses.size(), 1u);
}

TEST(Resolver, ALookupThatThrowsEndsNothingButItself)
{
	int asked = 0;
	Resolver resolver([&asked](const std::string&) {
		if (asked++ == 0) {
			throw std::bad_alloc();
		}
		return Resolver::Found{{loopback(0)}, ""};
	});
	EXPECT_EQ(resolve(resolver)->complaint, "out of memory");
	EXPECT_EQ(resolve(resolver)->addresses.size(), 1u) << "the name can still be resolved";
}

TEST(Resolver, AnAnswerThatComesTooLateIsThereForTheNextCaller)
{
	std::latch release(1);
	std::latch done(1);
	std::atomic<int> asked = 0;
	Resolver resolver([&](const std::string&) {
		++asked;
		release.wait();
		done.count_down();
		return Resolver::Found{{loopback(0)}, ""};
	});
	EXPECT_EQ(resolve(resolver, 10ms).error().kind, Kind::timeout);
	EXPECT_EQ(resolve(resolver, 0ms).error().kind, Kind::timeout) << "looks only";
	release.count_down();
	done.wait();
	while (!resolve(resolver, 0ms)) { // an answer is handed in a moment after the helper has it
	}
	EXPECT_EQ(asked, 1);
}

} // namespace
} // namespace issuer::test
