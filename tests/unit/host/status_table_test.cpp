#include "commands/status_table.h"

#include "observe/web/issuers_json.h"
#include "told_events.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <cstdlib>
#include <ctime>
#include <gmock/gmock.h>

namespace issuer::commands {
namespace {

using namespace std::chrono_literals;
using observe::Fleet;
using observe::IssuerStatus;
using observe::Phase;
using observe::UnixTime;
using test::renewal;
using test::state;
using testing::HasSubstr;
using testing::Not;

constexpr UnixTime noon{1'800'000'000s};

class AStatusTable : public testing::Test
{
protected:
	AStatusTable()
	{
		::setenv("TZ", "UTC", 1);
		::tzset();
	}

	void has(const std::string& name, Phase phase, const std::string& problem = {})
	{
		statuses.push_back({name, "io.issuer.vault", "Vault", "1.2.3", "/v.so", "", phase, problem, 0, {}, {}, {}, 0});
		fleet.admit({name});
	}

	[[nodiscard]] std::string table(bool colours = false, std::size_t limit = 100) const
	{
		observe::web::Selection selection;
		selection.limit = limit;
		const std::string json = issuersJson(
			fleet, [this] { return statuses; }, selection);
		return statusTable(*Poco::JSON::Parser().parse(json).extract<Poco::JSON::Object::Ptr>(), colours);
	}

	Fleet fleet{[] { return noon; }};
	std::vector<IssuerStatus> statuses;
};

TEST_F(AStatusTable, IsReadableAtAGlance)
{
	has("alive", Phase::running);
	fleet.event("alive", renewal(ISSUER_RESULT_SUCCESS, noon, 1h));
	has("capped", Phase::running);
	fleet.event("capped", state(ISSUER_STATE_CAPPED, noon, 26h));
	has("wartend", Phase::waiting, "no connection; tried again in 5 s");
	statuses.back().nextStartUnixMs = (noon + 5s).time_since_epoch().count();
	has("zürich", Phase::running);
	issuer_event dead = state(ISSUER_STATE_EXPIRED, noon, 0s);
	dead.next_unix_ms = -1;
	fleet.event("zürich", dead);
	EXPECT_EQ(table(), "4 issuers: 1 dead, 1 ending, 1 starting, 1 well\n"
					   "ISSUER   STATE    LIFE LEFT           NEXT               PLUGIN\n"
					   "zürich   dead     0 s                 -                  Vault 1.2.3\n"
					   "    replace the credential\n"
					   "capped   capped   1 d 2 h of 1 d 2 h  check in 13 h      Vault 1.2.3\n"
					   "    cannot be extended past 2027-01-16 10:00:00 UTC\n"
					   "wartend  waiting  -                   start in 5 s       Vault 1.2.3\n"
					   "    no connection; tried again in 5 s\n"
					   "alive    alive    1 h of 1 h          renewal in 30 min  Vault 1.2.3\n");
}

TEST_F(AStatusTable, TellsOfTheNextLoginAndOfOneThatWillFail)
{
	has("a", Phase::running);
	fleet.event("a", renewal(ISSUER_RESULT_SUCCESS, noon, 1h));
	issuer_health& health = statuses.back().health.emplace();
	health.capped_at_unix_ms = (noon + 30h).time_since_epoch().count();
	health.next_login_unix_ms = (noon + 26h).time_since_epoch().count();
	health.login_ends_unix_ms = health.login_uses_left = -1;
	EXPECT_THAT(table(), HasSubstr("renewal in 30 min, login in 1 d 2 h"));
	EXPECT_THAT(table(), Not(HasSubstr("    ends at")));
	health.login_uses_left = 0;
	EXPECT_THAT(table(), HasSubstr("    its login material allows no further login: replace it\n"));
	health.login_uses_left = -1;
	health.login_ends_unix_ms = (noon + 25h).time_since_epoch().count();
	EXPECT_THAT(table(), HasSubstr("    its login material ends at 2027-01-16 09:00:00 UTC, before the next login: "
								   "replace it\n"));
	issuer_event failed = renewal(ISSUER_RESULT_FAILURE, noon, 1h);
	failed.kind = ISSUER_EVENT_LOGIN;
	failed.state = ISSUER_STATE_ACTIVE;
	failed.detail = {"connection refused", 18};
	fleet.event("a", failed);
	EXPECT_THAT(table(), HasSubstr("    logins have failed since 2027-01-15 08:00:00 UTC: connection refused\n"));
}

TEST_F(AStatusTable, CountsTheFailuresInARow)
{
	has("a", Phase::running);
	for (int i = 0; i < 3; ++i) {
		issuer_event failed = renewal(ISSUER_RESULT_FAILURE, noon, 1h);
		failed.detail = {"connection refused", 18};
		fleet.event("a", failed);
	}
	EXPECT_THAT(table(), HasSubstr("    3 attempts failed: connection refused\n"));
}

TEST_F(AStatusTable, ColoursWhatNeedsAPersonAndNothingElse)
{
	has("a", Phase::failed, "wrong");
	has("b", Phase::running);
	fleet.event("b", state(ISSUER_STATE_ACTIVE, noon, 1h));
	EXPECT_THAT(table(true), HasSubstr("\033[31mnot started\033[0m"));
	EXPECT_THAT(table(true), Not(HasSubstr("\033[33m")));
	EXPECT_THAT(table(false), Not(HasSubstr("\033")));
}

TEST_F(AStatusTable, SaysWhatItLeavesOut)
{
	for (const char* name : {"a", "b", "c"}) {
		has(name, Phase::running);
		fleet.event(name, state(ISSUER_STATE_ACTIVE, noon, 1h));
	}
	EXPECT_THAT(table(false, 1), testing::EndsWith("and 2 more, less urgent\n"));
}

TEST_F(AStatusTable, LetsNoServersTextDriveTheTerminal)
{
	has("a", Phase::waiting, "\033[2Jgone\nforged line");
	EXPECT_THAT(table(), HasSubstr("     [2Jgone forged line\n"));
}

} // namespace
} // namespace issuer::commands
