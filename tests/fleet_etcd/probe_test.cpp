#include "fixtures.h"
#include "host.h"

#include "fault_server/dead_ports.h"
#include "fleet/etcd/base64.h"
#include "fleet/etcd/probe.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

/// Findings of `issuer-host doctor` about an etcd.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;
using fleet::etcd::Finding;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

constexpr auto enough = 20s; ///< for each endpoint

auto levelIs(issuer_finding_level level)
{
	return Field("level", &Finding::level, level);
}

auto finding(
	issuer_finding_level level, const std::string& topic, const std::string& text, const std::string& advice = {})
{
	return AllOf(levelIs(level), Field("topic", &Finding::topic, topic), Field("text", &Finding::text, HasSubstr(text)),
		Field("advice", &Finding::advice, HasSubstr(advice)));
}

auto problem(const std::string& topic, const std::string& text, const std::string& advice = {})
{
	return finding(ISSUER_FINDING_PROBLEM, topic, text, advice);
}

auto warning(const std::string& topic, const std::string& text, const std::string& advice = {})
{
	return finding(ISSUER_FINDING_WARN, topic, text, advice);
}

auto fine(const std::string& topic, const std::string& text)
{
	return finding(ISSUER_FINDING_OK, topic, text);
}

} // namespace
} // namespace issuer::test

namespace issuer::fleet::etcd {
void PrintTo(const Finding& finding, std::ostream* to) // found by GoogleTest
{
	*to << '(' << finding.level << ' ' << finding.topic << ": " << finding.text << " → " << finding.advice << ')';
}
} // namespace issuer::fleet::etcd

namespace issuer::test {
namespace {

class AProbe : public EtcdTls
{
protected:
	static std::vector<Finding> probe(const fleet::etcd::Settings& settings)
	{
		auto findings = fleet::etcd::probe(settings, enough);
		for (const auto& finding : findings) {
			EXPECT_THAT(finding.text + finding.advice, Not(HasSubstr("pass-of")));
		}
		return findings;
	}
};

TEST_F(AProbe, FindsNothingWrongWithAnEtcdThatIsFineAndChangesNothing)
{
	auto options = this->options("serverAuth,clientAuth");
	options.shown = _authority.client("");
	RealEtcd etcd(options);
	enable(etcd);
	const auto settings = withUser(etcd.settings());
	Host host(settings);
	host.join();
	ASSERT_TRUE(host.await<fleet::MembersListed>());
	const auto revision = [&] { return fleet::etcd::revisionOf(*etcd.ask("maintenance/status", "{}")); };
	const auto before = revision();
	auto found = probe(settings);
	std::erase_if(found, [](const Finding& finding) { return finding.topic == "space"; }); // 3.5.30 keeps it to itself
	EXPECT_THAT(
		found, ElementsAre(fine("endpoint", "answers"), fine("user", "takes the password of the user issuer-host"),
				   fine("watch", "begins a watch"), fine("rights", "may read below /issuer/test/"),
				   fine("rights", "may write below /issuer/test/"), fine("members", "1 member now: host-a")));
	EXPECT_EQ(revision(), before);
}

TEST_F(AProbe, LooksAtTheOtherEndpointsBesideADeadOne)
{
	RealEtcd etcd;
	auto settings = etcd.settings();
	settings.endpoints.insert(settings.endpoints.begin(), "http://127.0.0.1:" + std::to_string(closedPort()));
	const auto found = probe(settings);
	EXPECT_THAT(found, Contains(problem("endpoint", settings.endpoints[0], "see whether etcd runs there")));
	EXPECT_THAT(found, Contains(fine("endpoint", settings.endpoints[1] + " answers: etcd 3.")));
	EXPECT_THAT(found, Contains(fine("space", "MiB")));
	EXPECT_THAT(found, Contains(fine("rights", "every client may write")));
}

TEST_F(AProbe, TellsAWrongPasswordByItsUser)
{
	RealEtcd etcd;
	enable(etcd);
	const auto found = probe(withUser(etcd.settings(), "wrong-one"));
	EXPECT_THAT(found, Contains(problem("user", "does not authenticate the user issuer-host", "fleet.etcd.password")));
	EXPECT_THAT(found, Each(Field("text", &Finding::text, Not(HasSubstr("wrong-one")))));
	auto settings = etcd.settings();
	settings.user.clear();
	settings.passwordFile.clear();
	EXPECT_THAT(probe(settings), Contains(problem("user", "wants a user", "set user and password")));
}

TEST_F(AProbe, WarnsOfAPasswordThatTheEngineDoesNotAskFor)
{
	RealEtcd etcd;
	EXPECT_THAT(probe(withUser(etcd.settings())), Contains(warning("user", "has no users", "auth enable")));
}

TEST_F(AProbe, TellsTheRightsToReadAndToWriteApart)
{
	RealEtcd etcd;
	enable(etcd);
	const auto range =
		R"("key":")" + fleet::etcd::base64("/issuer/") + R"(","range_end":")" + fleet::etcd::base64("/issuer0") + "\"";
	etcd.ask("auth/role/revoke", R"({"role":"issuer-host",)" + range + "}");
	const auto settings = withUser(etcd.settings());
	const std::string advice = "grant-permission ROLE readwrite --prefix /issuer/test/";
	auto found = probe(settings);
	EXPECT_THAT(found, Contains(problem("rights", "the user issuer-host may not read below /issuer/test/", advice)));
	EXPECT_THAT(found, Contains(problem("rights", "the user issuer-host may not write below /issuer/test/", advice)));

