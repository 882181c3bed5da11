#include "registry/calls.h"

#include <future>
#include <gtest/gtest.h>
#include <latch>
#include <thread>
#include <vector>

namespace issuer::registry {
namespace {

using namespace std::chrono_literals;

Calls::Clock::time_point inALongTime()
{
	return Calls::Clock::now() + 60s;
}

TEST(CallsThatMayHang, HoldUpNoOther)
{
	const auto calls = Calls::make();
	std::promise<void> returns;
	const auto hangs = [until = returns.get_future().share()] { until.wait(); };
	std::vector<std::thread> waits;
	std::latch posted(4);
	for (int i = 0; i < 4; ++i) {
		waits.emplace_back([&] {
			posted.count_down();
			EXPECT_TRUE(calls->run(hangs, inALongTime()));
		});
	}
	posted.wait();
	for (int i = 0; i < 100; ++i) {
		bool made = false;
		ASSERT_TRUE(calls->run([&] { made = true; }, inALongTime()));
		EXPECT_TRUE(made);
	}
	returns.set_value();
	for (std::thread& wait : waits) {
		wait.join();
	}
	EXPECT_EQ(calls->leftBehind(), 0U);
}

TEST(CallsThatMayHang, AreLeftBehindAtTheirDeadlineAndCountedUntilTheyReturn)
{
	const auto calls = Calls::make();
	std::promise<void> returns;
	EXPECT_FALSE(calls->run([until = returns.get_future().share()] { until.wait(); }, Calls::Clock::now()));
	EXPECT_EQ(calls->leftBehind(), 1U);
	EXPECT_TRUE(calls->run([] {}, inALongTime()));
	returns.set_value();
	while (calls->leftBehind() > 0) {
		std::this_thread::yield();
	}
}

} // namespace
} // namespace issuer::registry
