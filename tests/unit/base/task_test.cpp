#include "base/task.h"

#include <gmock/gmock.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace issuer::vault {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(Task, DoesNothingUntilItIsResumed)
{
	bool begun = false;
	const auto work = [&]() -> Task<> {
		begun = true;
		co_return;
	};
	auto task = work();
	EXPECT_FALSE(begun);
	EXPECT_FALSE(task.resume(Wake::ready));
	EXPECT_TRUE(begun);
}

TEST(Task, WaitsStepByStepAndLearnsHowEachWaitEnded)
{
	std::vector<Wake> wakes;
	const auto work = [&]() -> Task<> {
		wakes.push_back(co_await Wait{3, 1, 5s});
		wakes.push_back(co_await Wait{4, 2, 6s});
	};
	auto task = work();
	const auto first = task.resume(Wake::ready);
	ASSERT_TRUE(first);
	EXPECT_EQ(first->fd, 3);
	EXPECT_EQ(first->events, 1);
	EXPECT_EQ(first->atMost, 5s);
	const auto second = task.resume(Wake::timedOut);
	ASSERT_TRUE(second);
	EXPECT_EQ(second->fd, 4);
	EXPECT_FALSE(task.resume(Wake::cancelled));
	EXPECT_THAT(wakes, ElementsAre(Wake::timedOut, Wake::cancelled));
}

Task<std::string> number(int depth)
{
	if (depth == 0) {
		co_return (co_await Wait{}) == Wake::ready ? "ready" : "not";
	}
	auto deeper = co_await number(depth - 1);
	co_return std::to_string(depth) + " " + deeper;
}

TEST(Task, AnAwaitedTaskMayWaitForTheWhole)
{
	auto task = number(3);
	ASSERT_TRUE(task.resume(Wake::ready));
	EXPECT_FALSE(task.resume(Wake::ready));
	EXPECT_EQ(task.take(), "3 2 1 ready");
}

Task<int> fails(bool late)
{
	if (late) {
		static_cast<void>(co_await Wait{});
	}
	throw std::runtime_error("out of luck");
}

Task<std::string> survives(bool late)
{
	try {
		co_return std::to_string(co_await fails(late));
	}
	catch (const std::runtime_error& error) {
		co_return error.what();
	}
}

TEST(Task, AnExceptionComesToTheAwaitingTask)
{
	auto early = survives(false);
	EXPECT_FALSE(early.resume(Wake::ready));
	EXPECT_EQ(early.take(), "out of luck");
	auto late = survives(true);
	ASSERT_TRUE(late.resume(Wake::ready));
	EXPECT_FALSE(late.resume(Wake::ready));
	EXPECT_EQ(late.take(), "out of luck");
}

TEST(Task, AnUncaughtExceptionIsTheResult)
{
	auto task = fails(false);
	EXPECT_FALSE(task.resume(Wake::ready));
	EXPECT_THROW(task.take(), std::runtime_error);
}

TEST(Task, DestroyedWhileItWaitsItsLocalsAndThoseOfWhatItAwaitsAreGone)
{
	const auto witness = std::make_shared<int>();
	const auto inner = [](std::shared_ptr<int>) -> Task<> { static_cast<void>(co_await Wait{}); };
	const auto outer = [&](std::shared_ptr<int> held) -> Task<> { co_await inner(held); };
	{
		auto task = outer(witness);
		ASSERT_TRUE(task.resume(Wake::ready));
		EXPECT_EQ(witness.use_count(), 3);
	}
	EXPECT_EQ(witness.use_count(), 1);
}

TEST(Task, ResultsNeedNotBeCopied)
{
	const auto work = []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
	const auto outer = [&]() -> Task<std::unique_ptr<int>> { co_return co_await work(); };
	auto task = outer();
	EXPECT_FALSE(task.resume(Wake::ready));
	EXPECT_EQ(*task.take(), 7);
}

} // namespace
} // namespace issuer::vault