	etcd.ask("auth/role/grant", R"({"name":"issuer-host","perm":{"permType":"READ",)" + range + "}}");
	found = probe(settings);
	EXPECT_THAT(found, Contains(fine("rights", "may read below")));
	EXPECT_THAT(found, Contains(problem("rights", "may not write below /issuer/test/", advice)));

	etcd.ask("auth/role/grant", R"({"name":"issuer-host","perm":{"permType":"WRITE",)" + range + "}}");
	found = probe(settings);
	EXPECT_THAT(found, Contains(problem("rights", "may not read below /issuer/test/", advice)));
	EXPECT_THAT(found, Contains(fine("rights", "may write below")));
}

TEST_F(AProbe, NamesACommonNameInTheClientCertificate)
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
	EXPECT_THAT(
		probe(settings), Contains(problem("endpoint", "takes the common name of the client certificate for a user",
							 "issue fleet.etcd.client_cert anew, without a common name")));
}

TEST_F(AProbe, NamesAServerCertificateThatTheGatewayCannotShow)
{
	auto options = this->options("serverAuth");
	options.shown = _authority.client("");
	options.answers = false;
	RealEtcd etcd(options);
	EXPECT_THAT(probe(etcd.settings()),
		ElementsAre(problem("endpoint", "its gateway cannot reach etcd itself", "usages serverAuth and clientAuth")));
}

TEST_F(AProbe, NamesTheFilesOfACertificateThatIsNotTrusted)
{
	auto options = this->options("serverAuth,clientAuth");
	options.shown = _authority.client("");
	RealEtcd etcd(options);
	TempDir folder;
	auto settings = etcd.settings();
	settings.caFile = TestPki(folder.path()).caFile();
	EXPECT_THAT(probe(settings), ElementsAre(problem("endpoint", "certificate", "ca_file")));
}

TEST_F(AProbe, TellsAnEtcdThatIsFull)
{
	RealEtcd etcd;
	etcd.ask("maintenance/alarm", R"({"memberID":"0","alarm":"NOSPACE","action":"ACTIVATE"})");
	EXPECT_THAT(probe(etcd.settings()), Contains(problem("space", "it takes no writes", "etcdctl alarm disarm")));
}

TEST_F(AProbe, TellsANodeWithoutALeader)
{
	RealEtcd etcd({2});
	etcd.kill(1);
	auto settings = etcd.settings();
	settings.endpoints = {etcd.address(0)};
	const auto isNoticed = [&] {
		const auto found = probe(settings);
		return found.size() == 1 && found[0].text.find("no leader") != std::string::npos;
	};
	const auto until = std::chrono::steady_clock::now() + Host::patience;
	while (!isNoticed() && std::chrono::steady_clock::now() < until) { // it notices after its election timeout
	}
	EXPECT_THAT(probe(settings), ElementsAre(problem("endpoint", "no leader", "most nodes of the cluster")));
}

TEST_F(AProbe, TellsEndpointsOfTwoClusters)
{
	RealEtcd one;
	RealEtcd other;
	auto settings = one.settings();
	settings.endpoints.push_back(other.address());
	EXPECT_THAT(
		probe(settings), Contains(problem("endpoint", other.address() + " belongs to another cluster", "one cluster")));
}

TEST_F(AProbe, WarnsOfAStoreThatIsNotCompacted)
{
	RealEtcd etcd;
	fleet::etcd::Revision revision = 0;
	while (revision < 1000) {
		revision = fleet::etcd::revisionOf(*etcd.ask("kv/put", R"({"key":"eA==","value":"eA=="})"));
	}
	const auto neverCompacted = warning("compaction", "was ever compacted", "--auto-compaction-mode=periodic");
	EXPECT_THAT(probe(etcd.settings()), Contains(neverCompacted));
	etcd.ask("kv/compaction", R"({"revision":"900"})");
	EXPECT_THAT(probe(etcd.settings()), Not(Contains(neverCompacted)));
}

TEST_F(AProbe, WarnsOfMembersWhoseClocksDiffer)
{
	RealEtcd etcd;
	auto settings = etcd.settings();
	const auto at = [&](fleet::milliseconds offset) {
		auto its = settings;
		its.wall = [offset] { return fleet::WallTime(std::chrono::hours(1000) + offset); };
		return its;
	};
	Host ahead(at(30s), "ahead");
	Host behind(at(-200s), "behind");
	Host near(at(1s), "near");
	for (Host* const host : {&ahead, &behind, &near}) {
		host->join();
		ASSERT_TRUE(host->await<fleet::MembersListed>());
	}
	const auto found = probe(at(0s));
	EXPECT_THAT(found, Contains(warning("clocks", "the clock of ahead is at least 30 s ahead", "NTP")));
	EXPECT_THAT(found, Contains(warning("clocks", "the clock of behind is at least 138 s behind", "NTP")));
	EXPECT_THAT(found, Not(Contains(warning("clocks", "near"))));
	EXPECT_THAT(found, Contains(fine("members", "3 members now: ahead, behind, near")));
}

TEST_F(AProbe, TellsSettingsThatCannotBeUsed)
{
	fleet::etcd::Settings settings;
	settings.fleet = "test";
	settings.endpoints = {"ftp://etcd"};
	EXPECT_THAT(probe(settings), ElementsAre(problem("endpoint", "etcd.endpoints: ftp://etcd")));
}

} // namespace
} // namespace issuer::test
