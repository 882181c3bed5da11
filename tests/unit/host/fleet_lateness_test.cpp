#include "fleet/lateness.h"

#include <gtest/gtest.h>

namespace issuer::fleet {

namespace {

using namespace std::chrono_literals;

constexpr WallTime due{std::chrono::hours(500'000)};

/// R is 60 s.
State stateOf(issuer_state state)
{
	return {.name = {"web", "host-a"}, .end = due + 60s, .next = due, .state = state};
}

} // namespace

TEST(Lateness, BeginsWhenAQuarterOfTheReserveIsGoneAndIsGreatAtHalf)
{
	const auto active = stateOf(ISSUER_STATE_ACTIVE);
	EXPECT_EQ(latenessOf(active, due + 14'999ms), Lateness::none);
	EXPECT_EQ(latenessOf(active, due + 15s), Lateness::late);
	EXPECT_EQ(latenessOf(active, due + 29'999ms), Lateness::late);
	EXPECT_EQ(latenessOf(active, due + 30s), Lateness::veryLate);
	EXPECT_EQ(latenessOf(stateOf(ISSUER_STATE_RETRYING), due + 30s), Lateness::veryLate);
}

TEST(Lateness, IsNotThatOfATokenWhichRenewalsDoNotHelp)
{
	for (const auto state : {ISSUER_STATE_CAPPED, ISSUER_STATE_NOT_RENEWABLE, ISSUER_STATE_NO_EXPIRY,
			 ISSUER_STATE_DENIED, ISSUER_STATE_EXPIRED, ISSUER_STATE_STARTING}) {
		EXPECT_EQ(latenessOf(stateOf(state), due + 1h), Lateness::none) << state;
	}
}

TEST(State, ThatIsStartingOrKnowsNoEndTellsNothing)
{
	EXPECT_FALSE(tells(stateOf(ISSUER_STATE_STARTING)));
	auto active = stateOf(ISSUER_STATE_ACTIVE);
	EXPECT_TRUE(tells(active));
	active.end = {};
	EXPECT_FALSE(tells(active));
	EXPECT_TRUE(tells(stateOf(ISSUER_STATE_EXPIRED)));
}

TEST(State, IsWellWhileNothingIsOverdueAndTheTokenLives)
{
	EXPECT_TRUE(isWell(stateOf(ISSUER_STATE_ACTIVE), due));
	EXPECT_FALSE(isWell(stateOf(ISSUER_STATE_ACTIVE), due + 20s));
	EXPECT_TRUE(isWell(stateOf(ISSUER_STATE_CAPPED), due + 59s));
	EXPECT_FALSE(isWell(stateOf(ISSUER_STATE_CAPPED), due + 60s));
	EXPECT_FALSE(isWell(stateOf(ISSUER_STATE_STARTING), due));
}

TEST(State, WithTheLaterEndIsTheNewer)
{
	const auto older = stateOf(ISSUER_STATE_EXPIRED);
	auto newer = stateOf(ISSUER_STATE_ACTIVE);
	newer.end += 3s;
	EXPECT_TRUE(isNewer(newer, older));
	EXPECT_FALSE(isNewer(older, newer));
	EXPECT_TRUE(isNewer(older, stateOf(ISSUER_STATE_STARTING)));
}

TEST(State, OfOneLeaseIsTheNewerWhichKnowsThatItIsTheLast)
{
	auto capped = stateOf(ISSUER_STATE_CAPPED);
	capped.end -= 5ms; // clocks are compared no better than that
	EXPECT_TRUE(isNewer(capped, stateOf(ISSUER_STATE_ACTIVE)));
	EXPECT_FALSE(isNewer(stateOf(ISSUER_STATE_ACTIVE), capped));
	EXPECT_TRUE(isNewer(stateOf(ISSUER_STATE_NO_EXPIRY), capped));
}

} // namespace issuer::fleet
