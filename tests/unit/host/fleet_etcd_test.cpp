#include "fleet/etcd/base64.h"
#include "fleet/etcd/keys.h"
#include "fleet/etcd/queue.h"
#include "fleet/etcd/requests.h"
#include "fleet/etcd/troubles.h"
#include "fleet/etcd/values.h"

#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The texts of fleet/etcd, without an etcd.
namespace issuer::fleet::etcd {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using Kind = Trouble::Kind;

State stateOf(const std::string& issuer, const std::string& text = "text")
{
	return {{issuer, "host-a"}, WallTime(milliseconds(2000)), WallTime(milliseconds(1000)), ISSUER_STATE_ACTIVE,
		"io.issuer.vault", text};
}

TEST(EtcdBase64, IsReadAsItIsWritten)
{
	std::string bytes;
	for (int size = 0; size < 300; ++size) {
		EXPECT_EQ(fromBase64(base64(bytes)), bytes) << size;
		bytes += static_cast<char>(size);
	}
	EXPECT_EQ(base64("foo/"), "Zm9vLw==");
	EXPECT_EQ(fromBase64("Zm9"), std::nullopt);
	EXPECT_EQ(fromBase64("Zm9?"), std::nullopt);
}

TEST(EtcdKeys, AStateIsFoundInItsShardWhateverItsNameHolds)
{
	const Keys keys("prod");
	for (const std::string issuer : {"web", "a@b", "a/b/c", "@", "ü"}) {
		const StateName name{issuer, "host-a"};
		EXPECT_TRUE(keys.state(name).starts_with("/issuer/prod/state/")) << issuer;
		EXPECT_EQ(keys.stateOf(keys.state(name)), name) << issuer;
	}
	EXPECT_EQ(keys.states(0xabc), "/issuer/prod/state/abc/");
	EXPECT_EQ(keys.states(7), "/issuer/prod/state/007/");
}

TEST(EtcdKeys, AreNoNamesWhereTheyCannotBe)
{
	const Keys keys("prod");
	for (const std::string key :
		{"/issuer/other/state/000/a@b", "/issuer/prod/state/000/a", "/issuer/prod/state/000/@b",
			"/issuer/prod/state/000/a@", "/issuer/prod/state/a@b", "/issuer/prod/state/000/a\n@b"}) {
		EXPECT_EQ(keys.stateOf(key), std::nullopt) << key;
	}
	EXPECT_EQ(Keys::nameIn(keys.members(), "/issuer/prod/members/"), std::nullopt);
	EXPECT_EQ(Keys::nameIn(keys.members(), "/issuer/prod/members/\xff"), std::nullopt);
}

TEST(EtcdValues, AreReadAsTheyAreWritten)
{
	MemberRecord record{"host-a", "run\"1", "https://a", "1.2", WallTime(milliseconds(1'700'000'000'123)), {}};
	record.kept.set(0).set(9).set(4095);
	EXPECT_EQ(recordFrom("host-a", recordText(record)), record);

	ListDigests lists{};
	lists[0] = 0xfedcba9876543210U;
	lists[255] = 1;
	EXPECT_EQ(listsFrom(listsText(lists)), lists);

	for (const auto& state : {stateOf("web"), stateOf("web", ""), stateOf("web", std::string(100'000, 'x'))}) {
		EXPECT_EQ(stateFrom(state.name, stateText(state)), state);
	}
	EXPECT_LT(stateText(stateOf("web", std::string(100'000, 'x'))).size(), 1000U);
}

TEST(EtcdValues, OfAnotherKindAreNone)
{
	const auto state = stateText(stateOf("web"));
	for (std::size_t size = 0; size < state.find('\0') + 1; ++size) {
		EXPECT_EQ(stateFrom({"web", "a"}, state.substr(0, size)), std::nullopt) << size;
	}
	EXPECT_EQ(stateFrom({"web", "a"}, std::string("{\"v\":1,\"e\":1,\"n\":1,\"s\":1}\0garbage", 34)), std::nullopt);
	EXPECT_EQ(stateFrom({"web", "a"}, std::string("{\"v\":1,\"e\":1,\"n\":1,\"s\":-1}\0", 28)), std::nullopt);
	EXPECT_EQ(recordFrom("a", R"({"v":1,"run":"r","unix_ms":1,"shards":"AAAA"})"), std::nullopt);
	EXPECT_EQ(recordFrom("a", "[]"), std::nullopt);
	EXPECT_EQ(listsFrom("12345678"), std::nullopt);
}

TEST(EtcdValues, ThatInflateWithoutEndAreNone)
{
	EXPECT_EQ(stateFrom({"web", "a"}, stateText(stateOf("web", std::string(2'000'000, 'x')))), std::nullopt);
}

TEST(EtcdTroubles, AreToldApartByTheCodeOfEtcd)
{
	EXPECT_EQ(troubleOf(429, R"({"error":"etcdserver: mvcc: database space exceeded","code":8})").kind, Kind::full);
	EXPECT_EQ(troubleOf(404, R"({"error":"etcdserver: requested lease not found","code":5})").kind, Kind::leaseGone);
	EXPECT_EQ(troubleOf(403, R"({"error":"etcdserver: permission denied","code":7})").kind, Kind::denied);
	EXPECT_EQ(troubleOf(503, R"({"error":"etcdserver: no leader","code":14})").kind, Kind::away);
	const auto ofKeepalive = troubleOf(503, R"({"error":{"grpc_code":14,"message":"etcdserver: no leader"}})");
	EXPECT_EQ(ofKeepalive.text, "etcd answers «etcdserver: no leader»");
	EXPECT_EQ(troubleOf(502, "<html>gateway</html>").kind, Kind::away);
	EXPECT_THAT(troubleOf(503, R"({"error":"all SubConns are in TransientFailure, connection closed","code":14})").text,
		HasSubstr("clientAuth"));
	EXPECT_THAT(troubleOf(400, "CommonName of client sending a request against gateway will be ignored").text,
		HasSubstr("without a common name"));
	EXPECT_TRUE(wantsAuthentication(troubleOf(401, R"({"error":"etcdserver: invalid auth token","code":16})")));
	EXPECT_FALSE(wantsAuthentication(troubleOf(403, R"({"error":"etcdserver: permission denied","code":7})")));
	const auto line = jsonObject(R"({"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"})");
	EXPECT_EQ(troubleOfStream(*line).kind, Kind::away);
}

TEST(EtcdTroubles, ATokenThatEtcdDoesNotKnowIsNoRefusalOfAUsersRequest)
{
	const auto forgotten = ofUser(troubleOf(401, R"({"error":"etcdserver: invalid auth token","code":16})"));
	EXPECT_EQ(forgotten.kind, Trouble::Kind::away);
	EXPECT_NE(forgotten.text.find("invalid auth token»: authenticating anew"), std::string::npos) << forgotten.text;
	const auto denied = ofUser(troubleOf(403, R"({"error":"etcdserver: permission denied","code":7})"));
	EXPECT_EQ(denied.kind, Trouble::Kind::denied);
	EXPECT_EQ(denied.text, "etcd refuses: «etcdserver: permission denied»");
}

TEST(EtcdTroubles, AreReadInTheFormOfEachGateway)
{
	EXPECT_EQ(troubleOf(429, R"({"code":8, "message":"etcdserver: mvcc: database space exceeded"})").kind, Kind::full);
	EXPECT_EQ(troubleOf(404, R"({"code":5, "message":"etcdserver: requested lease not found"})").kind, Kind::leaseGone);
	EXPECT_EQ(troubleOf(403, R"({"code":7, "message":"etcdserver: permission denied"})").kind, Kind::denied);
	EXPECT_EQ(troubleOf(404, R"({"code":5, "message":"Not Found"})").kind, Kind::away) << "no path of etcd's";
	EXPECT_TRUE(wantsAuthentication(troubleOf(401, R"({"code":16, "message":"etcdserver: invalid auth token"})")));
}

std::string told(const Queue::Write& write)
{
	if (const auto* state = std::get_if<State>(&write)) {
		return "+" + state->name.issuer + ":" + state->text;
	}
	const auto* name = std::get_if<StateName>(&write);
	return name != nullptr ? "-" + name->issuer : "record";
}

std::vector<std::string> taken(Queue& queue, std::size_t most = 100)
{
	std::vector<std::string> texts;
	for (const auto& write : queue.take(most)) {
		texts.push_back(told(write));
	}
	return texts;
}

TEST(EtcdQueue, WritesTheNewestOfEachNameInOrder)
{
	Queue queue;
	queue.put(stateOf("a", "1"));
	queue.put(stateOf("b", "1"));
	queue.record({});
	queue.put(stateOf("a", "2")); // keeps its place before the record
	queue.put(stateOf("c", "1"));
	EXPECT_THAT(taken(queue), testing::ElementsAre("+a:2", "+b:1", "record"));
	queue.done();
	EXPECT_THAT(taken(queue), testing::ElementsAre("+c:1"));
}

TEST(EtcdQueue, DeletesBehindAllThatWasGivenBefore)
{
	Queue queue;
	queue.remove({"a", "host-b"});
	queue.put(stateOf("a"));
	queue.remove({"a", "host-b"});
	EXPECT_THAT(taken(queue), testing::ElementsAre("+a:text", "-a"));
}

TEST(EtcdQueue, AFailedWriteWaitsAgainInItsPlaceUnlessANewerOneCame)
{
	Queue queue;
	queue.put(stateOf("a", "1"));
	queue.put(stateOf("b", "1"));
	queue.record({});
	queue.put(stateOf("c", "1"));
	EXPECT_THAT(taken(queue), SizeIs(3));
	queue.put(stateOf("b", "2"));
	queue.failed();
	EXPECT_THAT(taken(queue), testing::ElementsAre("+a:1", "+b:2", "record"));
	queue.done();
	EXPECT_THAT(taken(queue), testing::ElementsAre("+c:1"));
}

TEST(EtcdQueue, TakesNoMoreThanATransactionHoldsAndDropsATextThatFitsInNone)
{
	Queue queue;
	for (int issuer = 0; issuer < 5; ++issuer) {
		queue.put(stateOf(std::to_string(issuer), std::string(200 * 1024, 'x')));
	}
	EXPECT_THAT(taken(queue, 127), SizeIs(3));
	queue.done();
	queue.clear();
	queue.put(stateOf("huge", std::string(300 * 1024, 'x')));
	EXPECT_THAT(taken(queue), testing::ElementsAre("+huge:"));
}

} // namespace
} // namespace issuer::fleet::etcd
