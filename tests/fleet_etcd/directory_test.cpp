#include "host.h"

#include "fleet/ring.h"

#include <Poco/JSON/Array.h>
#include <atomic>
#include <chrono>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

/// The Directory over a real etcd of one node.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;
using namespace fleet;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

State state(const std::string& issuer, const std::string& member, int end = 2'000'000)
{
	return {{issuer, member}, WallTime(milliseconds(end)), WallTime(milliseconds(1'000'000)), ISSUER_STATE_ACTIVE,
		"io.issuer.vault", "text of " + issuer};
}

/// Returns all leases that etcd knows.
std::vector<etcd::LeaseId> leasesOf(const RealEtcd& etcd)
{
	std::vector<etcd::LeaseId> ids;
	const auto leases = etcd::arrayIn(*etcd.ask("lease/leases", "{}"), "leases");
	for (unsigned at = 0; leases && at < leases->size(); ++at) {
		ids.push_back(etcd::numberIn(*leases->getObject(at), "ID").value());
	}
	return ids;
}

class WithEtcd : public testing::Test
{
protected:
	static void SetUpTestSuite()
	{
		if (RealEtcd::isInstalled()) {
			_etcd = std::make_unique<RealEtcd>();
		}
	}
	static void TearDownTestSuite() { _etcd.reset(); }

	void SetUp() override
	{
		if (!_etcd) {
			GTEST_SKIP() << RealEtcd::missing;
		}
	}

	/// Settings of a fleet of this test's own.
	[[nodiscard]] static etcd::Settings settings()
	{
		auto settings = _etcd->settings();
		settings.fleet = testing::UnitTest::GetInstance()->current_test_info()->name();
		return settings;
	}
	[[nodiscard]] static std::string prefix() { return etcd::Keys(settings().fleet).prefix(); }

	static inline std::unique_ptr<RealEtcd> _etcd;
};

TEST_F(WithEtcd, AMemberThatJoinsSeesItselfAndIsKeptAlive)
{
	Host host(settings());
	ListDigests lists{};
	lists[7] = 0x0123456789abcdefU;
	host.join(lists);
	ASSERT_TRUE(host.await<Joined>());
	ASSERT_TRUE(host.await<MembersListed>([&](const MembersListed& listed) {
		return listed.members.size() == 1 && listed.members[0].record.name == "host-a" &&
			   listed.members[0].record.run == "run-of-host-a" &&
			   listed.members[0].record.url == "https://host-a:9464" && listed.members[0].record.kept.none() &&
			   listed.members[0].lists == lists;
	}));
	for (int answers = 0; answers < 8; ++answers) { // longer than the lease
		ASSERT_TRUE(host.await<Answered>());
	}
	EXPECT_FALSE(host.was<LeaseLost>());
	EXPECT_THAT(_etcd->keys(prefix()), ElementsAre(prefix() + "lists/host-a", prefix() + "members/host-a"));
}

TEST_F(WithEtcd, MembersSeeEachOtherComeChangeAndGo)
{
	Host a(settings(), "host-a");
	a.join();
	ASSERT_TRUE(a.await<MembersListed>());
	Host b(settings(), "host-b");
	b.join();
	ASSERT_TRUE(b.await<MembersListed>([](const MembersListed& listed) { return has(listed, "host-a"); }));
	ASSERT_TRUE(a.await<MemberPut>([](const MemberPut& put) { return put.member.record.name == "host-b"; }));

	ShardSet kept;
	kept.set(0).set(7).set(4095);
	ListDigests lists{};
	lists[255] = 5;
	b.directory().setRecord(kept, lists);
	ASSERT_TRUE(a.await<MemberPut>([&](const MemberPut& put) {
		return put.member.record.name == "host-b" && put.member.record.kept == kept && put.member.lists == lists;
	}));
	b.directory().leave(10s);
	ASSERT_TRUE(a.await<MemberGone>([](const MemberGone& gone) { return gone.name == "host-b"; }));
	EXPECT_THAT(_etcd->keys(prefix() + "members/"), ElementsAre(prefix() + "members/host-a"));
	EXPECT_THAT(_etcd->keys(prefix() + "lists/"), ElementsAre(prefix() + "lists/host-a"));
}

TEST_F(WithEtcd, AMemberThatDiesIsGoneWithItsLease)
{
	Host a(settings(), "host-a");
	a.join();
	Host b(settings(), "host-b");
	b.join();
	ASSERT_TRUE(b.await<Joined>());
	b.directory().pulse("well");
	b.die();
	ASSERT_TRUE(a.await<MemberGone>([](const MemberGone& gone) { return gone.name == "host-b"; }));
}

