#include "observe/fleet/issuer_view.h"

#include <gtest/gtest.h>

namespace issuer::observe {
namespace {

using namespace std::chrono_literals;

constexpr UnixTime noon{1'800'000'000s};

TEST(WhatRemains, OfADeadCredentialIsNothingWhateverItsLastForecastSays)
{
	IssuerView view;
	view.told.state = ISSUER_STATE_EXPIRED;
	EXPECT_EQ(view.remaining(noon), 0ms);
	view.told.expires = noon + 1h; // it was revoked before its time
	EXPECT_EQ(view.remaining(noon), 0ms);
}

TEST(WhatRemains, OfALivingOneIsNeverLessThanNothingAndMayBeUnknown)
{
	IssuerView view;
	view.told.state = ISSUER_STATE_ACTIVE;
	EXPECT_EQ(view.remaining(noon), std::nullopt);
	view.told.expires = noon + 1h;
	EXPECT_EQ(view.remaining(noon), 1h);
	EXPECT_EQ(view.remaining(noon + 2h), 0ms);
}

} // namespace
} // namespace issuer::observe
