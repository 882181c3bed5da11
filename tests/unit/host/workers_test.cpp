#include "registry/workers.h"

#include "no_threads.h"

#include <atomic>
#include <gtest/gtest.h>
#include <latch>

namespace issuer::registry {
namespace {

using namespace std::chrono_literals;

TEST(Workers, TasksThatWaitForEachOtherRunSideBySide)
{
	constexpr int count = 8;
	std::latch together(count);
	Workers workers(count);
	for (int i = 0; i < count; ++i) {
		workers.post([&] { together.arrive_and_wait(); });
	}
	together.wait();
}

TEST(Workers, WithOneThreadTasksRunInTheirOrder)
{
	std::vector<int> order;
	{
		Workers workers(1);
		for (int i = 0; i < 5; ++i) {
			workers.post([&order, i] { order.push_back(i); });
		}
	}
	EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Workers, DelayedTasksDueTogetherDoNotWaitForEachOther)
{
	std::latch together(3);
	Workers workers;
	for (int i = 0; i < 3; ++i) {
		workers.postAfter(5ms, [&] { together.arrive_and_wait(); });
	}
	together.wait();
}

TEST(Workers, AnEarlierTaskIsNotHeldUpByALaterOneThatWasPostedBefore)
{
	std::latch done(1);
	Workers workers;
	workers.postAfter(1h, [] {});
	workers.postAfter(1ms, [&] { done.count_down(); });
	done.wait();
}

TEST(Workers, AtTheEndDelayedTasksAreDroppedAndOthersRun)
{
	std::atomic<int> ran = 0;
	std::atomic<int> delayed = 0;
	{
		Workers workers(2);
		workers.postAfter(1h, [&] { ++delayed; });
		for (int i = 0; i < 100; ++i) {
			workers.post([&] { ++ran; });
		}
	}
	EXPECT_EQ(ran, 100);
	EXPECT_EQ(delayed, 0);
}

TEST(Workers, ATaskMayPostTheNext)
{
	std::latch done(1);
	Workers workers(1);
	workers.post([&] { workers.postAfter(1ms, [&] { workers.post([&] { done.count_down(); }); }); });
	done.wait();
}

TEST(Workers, ThatNeverHadAThreadAreDoneByTheThreadThatEndsThem)
{
	std::vector<int> order;
	std::vector<std::string> complaints;
	{
		const test::NoThreads none;
		Workers workers(64, [&](const std::string& text) { complaints.push_back(text); });
		for (int i = 0; i < 3; ++i) {
			workers.post([&order, i] { order.push_back(i); });
		}
	}
	EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
	EXPECT_EQ(complaints, (std::vector<std::string>{"cannot create another thread (Resource temporarily "
													"unavailable); work is queued for the existing threads"}));
}

TEST(Workers, ComplainOnceThatThereIsNoFurtherThreadAndOnceThatThereIs)
{
	std::vector<std::string> complaints;
	std::latch busy(1), release(1), done(2);
	Workers workers(64, [&](const std::string& text) { complaints.push_back(text); });
	workers.post([&] {
		busy.count_down();
		release.wait();
	});
	busy.wait();
	{
		const test::NoThreads none;
		workers.post([&] { done.count_down(); });
		workers.post([&] { done.count_down(); });
	}
	EXPECT_EQ(complaints.size(), 1U);
	workers.post([] {}); // gets the thread, which does the others too
	done.wait();
	EXPECT_EQ(complaints.size(), 2U);
	EXPECT_EQ(complaints.back(), "the system gives threads again");
	release.count_down();
}

TEST(Workers, WithoutAFurtherThreadTasksWaitForTheOneThatIsThere)
{
	std::latch done(3);
	Workers workers;
	const test::NoThreads none;
	for (int i = 0; i < 3; ++i) {
		workers.post([&] { done.count_down(); });
	}
	done.wait();
	std::latch later(1);
	workers.postAfter(1ms, [&] { later.count_down(); });
	later.wait();
}

} // namespace
} // namespace issuer::registry