TEST_F(WithEtcd, StatesAreWrittenReadAndDeleted)
{
	Host host(settings());
	host.join();
	ASSERT_TRUE(host.await<Joined>());
	const auto shard = shardOf("web");
	host.directory().write({state("web", "host-a"), state("web", "host-b", 3'000'000)});
	ShardSet kept;
	kept.set(shard);
	host.directory().setRecord(kept, {});
	ASSERT_TRUE(host.awaitRecord([&](const MemberRecord& record) { return record.kept == kept; }));
	EXPECT_THAT(host.read({shard}), UnorderedElementsAre(state("web", "host-a"), state("web", "host-b", 3'000'000)));

	host.directory().remove({{"web", "host-b"}, {"web", "nobody"}});
	host.directory().setRecord({}, {});
	ASSERT_TRUE(host.await<MemberPut>([&](const MemberPut& put) { return put.member.record.kept.none(); }));
	EXPECT_THAT(host.read({shard, static_cast<Shard>(shard ^ 1U)}), ElementsAre(state("web", "host-a")));
}

TEST_F(WithEtcd, ARecordComesAfterTheStatesGivenBeforeIt)
{
	Host host(settings());
	host.join();
	ASSERT_TRUE(host.await<Joined>());
	std::vector<State> states;
	for (int issuer = 0; issuer < 1000; ++issuer) { // eight transactions
		states.push_back(state("issuer-" + std::to_string(issuer), "host-a"));
	}
	host.directory().write(states);
	ShardSet kept;
	kept.set(1);
	host.directory().setRecord(kept, {});
	ASSERT_TRUE(host.awaitRecord([&](const MemberRecord& record) { return record.kept == kept; }));
	EXPECT_THAT(_etcd->keys(prefix() + "state/"), SizeIs(1000));
}

TEST_F(WithEtcd, AllShardsAreReadAndEachIsAnsweredOnce)
{
	Host host(settings());
	host.join();
	ASSERT_TRUE(host.await<Joined>());
	std::vector<State> states;
	for (int issuer = 0; issuer < 500; ++issuer) {
		states.push_back(state("issuer-" + std::to_string(issuer), "host-a"));
	}
	host.directory().write(states);
	host.directory().setRecord(ShardSet().set(), {});
	ASSERT_TRUE(host.awaitRecord([&](const MemberRecord& record) { return record.kept.all(); }));
	std::vector<Shard> shards;
	for (std::size_t shard = 0; shard < shardCount; ++shard) {
		shards.push_back(static_cast<Shard>(shard));
	}
	EXPECT_THAT(host.read(shards), SizeIs(500));
}

TEST_F(WithEtcd, PulsesAreReadByAll)
{
	Host a(settings(), "host-a");
	Host b(settings(), "host-b");
	a.join();
	b.join();
	ASSERT_TRUE(a.await<Joined>());
	ASSERT_TRUE(b.await<Joined>());
	a.directory().pulse("a well");
	Directory::Pulses pulses;
	const auto end = std::chrono::steady_clock::now() + Host::patience;
	while (pulses.empty() && std::chrono::steady_clock::now() < end) { // a new pulse is no event: only a read shows it
		const auto read = std::make_shared<std::promise<Directory::Pulses>>();
		auto answer = read->get_future();
		b.directory().readPulses([read](Directory::Pulses found) { read->set_value(std::move(found)); });
		ASSERT_EQ(answer.wait_for(Host::patience), std::future_status::ready);
		pulses = answer.get();
	}
	EXPECT_THAT(pulses, ElementsAre(std::pair<std::string, std::string>("host-a", "a well")));
}

TEST_F(WithEtcd, AReaderOfPulsesIsAnsweredWhenTheHostLeavesOrDies)
{
	for (const bool leaves : {true, false}) {
		Host a(settings());
		const auto read = std::make_shared<std::promise<std::size_t>>();
		auto answer = read->get_future();
		a.join();
		ASSERT_TRUE(a.await<Joined>());
		_etcd->freeze(); // so that the read is under way, with another behind it
		a.directory().readPulses([](const Directory::Pulses&) {});
		a.directory().readPulses([read](const Directory::Pulses& found) { read->set_value(found.size()); });
		if (leaves) {
			a.directory().leave(milliseconds(10));
		}
		a.die();
		_etcd->thaw();
		ASSERT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::ready) << leaves;
		EXPECT_EQ(answer.get(), 0U);
	}
}

