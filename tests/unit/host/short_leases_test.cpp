#include "commands/short_leases.h"

#include <gmock/gmock.h>

namespace issuer::commands {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(ShortLeases, AreToldOnceWithWhatToChange)
{
	ShortLeases leases(10s);
	EXPECT_THAT(leases.found({{"a", 60s}, {"b", 30s}, {"c", 45s}}),
		ElementsAre("issuer b has a lease of 30s: a takeover takes up to 15s; set \"takeover\" to \"2s\"",
			"issuer c has a lease of 45s: a takeover takes up to 15s; set \"takeover\" to \"6s\""));
	EXPECT_THAT(leases.found({{"b", 30s}, {"c", 20s}}), IsEmpty());
}

TEST(ShortLeases, WantLongerOnesWhereNoTakeoverIsShortEnough)
{
	EXPECT_THAT(ShortLeases(2s).found({{"a", 20s}, {"b", 28s}}),
		ElementsAre("issuer a has a lease of 20s: a takeover takes up to 7s; have leases of at least 28s and "
					"\"takeover\" of \"2s\""));
}

TEST(ShortLeases, OfManyIssuersFillNoLog)
{
	ShortLeases leases(10s);
	std::size_t lines = 0;
	for (int i = 0; i < 10'000; ++i) { // one after the other, as they start
		lines += leases.found({{"issuer-" + std::to_string(i), 30s}}).size();
	}
	EXPECT_LE(lines, 16U);

	std::vector<ShortLeases::Lease> all; // all at once
	for (int i = 0; i < 10'000; ++i) {
		all.emplace_back("issuer-" + std::to_string(i), 30s);
	}
	const auto atOnce = ShortLeases(10s).found(all);
	ASSERT_EQ(atOnce.size(), 11U);
	EXPECT_EQ(atOnce.back(),
		"10000 issuers have leases that are too short, the shortest of 30s: a takeover takes up to "
		"15s; set \"takeover\" to \"2s\"");
}

} // namespace
} // namespace issuer::commands
