#include "runtime/alarm.h"

#include "jobs.h"
#include "runtime/clock.h"

#include <gtest/gtest.h>
#include <poll.h>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;

bool rings(const Alarm& alarm, std::chrono::milliseconds within)
{
	pollfd fd{alarm.fd(), POLLIN, 0};
	return ::poll(&fd, 1, static_cast<int>(within.count())) == 1;
}

TEST(SystemAlarm, IsSilentUntilSet)
{
	EXPECT_FALSE(rings(SystemAlarm(), 0ms));
}

TEST(SystemAlarm, RingsNotBeforeItsTime)
{
	const SystemClock clock;
	SystemAlarm alarm;
	const Instant at = clock.now().boot + 3ms;
	EXPECT_TRUE(alarm.set(at));
	EXPECT_TRUE(rings(alarm, test::patience));
	EXPECT_GE(clock.now().boot, at);
}

TEST(SystemAlarm, RingsAtOnceForATimeThatHasPassed)
{
	for (const Instant past : {Instant::min(), Instant(), SystemClock().now().boot}) {
		SystemAlarm alarm;
		EXPECT_TRUE(alarm.set(past));
		EXPECT_TRUE(rings(alarm, test::patience));
	}
}

TEST(SystemAlarm, AFarTimeTakesThePlaceOfANearOne)
{
	SystemAlarm alarm;
	EXPECT_TRUE(alarm.set(Instant()));
	EXPECT_TRUE(alarm.set(Instant::max()));
	EXPECT_FALSE(rings(alarm, 0ms));
}

} // namespace
} // namespace issuer::vault::runtime
