#include "observe/fleet/issuer_view.h"

#include "told_events.h"

#include <gmock/gmock.h>

namespace issuer::observe {
namespace {

using namespace std::chrono_literals;
using test::state;
using testing::SizeIs;

constexpr UnixTime noon{1'800'000'000s};

IssuerStatus standing(std::string name, Phase phase)
{
	IssuerStatus status;
	status.name = std::move(name);
	status.phase = phase;
	return status;
}

class AView : public testing::Test
{
protected:
	void SetUp() override { fleet.admit({"a"}); }

	[[nodiscard]] IssuerView view() const
	{
		const auto all = viewAll(fleet, [this] { return std::vector{host}; });
		return all.at(0);
	}

	UnixTime now = noon;
	Fleet fleet{[this] { return now; }, [this] { return SteadyTime(now.time_since_epoch()); }};
	IssuerStatus host = standing("a", Phase::running);
};

TEST_F(AView, IsOfEachIssuerThatTheHostHasAndOfNoOther)
{
	for (const char* name : {"aa", "b", "d"}) {
		fleet.admit({name});
		fleet.event(name, state(ISSUER_STATE_ACTIVE, noon, 1h));
	}
	const auto all = viewAll(fleet, [] {
		return std::vector{standing("a", Phase::starting), standing("b", Phase::running)};
	});
	ASSERT_THAT(all, SizeIs(2));
	EXPECT_EQ(all[0].told.name, "a");
	EXPECT_FALSE(all[0].told.told);
	EXPECT_EQ(severityOf(all[0]), Severity::starting);
	EXPECT_EQ(all[1].told.name, "b");
	EXPECT_EQ(severityOf(all[1]), Severity::well);
}

TEST_F(AView, ForeseesADeathOnlyWhereNoRenewalCanMoveIt)
{
	fleet.event("a", state(ISSUER_STATE_ACTIVE, noon, 1h));
	EXPECT_EQ(view().death(), std::nullopt);
	EXPECT_EQ(view().remaining(noon + 20min), 40min);
	fleet.event("a", state(ISSUER_STATE_CAPPED, noon, 1h));
	EXPECT_EQ(view().death(), noon + 1h);
	EXPECT_EQ(view().remaining(noon + 2h), 0ms);
}

TEST_F(AView, KnowsThePluginsForecastBeforeTheCredentialIsCapped)
{
	fleet.event("a", state(ISSUER_STATE_ACTIVE, noon, 1h));
	host.health = issuer_health{};
	host.health->lease_ms = 7'200'000;
	host.health->capped_at_unix_ms = (noon + 30h).time_since_epoch().count();
	EXPECT_EQ(view().death(), noon + 30h);
	EXPECT_EQ(view().lease(), 2h);
	host.health->capped_at_unix_ms = host.health->lease_ms = -1;
	EXPECT_EQ(view().death(), std::nullopt);
	EXPECT_EQ(view().lease(), 1h);
}

TEST_F(AView, NamesTheNextStartWhileOneIsPlanned)
{
	fleet.event("a", state(ISSUER_STATE_STOPPED, noon, 1h));
	host = standing("a", Phase::waiting);
	host.nextStartUnixMs = (noon + 5s).time_since_epoch().count();
	EXPECT_EQ(view().next(), noon + 5s);
	EXPECT_EQ(severityOf(view()), Severity::starting);
}

TEST_F(AView, IsDeadWhenItsStartFailedForGoodOrItHasStoppedByItself)
{
	host = standing("a", Phase::failed);
	EXPECT_EQ(severityOf(view()), Severity::dead);
	host = standing("a", Phase::running);
	fleet.event("a", state(ISSUER_STATE_STOPPED, noon, 1h));
	EXPECT_EQ(severityOf(view()), Severity::dead);
}

TEST_F(AView, IsOverdueWhenItSaidNothingAfterItsNextStepByMoreThanItMay)
{
	issuer_event event = state(ISSUER_STATE_ACTIVE, noon, 1h);
	event.next_unix_ms = (noon + 30min).time_since_epoch().count();
	fleet.event("a", event);
	now = noon + 30min + patience;
	EXPECT_EQ(severityOf(view()), Severity::well);
	now += 1s;
	EXPECT_EQ(severityOf(view()), Severity::overdue);
	EXPECT_EQ(view().overdue, patience + 1s);
	host = standing("a", Phase::waiting); // as reported, and tried again
	EXPECT_EQ(view().overdue, 0s);
}

TEST_F(AView, IsOverdueWhenItSaidNothingOfTheEndOfItsCredential)
{
	fleet.event("a", state(ISSUER_STATE_ACTIVE, noon, 1min));
	now = noon + 1min + patienceAtTheEnd + 1s;
	EXPECT_EQ(severityOf(view()), Severity::overdue);
	fleet.event("a", state(ISSUER_STATE_EXPIRED, now, 0min));
	EXPECT_EQ(severityOf(view()), Severity::dead);
}

TEST_F(AView, IsOverdueWhenItsPluginDoesNotReturnFromACall)
{
	for (const Phase phase : {Phase::starting, Phase::running, Phase::swapping, Phase::stopping}) {
		host = standing("a", phase);
		host.sinceUnixMs = noon.time_since_epoch().count();
		now = noon + patience;
		EXPECT_NE(severityOf(view()), Severity::overdue);
		now += 1s;
		EXPECT_EQ(severityOf(view()), Severity::overdue);
	}
}

TEST_F(AView, IsEndingWhenItsEndIsKnownAndNear)
{
	fleet.event("a", state(ISSUER_STATE_ACTIVE, noon, 30 * 24h));
	host.health = issuer_health{};
	host.health->lease_ms = 3'600'000;
	host.health->capped_at_unix_ms = (noon + soonEnding).time_since_epoch().count();
	EXPECT_EQ(severityOf(view()), Severity::well);
	now = noon + 1s;
	EXPECT_EQ(severityOf(view()), Severity::ending);
}

} // namespace
} // namespace issuer::observe
