#include "fake_vault/lockout.h"
#include "fake_vault/secret_ids.h"

#include <gtest/gtest.h>

/// The effects of time on logins of the fake Vault, as it was seen at OpenBao 2.6.2 with a clock in the hand.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;

constexpr ServerTime start(1'800'000'000s); ///< a whole minute

TEST(FakeLockout, EndsFifteenMinutesAfterTheWrongLoginThatLockedWhateverIsTriedMeanwhile)
{
	Lockout lockout;
	for (int i = 0; i < 5; ++i) {
		EXPECT_FALSE(lockout.isLocked("a", start));
		lockout.failed("a", start);
	}
	EXPECT_TRUE(lockout.isLocked("a", start + 10min));
	EXPECT_TRUE(lockout.isLocked("a", start + 15min - 1s));
	EXPECT_FALSE(lockout.isLocked("a", start + 15min));
	EXPECT_FALSE(lockout.isLocked("b", start)) << "another identity";
}

TEST(FakeLockout, IsNotReachedByWrongLoginsThatAreFarApart)
{
	Lockout lockout;
	auto now = start;
	for (int i = 0; i < 20; ++i) {
		lockout.failed("a", now);
		EXPECT_FALSE(lockout.isLocked("a", now));
		now += 15min;
	}
}

TEST(FakeLockout, BeginsAnewAfterTheCounterWasReset)
{
	Lockout lockout;
	for (int i = 0; i < 4; ++i) {
		lockout.failed("a", start);
	}
	lockout.failed("a", start + 15min + 30s);
	EXPECT_FALSE(lockout.isLocked("a", start + 15min + 30s));
}

TEST(FakeSecretIds, WorkUntilTheTidyAfterTheirEnd)
{
	SecretIds secretIds;
	secretIds.add("s", {.ttl = 2s, .created = start + 1s});
	EXPECT_NE(secretIds.find("s", start + 59s), nullptr) << "its end was at 3 s";
	EXPECT_EQ(secretIds.find("s", start + 60s), nullptr);
}

TEST(FakeSecretIds, AreUsedUp)
{
	SecretIds secretIds;
	secretIds.add("counted", {.usesLeft = 2});
	secretIds.add("unlimited", {});
	secretIds.use("counted");
	ASSERT_NE(secretIds.find("counted", start), nullptr);
	EXPECT_EQ(secretIds.find("counted", start)->usesLeft, 1);
	secretIds.use("counted");
	EXPECT_EQ(secretIds.find("counted", start), nullptr);
	secretIds.use("unlimited");
	EXPECT_NE(secretIds.find("unlimited", start), nullptr);
}

} // namespace
} // namespace issuer::test
