// The host's output about issuers that log in, and about those that do not.
#include "observe/events/facts.h"
#include "observe/events/human_lines.h"
#include "observe/exec/turning_points.h"
#include "observe/fleet/issuer_view.h"
#include "observe/journal/json_lines.h"
#include "observe/metrics/metrics.h"
#include "told_events.h"

#include <gmock/gmock.h>

namespace issuer::observe {
namespace {

using namespace std::chrono_literals;
using test::renewal;
using test::state;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr UnixTime noon{1'800'000'000s};

std::int64_t unixMs(UnixTime time)
{
	return time.time_since_epoch().count();
}

issuer_event login(issuer_result result, issuer_reason reason, UnixTime at = noon)
{
	issuer_event event = state(ISSUER_STATE_ACTIVE, at, 1h);
	event.kind = ISSUER_EVENT_LOGIN;
	event.result = result;
	event.reason = reason;
	event.attempt = result == ISSUER_RESULT_NONE ? 0 : 1;
	event.next_unix_ms = unixMs(at + 48h);
	return event;
}

const issuer_event loggedIn = login(ISSUER_RESULT_SUCCESS, ISSUER_REASON_LOGGED_IN);
const issuer_event refused = login(ISSUER_RESULT_FAILURE, ISSUER_REASON_LOGIN_REFUSED);
const issuer_event foreseen = login(ISSUER_RESULT_NONE, ISSUER_REASON_LOGIN_ENDS);

/// An issuer "a" whose credential lives for an hour, and that may log in.
class AnIssuerWithLogins : public testing::Test
{
protected:
	AnIssuerWithLogins()
	{
		fleet.admit({"a"});
		fleet.event("a", renewal(ISSUER_RESULT_SUCCESS, noon, 1h));
		host.name = "a";
		host.phase = Phase::running;
		host.health.emplace();
	}

	/// As a plugin tells it whose credential has a known end, and whose next login is planned before.
	void plans(UnixTime nextLogin)
	{
		host.health->capped_at_unix_ms = unixMs(noon + 48h);
		host.health->next_login_unix_ms = unixMs(nextLogin);
		host.health->login_ends_unix_ms = host.health->login_uses_left = -1;
	}

	[[nodiscard]] IssuerView view() const
	{
		return viewAll(fleet, [this] { return std::vector{host}; }).at(0);
	}

	UnixTime now = noon;
	Fleet fleet{[this] { return now; }, [this] { return SteadyTime(now.time_since_epoch()); }};
	IssuerStatus host;
	Metrics metrics{fleet, [this] { return std::vector{host}; }, "1"};
};

TEST_F(AnIssuerWithLogins, IsNotAboutToDieWhileALoginIsPlanned)
{
	host.health->capped_at_unix_ms = unixMs(noon + 48h);
	EXPECT_EQ(view().death(), noon + 48h);
	EXPECT_EQ(severityOf(view()), Severity::ending);
	plans(noon + 40h);
	EXPECT_EQ(view().death(), std::nullopt);
	EXPECT_EQ(severityOf(view()), Severity::well);
}

TEST_F(AnIssuerWithLogins, IsAboutToDieWhereItsNextLoginWillFail)
{
	plans(noon + 40h);
	host.health->login_ends_unix_ms = unixMs(noon + 39h);
	EXPECT_EQ(view().death(), noon + 48h);
	plans(noon + 40h);
	host.health->login_uses_left = 0;
	EXPECT_EQ(view().death(), noon + 48h);
	host.health->login_uses_left = 1;
	EXPECT_EQ(view().death(), std::nullopt);
}

TEST_F(AnIssuerWithLogins, IsInDangerFromAFailedLoginUntilOneSucceeds)
{
	plans(noon + 40h);
	fleet.event("a", login(ISSUER_RESULT_FAILURE, ISSUER_REASON_NETWORK, noon + 1min));
	fleet.event("a", login(ISSUER_RESULT_FAILURE, ISSUER_REASON_LOGIN_REFUSED, noon + 2min));
	EXPECT_EQ(severityOf(view()), Severity::endangered);
	EXPECT_EQ(view().death(), noon + 48h);
	EXPECT_EQ(view().told.logins.failingSince, noon + 1min);
	EXPECT_EQ(view().told.reason, ISSUER_REASON_NONE); // the credential itself is well
	fleet.event("a", loggedIn);
	EXPECT_EQ(severityOf(view()), Severity::well);
	EXPECT_EQ(view().told.reason, ISSUER_REASON_LOGGED_IN);
}

TEST_F(AnIssuerWithLogins, IsNotOverdueWhenTheCredentialWhoseRenewalWasPlannedHasBeenReplaced)
{
	fleet.event("a", loggedIn);
	now = noon + 40min; // the old one was to be renewed at 30
	EXPECT_EQ(view().overdue, 0ms);
	host.health->next_unix_ms = unixMs(noon + 45min);
	EXPECT_EQ(view().next(), noon + 45min);
}

TEST_F(AnIssuerWithLogins, IsOverdueWhenARenewalDoesNotComeAlthoughALoginFailed)
{
	fleet.event("a", refused);
	now = noon + 40min;
	EXPECT_EQ(view().overdue, 10min);
}

TEST_F(AnIssuerWithLogins, CountsLoginsBesideRenewals)
{
	fleet.event("a", refused);
	fleet.event("a", refused);
	fleet.event("a", foreseen);
	fleet.event("a", loggedIn);
	EXPECT_EQ(view().told.failures, 0U);
	EXPECT_EQ(view().told.successes, 1U);
	const std::string text = metrics.text();
	EXPECT_THAT(text, HasSubstr("issuer_logins_total{issuer=\"a\",result=\"failure\",reason=\"login_refused\"} 2\n"));
	EXPECT_THAT(text, HasSubstr("issuer_logins_total{issuer=\"a\",result=\"success\",reason=\"logged_in\"} 1\n"));
	EXPECT_THAT(text, Not(HasSubstr("reason=\"login_ends\"")));
}

TEST_F(AnIssuerWithLogins, ShowsWhatIsForeseenInItsMetrics)
{
	plans(noon + 40h);
	host.health->login_ends_unix_ms = unixMs(noon + 50h);
	host.health->login_uses_left = 2;
	fleet.event("a", refused);
	const std::string text = metrics.text();
	EXPECT_THAT(text, HasSubstr("issuer_next_login_timestamp_seconds{issuer=\"a\"} 1800144000\n"));
	EXPECT_THAT(text, HasSubstr("issuer_login_material_ends_timestamp_seconds{issuer=\"a\"} 1800180000\n"));
	EXPECT_THAT(text, HasSubstr("issuer_login_uses_left{issuer=\"a\"} 2\n"));
	EXPECT_THAT(text, HasSubstr("issuer_login_failing_timestamp_seconds{issuer=\"a\"} 1800000000\n"));
}

TEST_F(AnIssuerWithLogins, CostsNoLineWhereItNeverLogsIn)
{
	const auto noLogins = AllOf(Not(HasSubstr("issuer_login")), Not(HasSubstr("issuer_next_login")));
	EXPECT_THAT(metrics.text(), noLogins);
	host.health->next_login_unix_ms = host.health->login_ends_unix_ms = host.health->login_uses_left = -1;
	EXPECT_THAT(metrics.text(), noLogins);
	host.health.reset();
	EXPECT_THAT(metrics.text(), noLogins);
}

TEST(LinesOfLogins, TellWhatEndedAndWhenTheNextOneIs)
{
	const HumanLines lines{HumanLines::Style{false, 0, false}};
	EXPECT_EQ(lines.event("a", loggedIn), "a  logged in       1 h left, next login in 2 d");
	issuer_event failed = refused;
	failed.detail = {"invalid role or secret ID", 25};
	EXPECT_EQ(lines.event("a", failed), "a  login failed    1 h left, next login in 2 d: invalid role or secret ID");
	EXPECT_EQ(lines.event("a", foreseen), "a  login at risk   1 h left, next login in 2 d");
	failed.state = ISSUER_STATE_EXPIRED;
	EXPECT_THAT(lines.event("a", failed), HasSubstr("the credential is dead, next login in 2 d"));
}

TEST(LinesOfLogins, AreWarningsUnlessTheLoginSucceeded)
{
	EXPECT_EQ(HumanLines::severity(loggedIn), ISSUER_LOG_INFO);
	EXPECT_EQ(HumanLines::severity(refused), ISSUER_LOG_WARN);
	EXPECT_EQ(HumanLines::severity(foreseen), ISSUER_LOG_WARN);
}

TEST(LinesOfLogins, AreNotLeftOutInFavourOfTheStatesOwn)
{
	Facts facts;
	issuer_event failed = refused;
	failed.state = ISSUER_STATE_CAPPED;
	EXPECT_FALSE(facts.isToldByTheNext("a", failed));
	EXPECT_TRUE(facts.isToldByTheNext("a", renewal(ISSUER_RESULT_NOT_RENEWABLE, noon, 1h)));
}

TEST(LinesOfLogins, AreOfAKindOfTheirOwnInTheJournal)
{
	EXPECT_THAT(jsonLine("a", refused),
		HasSubstr(R"("kind":"login","result":"failure","state":"active","reason":"login_refused","attempt":1)"));
}

TEST(TurnsOfLogins, AreEachLoginThatSucceededAndTheFirstThatFailed)
{
	TurningPoints turns;
	EXPECT_THAT(turns.at("a", loggedIn), ElementsAre(Turn::loggedIn));
	EXPECT_THAT(turns.at("a", foreseen), ElementsAre(Turn::loginEnds));
	EXPECT_THAT(turns.at("a", refused), ElementsAre(Turn::loginFailed));
	EXPECT_THAT(turns.at("a", refused), IsEmpty());
	EXPECT_THAT(turns.at("a", renewal(ISSUER_RESULT_SUCCESS, noon, 1h)), IsEmpty()); // that was no renewal that failed
	EXPECT_THAT(turns.at("a", loggedIn), ElementsAre(Turn::loggedIn));
	EXPECT_THAT(turns.at("a", refused), ElementsAre(Turn::loginFailed));
}

} // namespace
} // namespace issuer::observe
