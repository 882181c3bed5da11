#include "observe/web/site.h"

#include "observe/events/names.h"
#include "observe/metrics/metrics.h"
#include "told_events.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <algorithm>
#include <gmock/gmock.h>

namespace issuer::observe::web {
namespace {

using namespace std::chrono_literals;
using Poco::JSON::Object;
using test::renewal;
using test::state;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr UnixTime noon{1'800'000'000s};

class TheSite : public testing::Test
{
protected:
	void has(const std::string& name, issuer_state itsState, std::chrono::milliseconds left = 1h)
	{
		IssuerStatus status;
		status.name = name;
		status.phase = Phase::running;
		statuses.push_back(status);
		std::ranges::sort(statuses, {}, &IssuerStatus::name);
		fleet.admit({name});
		fleet.event(name, state(itsState, noon, left));
	}

	[[nodiscard]] Object::Ptr json(const std::string& target) const
	{
		const Answer answer = site.get(target);
		EXPECT_EQ(answer.type, "application/json");
		return Poco::JSON::Parser().parse(answer.body).extract<Object::Ptr>();
	}

	[[nodiscard]] std::vector<std::string> names(const std::string& query) const
	{
		std::vector<std::string> found;
		const Object::Ptr answer = json("/api/v1/issuers" + query);
		for (const auto& issuer : *answer->getArray("issuers")) {
			found.push_back(issuer.extract<Object::Ptr>()->getValue<std::string>("name"));
		}
		return found;
	}

	void pass(std::chrono::milliseconds time)
	{
		now += time;
		steady += time;
	}

	UnixTime now = noon;
	SteadyTime steady{};
	Fleet fleet{[this] { return now; }, [this] { return steady; }};
	std::vector<IssuerStatus> statuses;
	Metrics metrics{fleet, [this] { return statuses; }, "9.9.9"};
	std::optional<FleetStatus> part; ///< of the host in a fleet of hosts
	Site site{fleet, [this] { return statuses; }, metrics, [this] { return part; }, [this] { return part; }};
};

TEST_F(TheSite, ListsTheMostUrgentFirst)
{
	has("alive", ISSUER_STATE_ACTIVE);
	has("capped", ISSUER_STATE_CAPPED);
	has("dead", ISSUER_STATE_EXPIRED, 0h);
	has("retrying", ISSUER_STATE_RETRYING);
	has("sooner", ISSUER_STATE_CAPPED, 30min);
	EXPECT_THAT(names(""), ElementsAre("dead", "retrying", "sooner", "capped", "alive"));
	EXPECT_THAT(names("?order=name"), ElementsAre("alive", "capped", "dead", "retrying", "sooner"));
	EXPECT_THAT(names("?order=expiry"), ElementsAre("dead", "sooner", "alive", "capped", "retrying"));
}

TEST_F(TheSite, ShowsAPartOfWhatMatchesAndCountsTheWhole)
{
	for (const char* name : {"Team-A", "team-b", "team-c", "other"}) {
		has(name, ISSUER_STATE_ACTIVE);
	}
	has("team-d", ISSUER_STATE_CAPPED);
	EXPECT_THAT(names("?search=TEAM&order=name&offset=1&limit=2"), ElementsAre("team-b", "team-c"));
	EXPECT_THAT(names("?severity=ending"), ElementsAre("team-d"));
	EXPECT_THAT(names("?name=other"), ElementsAre("other"));
	EXPECT_THAT(names("?offset=99"), ElementsAre());
	const Object::Ptr all = json("/api/v1/issuers?search=team&limit=1");
	EXPECT_EQ(all->getValue<int>("total"), 5);
	EXPECT_EQ(all->getValue<int>("matching"), 4);
	EXPECT_EQ(all->getObject("severities")->getValue<int>("well"), 4);
}

TEST_F(TheSite, SaysWhichParameterMakesNoSense)
{
	for (const char* query :
		{"severity=bad", "order=up", "offset=-1", "limit=1001", "limit=x", "limit=", "happenings=17"}) {
		const Answer answer = site.get(std::string("/api/v1/issuers?") + query);
		EXPECT_EQ(answer.status, 400) << query;
		EXPECT_THAT(answer.body, HasSubstr("{\"error\":\"" + std::string(query).substr(0, 5)));
	}
}

TEST_F(TheSite, SaysNothingTwiceToAClientThatKnowsIt)
{
	has("a", ISSUER_STATE_ACTIVE);
	const Answer first = site.get("/api/v1/issuers");
	EXPECT_EQ(site.get("/api/v1/issuers", first.etag).status, 304);
	fleet.event("a", renewal(ISSUER_RESULT_SUCCESS, noon, 1h));
	EXPECT_EQ(site.get("/api/v1/issuers", first.etag).status, 200);
}

TEST_F(TheSite, TellsTheForecastAndWhatHappened)
{
	has("a", ISSUER_STATE_ACTIVE);
	fleet.notice({Action::started, ISSUER_LOG_INFO, "a", "with \"Vault\" 1"});
	fleet.event("a", renewal(ISSUER_RESULT_NOT_RENEWABLE, noon + 1s, 2h));
	const Object::Ptr issuer = json("/api/v1/issuers?happenings=2")->getArray("issuers")->getObject(0);
	EXPECT_EQ(issuer->getValue<std::int64_t>("death_unix_ms"), (noon + 1s + 2h).time_since_epoch().count());
	const auto happenings = issuer->getArray("happenings");
	ASSERT_EQ(happenings->size(), 2U);
	EXPECT_EQ(happenings->getObject(0)->getValue<std::string>("result"), "not_renewable");
	EXPECT_EQ(happenings->getObject(1)->getValue<std::string>("text"), "with \"Vault\" 1");
}

TEST_F(TheSite, IsReadyOnceTheHostIsAndEveryIssuerLives)
{
	has("a", ISSUER_STATE_ACTIVE);
	EXPECT_EQ(site.get("/readyz").body, "the host is starting or stopping\n");
	fleet.notice({Action::ready, ISSUER_LOG_INFO, {}, {}});
	EXPECT_EQ(site.get("/readyz").status, 200);
	has("b", ISSUER_STATE_EXPIRED, 0h);
	has("c", ISSUER_STATE_STARTING);
	statuses.back().problem = "no answer";
	EXPECT_EQ(site.get("/readyz").status, 503);
	EXPECT_EQ(site.get("/readyz").body, "issuer b has no living credential\nissuer c has not begun: no answer\n");
	statuses.clear();
	fleet.notice({Action::ended, ISSUER_LOG_INFO, {}, {}});
	EXPECT_EQ(site.get("/readyz").status, 503);
}

TEST_F(TheSite, IsReadyInAFleetOnceTheHostIsSettledThereWhateverBecomesOfTheEngine)
{
	fleet.notice({Action::ready, ISSUER_LOG_INFO, {}, {}});
	part.emplace().fleet = "prod";
	EXPECT_EQ(site.get("/readyz").status, 503);
	EXPECT_EQ(site.get("/readyz").body, "the host has not joined the fleet prod yet\n");
	part->settled = true;
	part->joined = false;
	part->engineUp = false;
	part->writesRefused = true;
	EXPECT_EQ(site.get("/readyz").status, 200);
}

TEST_F(TheSite, ShowsTheFleetOfHosts)
{
	EXPECT_EQ(site.get("/api/v1/fleet").body, R"({"fleet":null})");
	part.emplace().fleet = "prod";
	part->members.resize(2);
	part->members[0].name = "host-a";
	part->members[0].pulse.emplace().severities["well"] = 3;
	part->members[1].name = "host-b";
	part->unkept = {"web"};
	const Object::Ptr fleet_ = json("/api/v1/fleet")->getObject("fleet");
	const auto members = fleet_->getArray("members");
	ASSERT_EQ(members->size(), 2U);
	EXPECT_EQ(members->getObject(0)->getObject("severities")->getValue<int>("well"), 3);
	EXPECT_TRUE(members->getObject(1)->isNull("severities"));
	EXPECT_EQ(fleet_->getArray("unkept")->getElement<std::string>(0), "web");
}

TEST_F(TheSite, DoesNotDrownAProbeInReasons)
{
	for (int i = 0; i < 30; ++i) {
		has(std::to_string(i), ISSUER_STATE_EXPIRED, 0h);
	}
	EXPECT_THAT(site.get("/readyz").body, testing::EndsWith("and 11 more\n"));
}

TEST_F(TheSite, IsUnhealthyWhenWorkIsDueAndNothingMoves)
{
	has("a", ISSUER_STATE_ACTIVE); // next step in half an hour
	has("b", ISSUER_STATE_ACTIVE, 10h);
	pass(32min);
	EXPECT_EQ(site.get("/healthz").status, 200);
	pass(2min);
	EXPECT_EQ(site.get("/healthz").status, 503);
	EXPECT_EQ(site.get("/healthz").body, "1 issuer is overdue and no plugin has said anything for 34 min\n");
	fleet.event("b", renewal(ISSUER_RESULT_SUCCESS, now, 10h)); // others move: that one is slow, the host is not stuck
	EXPECT_EQ(site.get("/healthz").status, 200);
}

TEST_F(TheSite, JudgesWhatIsDueHoweverTheSystemsClockIsSet)
{
	has("a", ISSUER_STATE_ACTIVE);
	now += 24h;
	EXPECT_EQ(site.get("/healthz").status, 200);
	now -= 48h;
	steady += 34min;
	EXPECT_EQ(site.get("/healthz").body, "1 issuer is overdue and no plugin has said anything for 34 min\n");
}

TEST_F(TheSite, LetsABrowserRunItsOwnScriptAndNothingElse)
{
	const Answer page = site.get("/?from=bookmark");
	EXPECT_EQ(page.status, 200);
	EXPECT_THAT(page.contentSecurityPolicy, HasSubstr("default-src 'none'"));
	EXPECT_THAT(page.contentSecurityPolicy, HasSubstr("script-src 'sha256-"));
	EXPECT_THAT(page.contentSecurityPolicy, Not(HasSubstr("unsafe")));
	EXPECT_THAT(page.body, Not(testing::ContainsRegex("https?://[^w']"))); // w3.org names the SVG namespace
	EXPECT_THAT(page.body, Not(HasSubstr("innerHTML")));
}

TEST_F(TheSite, HasAWordOnItsPageForEverythingThatAHostDoes)
{
	const std::string page = site.get("/").body;
	const std::size_t begin = page.find("const actionWords = {");
	ASSERT_NE(begin, std::string::npos);
	const std::string words = page.substr(begin, page.find('}', begin) - begin);
	for (int action = 0; !actionName(static_cast<Action>(action)).empty(); ++action) {
		EXPECT_THAT(words, HasSubstr(actionName(static_cast<Action>(action)) + ": '"));
	}
}

TEST_F(TheSite, ServesMetricsAndNamesWhatThereIsInsteadOfWhatThereIsNot)
{
	EXPECT_THAT(site.get("/metrics").body, HasSubstr("issuer_host_info{version=\"9.9.9\"} 1\n"));
	EXPECT_EQ(site.get("/metrics/").status, 404);
	EXPECT_THAT(site.get("/../etc/passwd").body, HasSubstr("/api/v1/issuers"));
}

} // namespace
} // namespace issuer::observe::web
