#include "registry/backoff.h"

#include <gtest/gtest.h>

namespace issuer::registry {
namespace {

using namespace std::chrono_literals;

TEST(StartBackoff, DoublesFromOneSecondToFifteen)
{
	constexpr double middle = 0.5;
	EXPECT_EQ(startBackoff(1, middle), 1s);
	EXPECT_EQ(startBackoff(2, middle), 2s);
	EXPECT_EQ(startBackoff(4, middle), 8s);
	EXPECT_EQ(startBackoff(5, middle), 15s);
	EXPECT_EQ(startBackoff(4'000'000'000, middle), 15s);
}

TEST(StartBackoff, OfADeadCredentialDoublesFromAMinuteToAnHour)
{
	constexpr double middle = 0.5;
	EXPECT_EQ(deadCredentialBackoff(1, middle), 1min);
	EXPECT_EQ(deadCredentialBackoff(2, middle), 2min);
	EXPECT_EQ(deadCredentialBackoff(9, middle), 1h);
}

TEST(StartBackoff, IsSpreadByAFifthToEitherSide)
{
	EXPECT_EQ(startBackoff(1, 0), 800ms);
	EXPECT_EQ(startBackoff(5, 0.999999), 18s);
}

} // namespace
} // namespace issuer::registry
