#include "fixtures.h"
#include "host.h"

#include "fleet/etcd/base64.h"
#include "fleet/etcd/keys.h"
#include "fleet/etcd/requests.h"
#include "fleet/etcd/values.h"
#include "fleet/ring.h"
#include "relay.h"

#include <atomic>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The Directory while etcd, or a part of it, is away, full, wiped or refuses.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;
using namespace fleet;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

State stateOf(const std::string& issuer)
{
	return {{issuer, "host-a"}, WallTime(2000s), WallTime(1000s), ISSUER_STATE_ACTIVE, "plugin", "text"};
}

TEST_F(EtcdOutage, IsToldOnceAndEndsWithTheWaitingRecordsWritten)
{
	RealEtcd etcd;
	auto settings = etcd.settings();

	settings.takeover = 5s;
	Host host(settings);
	host.join();
	ASSERT_TRUE(host.await<MembersListed>());
	etcd.kill();
	ASSERT_TRUE(host.await<Away>([](const Away& away) { return !away.why.empty(); }));
	host.directory().write({stateOf("web"), stateOf("mail")});
	const auto shard = shardOf("web");
	host.directory().read({shard});
	ASSERT_TRUE(host.await<ReadFailed>([&](const ReadFailed& read) { return read.shards == std::vector{shard}; }));
	EXPECT_FALSE(host.was<Away>());
	EXPECT_FALSE(host.was<LeaseLost>());
	etcd.start();
	ASSERT_TRUE(host.await<Answered>());
	ASSERT_TRUE(host.await<MembersListed>());
	ShardSet kept;
	kept.set(shard);
	host.directory().setRecord(kept, {});
	ASSERT_TRUE(host.awaitRecord([&](const MemberRecord& record) { return record.kept == kept; }));
	EXPECT_THAT(host.read({shard}), ElementsAre(stateOf("web")));
}

TEST_F(EtcdOutage, AWipedEtcdIsJoinedAnew)
{
	RealEtcd etcd;
	Host host(etcd.settings());
	host.join();
	ASSERT_TRUE(host.await<MembersListed>());
	etcd.wipe();
	etcd.start();
	ASSERT_TRUE(host.await<LeaseLost>());
	ASSERT_TRUE(host.await<Joined>());
	ASSERT_TRUE(host.await<MembersListed>([](const MembersListed& listed) { return has(listed, "host-a"); }));
}

TEST_F(EtcdOutage, AFullEtcdRefusesWritesAndKeepsTheMembers)
{
	RealEtcd etcd;
	Host host(etcd.settings());
	host.join();
	ASSERT_TRUE(host.await<MembersListed>());
	const auto member = etcd::textIn(*etcd::objectIn(*etcd.ask("maintenance/status", "{}"), "header"), "member_id");
	const std::string alarm = R"({"memberID":")" + member.value() + R"(","alarm":"NOSPACE","action":")";
	etcd.ask("maintenance/alarm", alarm + "ACTIVATE\"}");
	host.directory().write({stateOf("web")});
	ASSERT_TRUE(host.await<WritesRefused>(
		[](const WritesRefused& refused) { return refused.why.find("space") != std::string::npos; }));
	ASSERT_TRUE(host.await<Answered>());
	ASSERT_TRUE(host.await<Answered>());
	EXPECT_FALSE(host.was<Away>());
	EXPECT_FALSE(host.was<WritesRefused>());
	etcd.ask("maintenance/alarm", alarm + "DEACTIVATE\"}");
	ASSERT_TRUE(host.await<WritesAccepted>());
	EXPECT_THAT(host.read({shardOf("web")}), SizeIs(1));
}

TEST_F(EtcdOutage, AnEtcdWithoutQuorumIsAwayAndTheLeaseOutlivesIt)
{
	RealEtcd etcd({3});
	auto settings = etcd.settings();
	settings.takeover = 5s;
	Host host(settings);
	host.join();
	ASSERT_TRUE(host.await<MembersListed>());
	etcd.kill(1);
	etcd.kill(2);
	ASSERT_TRUE(host.await<Away>());
	etcd.start(1);
	ASSERT_TRUE(host.await<Answered>());
	EXPECT_FALSE(host.was<LeaseLost>());
	ASSERT_TRUE(host.await<MembersListed>([](const MembersListed& listed) { return has(listed, "host-a"); }));
}

