#include "exchange_fixture.h"
#include "transport/body_lines.h"

#include <atomic>
#include <chrono>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

/// A body that is read while it comes, from a server that fails at every byte of it.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using vault::Result;
using vault::transport::blockingly;
using vault::transport::BodyLines;
using vault::transport::Clients;
using vault::transport::Settings;
using Kind = ExchangeError::Kind;
using What = Fault::What;
using Layer = Fault::Layer;

/// A watch, as its reader sees it: lines of at most 100 bytes.
struct Watch
{
	std::vector<std::string> lines;
	std::atomic<std::size_t> bytes = 0;
	BodyLines reader{100, [this](std::string_view line) {
						 lines.emplace_back(line);
						 bytes += line.size();
						 return Result<void>();
					 }};

	ExchangeResult run(const Settings& settings, std::chrono::milliseconds limit = patience, int cancelFd = -1)
	{
		auto request = renewal();
		request.bodyReader = &reader;
		return blockingly(Clients().get(settings)->carry(request, std::chrono::steady_clock::now() + limit), cancelFd);
	}
};

/// Plain and over TLS.
class Streams : public testing::TestWithParam<bool>
{
protected:
	Streams() : _server(options()) {}

	[[nodiscard]] static FaultServer::Options options()
	{
		FaultServer::Options options;
		if (GetParam()) {
			options.tls = Pki::shared().server;
		}
		return options;
	}

	[[nodiscard]] Settings settings() const
	{
		auto settings = settingsFor({_server.address()});
		settings.tls.caFile = Pki::shared().authority.caFile();
		return settings;
	}

	FaultServer _server;
};

const std::string twoLines = "{\"first\":1}\n{\"second\":2}\n";

TEST_P(Streams, AreReadToTheirEnd)
{
	_server.setReply(chunkedReply(200, twoLines));
	Watch watch;
	const auto outcome = watch.run(settings());
	ASSERT_TRUE(outcome) << told(outcome);
	EXPECT_EQ(outcome->body, "");
	EXPECT_THAT(watch.lines, ElementsAre("{\"first\":1}", "{\"second\":2}"));
}

TEST_P(Streams, ThatFallSilentHaveGivenTheBytesThatCameAndEndAtTheDeadline)
{
	_server.setReply(chunkedReply(200, twoLines));
	const auto all = chunkedReply(200, twoLines).size();
	_server.setFault({What::stall, all - 12});
	Watch watch;
	const auto outcome = watch.run(settings(), 300ms);
	ASSERT_FALSE(outcome);
	EXPECT_EQ(outcome.error().kind, Kind::timeout) << told(outcome);
	EXPECT_THAT(watch.lines, ElementsAre("{\"first\":1}"));
}

TEST_P(Streams, ThatDripEndAtTheDeadline)
{
	_server.setReply(chunkedReply(200, std::string(4000, '\n')));
	_server.setFault({What::drip, 0});
	Watch watch;
	const auto outcome = watch.run(settings(), 150ms);
	ASSERT_FALSE(outcome);
	EXPECT_EQ(outcome.error().kind, Kind::timeout) << told(outcome);
}

TEST_P(Streams, ThatAreCutAnywhereAreAFailureAndNoLineIsMadeUp)
{
	const auto reply = chunkedReply(200, twoLines);
	for (const auto what : {What::close, What::reset}) {
		for (std::size_t at = 0; at < reply.size(); ++at) {
			_server.setReply(reply);
			_server.setFault({what, at});
			Watch watch;
			const auto outcome = watch.run(settings());
			ASSERT_FALSE(outcome) << at;
			EXPECT_EQ(outcome.error().kind, Kind::network) << at << ": " << told(outcome);
			for (const auto& line : watch.lines) {
				EXPECT_THAT(line, AnyOf("{\"first\":1}", "{\"second\":2}")) << at;
			}
		}
	}
}

TEST_P(Streams, WithoutALineBreakEndAtTheLongestLineAndNameTheServer)
{
	_server.setReply(chunkedReply(200, std::string(101, 'x')));
	Watch watch;
	const auto outcome = watch.run(settings());
	ASSERT_FALSE(outcome);
	EXPECT_EQ(outcome.error().kind, Kind::malformed);
	EXPECT_THAT(outcome.error().text, HasSubstr(_server.address()));
	EXPECT_THAT(outcome.error().text, HasSubstr("longer than 100 bytes"));
}

TEST_P(Streams, StopInEveryPhase)
{
	const auto reply = chunkedReply(200, twoLines);
	std::vector<Fault> faults{{What::stall, 0}, {What::stall, 20}, {What::stall, reply.size() - 12}, {What::drip, 60},
		{What::stall, 0, Layer::wire}};
	for (const auto& fault : faults) {
		_server.setReply(reply);
		_server.setFault(fault);
		const auto before = _server.faults();
		const Stop stop;
		Watch watch;
		auto running = std::async(std::launch::async, [&] { return watch.run(settings(), patience, stop.fd()); });
		ASSERT_TRUE(_server.awaitFaults(before + 1));
		stop.now();
		const auto outcome = running.get();
		ASSERT_FALSE(outcome);
		EXPECT_EQ(outcome.error().kind, Kind::cancelled) << told(outcome);
	}
}

TEST_P(Streams, AreNotAskedForTwiceOnceAPieceHasCome)
{
	_server.setReply(chunkedReply(200, twoLines));
	const auto exchange = Clients().get(settings());
	ASSERT_TRUE(renew(*exchange)); // the stream then takes the kept connection
	const auto before = _server.requests();
	Fault fault{What::close, chunkedReply(200, twoLines).size() - 12};
	_server.setFault(fault);
	Watch watch;
	auto request = renewal();
	request.bodyReader = &watch.reader;
	const auto outcome = blockingly(exchange->carry(request, std::chrono::steady_clock::now() + patience), -1);
	ASSERT_FALSE(outcome);
	EXPECT_EQ(_server.requests(), before + 1);
	EXPECT_THAT(watch.lines, ElementsAre("{\"first\":1}"));
}

INSTANTIATE_TEST_SUITE_P(Http, Streams, testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Https, Streams, testing::Values(true));

} // namespace
} // namespace issuer::test
