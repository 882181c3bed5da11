#include "fault_server/fault_server.h"
#include "fleet/etcd/client.h"
#include "fleet/etcd/directory.h"
#include "transport/blocking.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>

/// An etcd that is none: proxies and broken gateways.
namespace issuer::fleet::etcd {
namespace {

using namespace std::chrono_literals;
using test::Fault;
using test::FaultServer;
using test::httpReply;
using testing::HasSubstr;
using Kind = Trouble::Kind;

constexpr auto patience = 30s;

/// A reply that is good for every call of a member but a watch.
std::string goodReply()
{
	return httpReply(200, R"({"header":{"revision":"5"},"ID":"7","TTL":"5","result":{"TTL":"5"}})");
}

Settings settingsOf(const FaultServer& server)
{
	Settings settings;
	settings.fleet = "test";
	settings.endpoints = {server.address()};
	settings.takeover = 1s;
	return settings;
}

/// A Directory over a server that answers whatever a test says.
class Garbage : public testing::Test
{
protected:
	void join(Settings settings)
	{
		_directory = EtcdDirectory::create(std::move(settings), [this](Fact fact) {
			const std::lock_guard lock(_mutex);
			_facts.push_back(std::move(fact));
			_changed.notify_all();
		}).value();
		_directory->join({"host-a", "run", "", ""}, {});
	}

	/// Waits for the first fact of this kind, and forgets it and all before it.
	template <class Wanted>
	[[nodiscard]] std::optional<Wanted> await()
	{
		std::unique_lock lock(_mutex);
		std::optional<Wanted> found;
		_changed.wait_for(lock, patience, [&] {
			for (; !_facts.empty() && !found; _facts.pop_front()) {
				if (auto* fact = std::get_if<Wanted>(&_facts.front())) {
					found = std::move(*fact);
				}
			}
			return found.has_value();
		});
		return found;
	}

	/// Expects that a Directory which gets `reply` says why it is away, and joins once the replies are good.
	void expectAwayThenJoined(const std::string& reply, const std::string& why)
	{
		_server.setReply(reply);
		join(settingsOf(_server));
		const auto away = await<Away>();
		ASSERT_TRUE(away);
		EXPECT_THAT(away->why, HasSubstr(why));
		_server.setReply(goodReply());
		EXPECT_TRUE(await<Joined>());
	}

	FaultServer _server;

private:
	std::mutex _mutex;
	std::condition_variable _changed;
	std::deque<Fact> _facts;
	std::unique_ptr<EtcdDirectory> _directory;
};

TEST_F(Garbage, AnHtmlPageOfAProxyIsQuoted)
{
	expectAwayThenJoined(httpReply(200, "<html>Please sign in</html>", "Content-Type: text/html\r\n"),
		"something other than JSON: «<html>Please sign in</html>»");
}

TEST_F(Garbage, HalfAnObjectIsNone)
{
	expectAwayThenJoined(httpReply(200, R"({"header":{"revi)"), "something other than JSON: «{\"header\"");
}

TEST_F(Garbage, AGrantWithoutAnIdIsNone)
{
	expectAwayThenJoined(httpReply(200, R"({"header":{"revision":"5"},"ID":{"a":[1]}})"), "a lease without an id");
}

TEST_F(Garbage, ARefusalThatIsNotOfEtcdIsToldWithItsStatus)
{
	expectAwayThenJoined(httpReply(401, "<html>no</html>"), "answered with status 401 and nothing of etcd's: «<html>");
}

TEST_F(Garbage, ATokenThatIsNeverGoodIsRefused)
{
	_server.setReply(httpReply(401, R"({"error":"etcdserver: invalid auth token","code":16})"));
	join(settingsOf(_server));
	ASSERT_TRUE(await<WritesRefused>());
	_server.setReply(goodReply());
	EXPECT_TRUE(await<Joined>());
}

TEST_F(Garbage, TheReasonOfAWatchThatIsRefusedIsToldAsOneLine)
{
	_server.setReply(httpReply(200,
		R"({"header":{"revision":"5"},"ID":"7","TTL":"5","result":{"TTL":"5","canceled":true,"cancel_reason":"no\nway"}})"));
	join(settingsOf(_server));
	const auto refused = await<WritesRefused>();
	ASSERT_TRUE(refused);
	EXPECT_EQ(refused->why, "etcd refuses to watch the members: «no way»");
}

TEST_F(Garbage, OfOneEndpointLeavesTheOthers)
{
	_server.setReply(httpReply(200, "<html>Please sign in</html>"));
	FaultServer good;
	good.setReply(goodReply());
	auto settings = settingsOf(_server);
	settings.endpoints.push_back(good.address());
	join(settings);
	EXPECT_TRUE(await<Joined>());
}

TEST_F(Garbage, AReplyWithoutEndEndsAt64MiBAndIsNoAnswer)
{
	const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n";
	_server.setReply(head + "{A");
	Fault fault;
	fault.what = Fault::What::flood;
	fault.at = head.size() + 1;
	_server.setFault(fault);
	auto settings = settingsOf(_server);
	settings.takeover = 60s; // so that its size ends it, not its time
	join(settings);
	const auto away = await<Away>();
	ASSERT_TRUE(away);
	EXPECT_THAT(away->why, HasSubstr("longer than 64 MiB"));
}

class GarbageStream : public testing::Test
{
protected:
	/// Returns the end of a watch that a server answers so.
	Trouble watch()
	{
		const auto client = Client::create(settingsOf(_server)).value();
		const Client::Line line = [](const Json&) -> Answer<void> { return {}; };
		auto task = client->stream("watch", "{}", line, std::chrono::steady_clock::now() + patience);
		auto wake = vault::Wake::ready;
		while (const auto wait = task.resume(wake)) {
			wake = vault::transport::block(*wait, -1);
		}
		return task.take();
	}

	FaultServer _server;
};

TEST_F(GarbageStream, ALineWithoutEndEndsItAt16MiB)
{
	const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n";
	_server.setReply(head + "A");
	Fault fault;
	fault.what = Fault::What::flood;
	fault.at = head.size();
	_server.setFault(fault);
	const auto why = watch();
	EXPECT_EQ(why.kind, Kind::away);
	EXPECT_THAT(why.text, HasSubstr("longer than 16777216 bytes"));
}

TEST_F(GarbageStream, ALineThatIsNoObjectEndsIt)
{
	_server.setReply(httpReply(200, "<html>\n"));
	EXPECT_EQ(watch().text, "a line of the stream is not JSON");
}

TEST_F(GarbageStream, TheLastLineCountsWithoutALineBreakToo)
{
	_server.setReply(httpReply(200, R"({"error":{"grpc_code":7,"message":"etcdserver: permission denied"}})"));
	const auto why = watch();
	EXPECT_EQ(why.kind, Kind::denied);
	EXPECT_THAT(why.text, HasSubstr("permission denied"));
}

} // namespace
} // namespace issuer::fleet::etcd