TEST_F(EtcdOutage, OneFrozenNodeOfThreeIsLeftByLeaseAndWatch)
{
	RealEtcd etcd({3});
	auto settings = etcd.settings();
	settings.takeover = 5s;
	Host host(settings);
	host.join();
	ASSERT_TRUE(host.await<MembersListed>());
	etcd.freeze(0); // the first endpoint, which all goes to
	auto other = settings;
	other.endpoints = {etcd.address(1)};
	Host late(other, "host-b");
	late.join();
	ASSERT_TRUE(late.await<Joined>());
	ASSERT_TRUE(host.awaitRecord([](const MemberRecord& record) { return record.name == "host-b"; }));
	EXPECT_FALSE(host.was<LeaseLost>());
	etcd.thaw(0);
}

TEST_F(EtcdOutage, CompactedChangesAreListedAnew)
{
	RealEtcd etcd;
	const auto settings = etcd.settings();
	const etcd::Keys keys(settings.fleet);
	bool isCompacted = false;
	Relay::Options options;
	options.before = [&](std::string_view request) {
		if (request.find("/v3/watch") == request.npos || std::exchange(isCompacted, true)) {
			return;
		}
		// Between list and watch a member comes, and that change is compacted.
		const auto record = etcd::recordText({"host-b", "run", "", "", WallTime(), {}});
		etcd.ask("kv/txn", etcd::transaction({etcd::putOperation(keys.member("host-b"), record)}));
		etcd.ask("kv/put", R"({"key":"eA==","value":"eA=="})");
		const auto newest = etcd::revisionOf(*etcd.ask("kv/put", R"({"key":"eA==","value":"eQ=="})"));
		etcd.ask("kv/compaction", R"({"revision":")" + std::to_string(newest) + "\"}");
	};
	Relay relay(etcd.port(), std::move(options));
	auto relayed = settings;
	relayed.endpoints = {relay.address()};
	Host host(relayed);
	host.join();
	ASSERT_TRUE(host.await<MembersListed>([](const MembersListed& listed) { return !has(listed, "host-b"); }));
	ASSERT_TRUE(host.await<MembersListed>([](const MembersListed& listed) { return has(listed, "host-b"); }));
	EXPECT_FALSE(host.was<WritesRefused>());
	EXPECT_FALSE(host.was<LeaseLost>());
	Host other(settings, "host-c"); // the new watch begins after the compaction
	other.join();
	ASSERT_TRUE(host.await<MemberPut>([](const MemberPut& put) { return put.member.record.name == "host-c"; }));
}

TEST_F(EtcdOutage, AWatchOfANodeWithoutALeaderEndsInsteadOfHanging)
{
	RealEtcd etcd({3});
	auto settings = etcd.settings();
	settings.endpoints = {etcd.address(0)};
	const auto client = etcd::Client::create(settings).value();
	const etcd::Client::Line line = [&](const etcd::Json& result) -> etcd::Answer<void> {
		if (etcd::isTrueIn(result, "created")) {
			etcd.kill(1);
			etcd.kill(2);
		}
		return {};
	};
	const auto why = finish(client->stream(
		"watch", etcd::watchRequest("/a", "/b", 0), line, std::chrono::steady_clock::now() + Host::patience));
	EXPECT_EQ(why.kind, etcd::Trouble::Kind::away);
	EXPECT_THAT(why.text, HasSubstr("no leader"));
}

TEST_F(EtcdOutage, TheWatchIsBegunAnewFromTimeToTime)
{
	RealEtcd etcd;
	auto settings = etcd.settings();
	settings.watchLasts = 1ms; // looked at with each keepalive
	Host host(settings);
	host.join();
	for (int times = 0; times < 3; ++times) {
		ASSERT_TRUE(host.await<MembersListed>());
	}
	EXPECT_FALSE(host.was<LeaseLost>());
}

TEST_F(EtcdOutage, TheRecordIsPutFromTimeToTimeWithTheClockAsItIsThen)
{
	RealEtcd etcd;
	auto settings = etcd.settings();
	settings.recordLasts = 1ms; // looked at with each keepalive
	std::atomic<int> asked = 0;
	settings.wall = [&] { return WallTime(milliseconds(++asked)); };
	Host host(settings);
	host.join();
	WallTime last;
	for (int times = 0; times < 3; ++times) {
		ASSERT_TRUE(host.await<MemberPut>([&](const MemberPut& put) {
			return std::exchange(last, put.member.record.written) < put.member.record.written;
		}));
	}
}

