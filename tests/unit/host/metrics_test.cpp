#include "observe/metrics/metrics.h"

#include "told_events.h"

#include <cstdio>
#include <gmock/gmock.h>

namespace issuer::observe {
namespace {

using namespace std::chrono_literals;
using test::renewal;
using test::state;
using testing::HasSubstr;
using testing::Not;

constexpr UnixTime noon{1'800'000'000s};

class TheMetrics : public testing::Test
{
protected:
	void tell(const std::string& issuer, const issuer_event& event)
	{
		fleet.admit({issuer});
		fleet.event(issuer, event);
		metrics.event(issuer, event);
	}

	/// Returns the issuers that have had an event, served by one plugin.
	[[nodiscard]] std::vector<IssuerStatus> snapshot() const
	{
		std::vector<IssuerStatus> all;
		for (const IssuerRecord& record : fleet.all()) {
			all.push_back({record.name, "io.issuer.vault", "Vault", "1.2.3", "/p/v.so", "", Phase::running, "", 0, {},
				{}, {}, 0});
		}
		return all;
	}

	Fleet fleet{[] { return noon; }};
	Metrics metrics{fleet, [this] { return snapshot(); }, "9.9.9"};
};

TEST_F(TheMetrics, TellOfALivingCredentialAllThatIsKnown)
{
	tell("a", renewal(ISSUER_RESULT_SUCCESS, noon, 1h));
	const std::string text = metrics.text();
	for (const char* line : {
			 "issuer_token_renewals_total{issuer=\"a\",result=\"success\"} 1\n",
			 "issuer_token_renewals_total{issuer=\"a\",result=\"failure\"} 0\n",
			 "issuer_token_renewals_total{issuer=\"a\",result=\"not_renewable\"} 0\n",
			 "issuer_token_expiry_timestamp_seconds{issuer=\"a\"} 1800003600\n",
			 "issuer_token_ttl_seconds{issuer=\"a\"} 3600\n",
			 "issuer_token_lease_seconds{issuer=\"a\"} 3600\n",
			 "issuer_token_state{issuer=\"a\",state=\"active\"} 1\n",
			 "issuer_token_state{issuer=\"a\",state=\"expired\"} 0\n",
			 "issuer_token_state_changes_total{issuer=\"a\"} 0\n",
			 "issuer_token_last_success_timestamp_seconds{issuer=\"a\"} 1800000000\n",
			 "issuer_token_consecutive_failures{issuer=\"a\"} 0\n",
			 "issuer_token_next_attempt_timestamp_seconds{issuer=\"a\"} 1800001800\n",
			 "issuer_plugin_info{issuer=\"a\",id=\"io.issuer.vault\",version=\"1.2.3\",path=\"/p/v.so\"} 1\n",
			 "issuer_token_renewal_duration_seconds_bucket{result=\"success\",le=\"0.01\"} 0\n",
			 "issuer_token_renewal_duration_seconds_bucket{result=\"success\",le=\"0.025\"} 1\n",
			 "issuer_host_info{version=\"9.9.9\"} 1\n",
			 "issuer_host_start_timestamp_seconds 1800000000\n",
		 }) {
		EXPECT_THAT(text, HasSubstr(line));
	}
	EXPECT_THAT(text, Not(HasSubstr("issuer_token_capped_timestamp_seconds{")));
}

TEST_F(TheMetrics, TellTheHourOfDeathOfACappedCredential)
{
	tell("a", state(ISSUER_STATE_CAPPED, noon, 24h));
	EXPECT_THAT(metrics.text(), HasSubstr("issuer_token_capped_timestamp_seconds{issuer=\"a\"} 1800086400\n"));
}

TEST_F(TheMetrics, GiveADeadCredentialNoLifeAndOneWithoutAnEndNoExpiry)
{
	tell("dead", state(ISSUER_STATE_EXPIRED, noon - 1h, 0s));
	issuer_event root = state(ISSUER_STATE_NO_EXPIRY, noon, 0s);
	root.ttl_ms = root.expires_unix_ms = root.next_unix_ms = -1;
	tell("root", root);
	const std::string text = metrics.text();
	EXPECT_THAT(text, HasSubstr("issuer_token_ttl_seconds{issuer=\"dead\"} 0\n"));
	EXPECT_THAT(text, Not(HasSubstr("ttl_seconds{issuer=\"root\"")));
	EXPECT_THAT(text, Not(HasSubstr("timestamp_seconds{issuer=\"root\"")));
}

TEST_F(TheMetrics, ShowAStateOfALaterContractAsItsNumber)
{
	tell("a", state(42, noon, 1h));
	EXPECT_THAT(metrics.text(), HasSubstr("issuer_token_state{issuer=\"a\",state=\"42\"} 1\n"));
}

TEST_F(TheMetrics, CountWhatTheHostDid)
{
	for (const Action action : {Action::swapped, Action::swapped, Action::rolledBack, Action::pinned, Action::reloaded,
			 Action::refused, Action::ready}) {
		metrics.notice({action, ISSUER_LOG_INFO, {}, {}});
	}
	const std::string text = metrics.text();
	for (const char* line :
		{"issuer_plugin_swaps_total{result=\"swapped\"} 2\n", "issuer_plugin_swaps_total{result=\"rolled_back\"} 1\n",
			"issuer_plugin_pinned_libraries 1\n", "issuer_host_reloads_total{result=\"applied\"} 1\n",
			"issuer_host_reloads_total{result=\"refused\"} 1\n", "issuer_host_ready 1\n"}) {
		EXPECT_THAT(text, HasSubstr(line));
	}
}

TEST_F(TheMetrics, TellWhileTheJournalTakesNoLines)
{
	EXPECT_THAT(metrics.text(), HasSubstr("\nissuer_host_journal_failing 0\n"));
	metrics.notice({Action::journal, ISSUER_LOG_WARN, {}, "the disk is full"});
	EXPECT_THAT(metrics.text(), HasSubstr("\nissuer_host_journal_failing 1\n"));
	metrics.notice({Action::journal, ISSUER_LOG_INFO, {}, "the journal is written again"});
	EXPECT_THAT(metrics.text(), HasSubstr("\nissuer_host_journal_failing 0\n"));
}

TEST_F(TheMetrics, CountALibraryThatIsPinnedAgainOnceAndNotWhileItIsUsed)
{
	const auto pinned = [&] {
		const std::string text = metrics.text();
		const std::string name = "\nissuer_plugin_pinned_libraries ";
		return text.at(text.find(name) + name.size());
	};
	for (const char* library : {"/p/v.so", "/p/v.so", "/p/other.so"}) {
		metrics.notice({Action::pinned, ISSUER_LOG_WARN, {}, {}, library});
	}
	EXPECT_EQ(pinned(), '2');
	tell("a", state(ISSUER_STATE_ACTIVE, noon, 1h)); // its plugin is /p/v.so
	EXPECT_EQ(pinned(), '1');
	metrics.notice({Action::unloaded, ISSUER_LOG_INFO, {}, {}, "/p/other.so"});
	EXPECT_EQ(pinned(), '0');
}

TEST_F(TheMetrics, EscapeNamesThatWouldBreakALine)
{
	tell("a \"quoted\" \\ name", state(ISSUER_STATE_ACTIVE, noon, 1h));
	EXPECT_THAT(metrics.text(), HasSubstr("issuer_token_ttl_seconds{issuer=\"a \\\"quoted\\\" \\\\ name\"} 3600\n"));
}

FleetStatus partOf()
{
	FleetStatus part;
	part.fleet = "prod";
	part.member = "host-a";
	part.joined = part.engineUp = true;
	part.secondsSinceAnswer = 3;
	part.members = {{"host-a", "", "1", 2000, 0}, {"host-b", "", "1", 2096, -2500}};
	part.shardsByRank = {{1, 2000}, {2, 2096}};
	part.watchedOver = 4;
	part.late = 5;
	part.unkept = {"team-z"};
	part.takeovers = {{"first", 7}};
	part.stateWrites = 99;
	return part;
}

TEST_F(TheMetrics, TellOfTheFleetWhereTheHostHasOne)
{
	const Metrics alone(
		fleet, [] { return std::vector<IssuerStatus>(); }, "1", [] { return std::nullopt; });
	EXPECT_THAT(alone.text(), Not(HasSubstr("issuer_fleet")));
	auto part = partOf();
	const Metrics ofAMember(
		fleet, [] { return std::vector<IssuerStatus>(); }, "1", [&] { return part; });
	for (const char* line :
		{"issuer_fleet_members 2\n", "issuer_fleet_shards{rank=\"2\"} 2096\n", "issuer_fleet_engine_up 1\n",
			"issuer_fleet_engine_seconds_since_answer 3\n", "issuer_fleet_takeovers_total{why=\"first\"} 7\n",
			"issuer_fleet_takeovers_total{why=\"late\"} 0\n", "issuer_fleet_watched_over 4\n", "issuer_fleet_late 5\n",
			"issuer_fleet_unkept 1\n", "issuer_fleet_state_writes_total 99\n",
			"issuer_fleet_clock_difference_seconds{member=\"host-b\"} -2.5\n"}) {
		EXPECT_THAT(ofAMember.text(), HasSubstr(line));
	}
	part.writesRefused = true;
	EXPECT_THAT(ofAMember.text(), HasSubstr("issuer_fleet_engine_up 0\n"));
}

TEST_F(TheMetrics, LeaveOutTheIssuersThatAnotherHostKeeps)
{
	tell("a", renewal(ISSUER_RESULT_SUCCESS, noon, 1h));
	IssuerStatus elsewhere;
	elsewhere.name = "a";
	elsewhere.phase = Phase::elsewhere;
	const Metrics others(
		fleet, [&] { return std::vector<IssuerStatus>{elsewhere}; }, "1");
	EXPECT_THAT(others.text(), Not(HasSubstr("issuer=\"a\"")));
}

TEST_F(TheMetrics, PassTheirOwnLinter)
{
	if (std::string_view(ISSUER_PROMTOOL).ends_with("NOTFOUND")) {
		GTEST_SKIP() << "promtool is not installed (package prometheus)";
	}
	tell("a", renewal(ISSUER_RESULT_SUCCESS, noon, 1h));
	tell("b", state(ISSUER_STATE_CAPPED, noon, 1h));
	metrics.notice({Action::ready, ISSUER_LOG_INFO, {}, {}});
	std::FILE* linter = ::popen(ISSUER_PROMTOOL " check metrics", "w");
	ASSERT_NE(linter, nullptr);
	const Metrics ofAMember(
		fleet, [this] { return snapshot(); }, "1", partOf);
	const std::string text = ofAMember.text();
	std::fwrite(text.data(), 1, text.size(), linter);
	EXPECT_EQ(::pclose(linter), 0);
}

} // namespace
} // namespace issuer::observe