TEST_F(WithEtcd, AnExceptionAmidItsWorkIsToldAndTheHostJoinsAgainAndWritesWhatItIsGiven)
{
	auto breaks = std::make_shared<std::atomic<int>>(0);
	auto own = settings();
	own.wall = [breaks] { // asked whenever a record is written
		if (breaks->load() > 0 && breaks->fetch_sub(1) > 0) {
			throw std::bad_alloc();
		}
		return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
	};
	Host a(own, "host-a");
	a.join();
	ASSERT_TRUE(a.await<MembersListed>());
	a.forget();
	*breaks = 3; // the record's put, and two joins
	ShardSet kept;
	kept.set(7);
	a.directory().setRecord(kept, {});
	ASSERT_TRUE(a.await<Away>([](const Away& away) { return away.why.find("bad_alloc") != away.why.npos; }));
	ASSERT_TRUE(a.await<Joined>());
	ASSERT_TRUE(a.await<MembersListed>([](const MembersListed& listed) { return has(listed, "host-a"); }));
	EXPECT_LE(breaks->load(), 0);
	a.directory().setRecord(kept, {});
	ASSERT_TRUE(a.await<MemberPut>([](const MemberPut& put) { return put.member.record.kept.test(7); }));
	a.directory().leave(milliseconds(2000));
}

TEST_F(WithEtcd, TheFirstOfTwoProcessesOfOneNameIsToldAndJoinsUnderAnother)
{
	Host first(settings(), "host-a", "first");
	first.join();
	ASSERT_TRUE(first.await<MembersListed>());
	Host second(settings(), "host-a", "second");
	second.join();
	ASSERT_TRUE(second.await<Joined>());
	ASSERT_TRUE(first.await<NameTaken>([](const NameTaken& taken) { return taken.by.run == "second"; }));
	EXPECT_FALSE(second.was<NameTaken>());

	second.forget();
	first.joinAs("host-a~0001");
	ASSERT_TRUE(first.await<MembersListed>(
		[](const MembersListed& listed) { return has(listed, "host-a") && has(listed, "host-a~0001"); }));
	ASSERT_TRUE(second.await<Answered>());
	ASSERT_TRUE(second.await<Answered>());
	EXPECT_FALSE(second.was<NameTaken>());
	EXPECT_FALSE(second.was<LeaseLost>());
	first.directory().leave(10s);
	EXPECT_THAT(_etcd->keys(prefix() + "members/"), ElementsAre(prefix() + "members/host-a"));
}

TEST_F(WithEtcd, ALeaseThatEtcdEndsIsToldAndJoinedAgain)
{
	Host host(settings());
	host.join();
	ASSERT_TRUE(host.await<MembersListed>());
	for (const auto& lease : leasesOf(*_etcd)) {
		_etcd->ask("lease/revoke", etcd::leaseRequest(lease));
	}
	ASSERT_TRUE(host.await<LeaseLost>());
	ASSERT_TRUE(host.await<Joined>());
	ASSERT_TRUE(host.await<MembersListed>([](const MembersListed& listed) { return has(listed, "host-a"); }));
}

TEST_F(WithEtcd, KeysOfOthersAreNoStatesAndNoMembers)
{
	Host host(settings());
	host.join();
	ASSERT_TRUE(host.await<MembersListed>());
	const auto put = [&](const std::string& key, const std::string& value) {
		_etcd->ask("kv/txn", etcd::transaction({etcd::putOperation(prefix() + key, value)}));
	};
	put("members/other", "no JSON");
	put("members/\x01", "{}");
	put("members/", "{}");
	put("lists/other", "short");
	put("state/000/a", "x");
	put("state/000/a@b", "no zero byte");
	put("state/000/a@c", std::string(R"({"v":1,"e":1,"n":1,"s":1})") + '\0' + "garbage");
	Host another(settings(), "host-b");
	another.join();
	ASSERT_TRUE(host.await<MemberPut>([](const MemberPut& member) { return member.member.record.name == "host-b"; }));
	ASSERT_TRUE(another.await<MembersListed>([](const MembersListed& listed) { return listed.members.size() == 2; }));
	host.directory().read({0});
	EXPECT_TRUE(host.await<StatesRead>([](const StatesRead& read) { return read.states.empty(); }));
}

TEST_F(WithEtcd, LeavingWritesTheRecordsThatWait)
{
	Host host(settings());
	host.join();
	ASSERT_TRUE(host.await<Joined>());
	host.directory().write({state("web", "host-a")});
	host.directory().leave(10s);
	EXPECT_THAT(_etcd->keys(prefix()), ElementsAre(HasSubstr("/web@host-a")));
}

} // namespace
} // namespace issuer::test