TEST_F(EtcdOutage, ARecordIsTimedByTheClockOfItsWriter)
{
	RealEtcd etcd;
	auto settings = etcd.settings();
	settings.wall = [] { return WallTime(1'234'567ms); };
	Host host(settings);
	host.join();
	ASSERT_TRUE(host.await<MembersListed>(
		[](const MembersListed& listed) { return listed.members.at(0).record.written == WallTime(1'234'567ms); }));
}

TEST_F(EtcdUsers, TheUserJoinsAndAuthenticatesAgainWhenItsTokenIsForgotten)
{
	RealEtcd etcd;
	enable(etcd);
	auto settings = withUser(etcd.settings());
	settings.takeover = 15s; // the lease outlives the restart, also on a busy machine
	Host host(settings);
	host.join();
	ASSERT_TRUE(host.await<MembersListed>([](const MembersListed& listed) { return has(listed, "host-a"); }));
	etcd.kill(); // a restart forgets all tokens
	ASSERT_TRUE(host.await<Away>());
	etcd.start();
	ASSERT_TRUE(host.await<Answered>());
	host.directory().write({stateOf("web")});
	host.directory().setRecord(ShardSet().set(), {});
	ASSERT_TRUE(host.awaitRecord([](const MemberRecord& record) { return record.kept.all(); }));
	EXPECT_THAT(host.read({shardOf("web")}), SizeIs(1));
	EXPECT_FALSE(host.was<LeaseLost>());
	EXPECT_THAT(etcd.dump(), Not(HasSubstr("pass-of")));
}

TEST_F(EtcdUsers, AWrongPasswordIsRefusedInWordsThatHoldNone)
{
	RealEtcd etcd;
	enable(etcd);
	Host host(withUser(etcd.settings(), "wrong-one"));
	host.join();
	ASSERT_TRUE(host.await<WritesRefused>([](const WritesRefused& refused) {
		EXPECT_THAT(refused.why, HasSubstr("issuer-host"));
		EXPECT_THAT(refused.why, Not(HasSubstr("wrong-one")));
		return true;
	}));
}

TEST_F(EtcdUsers, AUserThatMayNotIsRefused)
{
	RealEtcd etcd;
	enable(etcd);
	etcd.ask("auth/role/revoke", R"({"role":"issuer-host","key":")" + etcd::base64("/issuer/") + R"(","range_end":")" +
									 etcd::base64("/issuer0") + "\"}");
	Host host(withUser(etcd.settings()));
	host.join();
	ASSERT_TRUE(host.await<WritesRefused>(
		[](const WritesRefused& refused) { return refused.why.find("permission denied") != std::string::npos; }));
}

TEST_F(EtcdTls, AClientCertificateWithoutACommonNameOpensTheDoorForTheUser)
{
	auto options = this->options("serverAuth,clientAuth");
	options.shown = _authority.client("");
	RealEtcd etcd(options);
	enable(etcd);
	Host host(withUser(etcd.settings()));
	host.join();
	ASSERT_TRUE(host.await<MembersListed>([](const MembersListed& listed) { return has(listed, "host-a"); }));
}

TEST_F(EtcdTls, AClientCertificateWithACommonNameIsNamedAsTheCause)
{
	auto options = this->options("serverAuth,clientAuth");
	options.shown = _authority.client("");
	RealEtcd etcd(options);
	enable(etcd);
	auto settings = withUser(etcd.settings());
	const auto named =
		_authority.issue("named", {.commonName = "somebody", .dnsNames = {}, .addresses = {}, .forClient = true});
	settings.clientCert = named.certificate;
	settings.clientKey = named.key;
	Host host(settings);
	host.join();
	ASSERT_TRUE(host.await<WritesRefused>([](const WritesRefused& refused) {
		EXPECT_THAT(refused.why, HasSubstr("without a common name"));
		return true;
	}));
}

TEST_F(EtcdTls, AServerCertificateThatTheGatewayCannotShowIsNamedAsTheCause)
{
	auto options = this->options("serverAuth");
	options.shown = _authority.client("");
	options.answers = false;
	RealEtcd etcd(options);
	Host host(etcd.settings());
	host.join();
	ASSERT_TRUE(host.await<Away>([](const Away& away) {
		EXPECT_THAT(away.why, HasSubstr("clientAuth"));
		return true;
	}));
}

} // namespace
} // namespace issuer::test
