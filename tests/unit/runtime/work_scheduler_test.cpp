#include "scheduler_fixture.h"

#include "eventually.h"
#include "runtime/system_call.h"

#include <array>
#include <atomic>
#include <deque>
#include <latch>
#include <poll.h>
#include <thread>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;
using test::anyUrgency;
using test::Chore;
using test::Counter;
using test::eventually;
using test::Hanging;
using test::patience;
using test::Steps;

/// Which job runs when, and how its runs are halted.
class WorkSchedulerTest : public test::SchedulerTest
{
};

TEST_F(WorkSchedulerTest, RunsAJobThatIsDueAtOnce)
{
	Counter runs;
	Chore job(runs);
	runNow(job);
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_TRUE(scheduler.halt(job, patience));
}

TEST_F(WorkSchedulerTest, RunsAJobWhenItsTimeHasComeAndNotBefore)
{
	Counter runs;
	Counter earlier;
	Chore job(runs);
	Chore probe(earlier);
	scheduler.arm(job, time.in(10s), anyUrgency);
	scheduler.arm(probe, time.in(9s), anyUrgency);
	time.advance(9s);
	EXPECT_TRUE(earlier.reaches(1));
	EXPECT_EQ(runs.value(), 0);
	time.advance(1s);
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_TRUE(scheduler.halt(job, patience));
	EXPECT_TRUE(scheduler.halt(probe, patience));
}

TEST_F(WorkSchedulerTest, AnEarlierTimeMovesTheAlarm)
{
	Counter runs;
	Chore job(runs);
	scheduler.arm(job, time.in(1h), anyUrgency);
	scheduler.arm(job, time.in(1s), anyUrgency);
	time.advance(1s);
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_TRUE(scheduler.halt(job, patience));
}

TEST_F(WorkSchedulerTest, NeverRunsTooEarlyThoughTheAlarmRingsForWhatWasPutOff)
{
	Counter runs;
	Counter others;
	Chore job(runs);
	Chore other(others);
	scheduler.arm(job, time.in(1s), anyUrgency);
	scheduler.arm(job, time.in(3s), anyUrgency);
	scheduler.arm(other, time.in(2s), anyUrgency);
	time.advance(1s);
	time.advance(1s);
	EXPECT_TRUE(others.reaches(1));
	EXPECT_EQ(runs.value(), 0);
	time.advance(1s);
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_TRUE(scheduler.halt(job, patience));
	EXPECT_TRUE(scheduler.halt(other, patience));
}

TEST_F(WorkSchedulerTest, AJobMayArmItself)
{
	Counter runs;
	Chore* self = nullptr;
	Chore job([&] {
		runs.raise();
		if (runs.value() < 5) {
			runNow(*self);
		}
	});
	self = &job;
	runNow(job);
	EXPECT_TRUE(runs.reaches(5));
	EXPECT_TRUE(scheduler.halt(job, patience));
	EXPECT_EQ(runs.value(), 5);
}

TEST_F(WorkSchedulerTest, ArmedByOthersWhileItRunsAJobRunsAgainAfter)
{
	std::latch running(1);
	std::latch goOn(1);
	std::atomic<int> atOnce = 0;
	Counter runs;
	Chore job([&] {
		EXPECT_EQ(++atOnce, 1);
		if (runs.value() == 0) {
			running.count_down();
			goOn.wait();
		}
		--atOnce;
		runs.raise();
	});
	runNow(job);
	running.wait();
	runNow(job);
	goOn.count_down();
	EXPECT_TRUE(runs.reaches(2));
	EXPECT_TRUE(scheduler.halt(job, patience));
}

TEST_F(WorkSchedulerTest, HaltOfAJobThatWasNeverArmedIsDoneAtOnce)
{
	Chore job([] {});
	EXPECT_TRUE(scheduler.halt(job, 0s));
}

TEST_F(WorkSchedulerTest, AHaltedJobDoesNotRunUntilItIsArmedAgain)
{
	Counter runs;
	Counter others;
	Chore job(runs);
	Chore other(others);
	scheduler.arm(job, time.in(1s), anyUrgency);
	EXPECT_TRUE(scheduler.halt(job, 0s));
	scheduler.arm(other, time.in(1s), anyUrgency);
	time.advance(1s);
	EXPECT_TRUE(others.reaches(1));
	EXPECT_EQ(runs.value(), 0);
	runNow(job);
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_TRUE(scheduler.halt(job, patience));
	EXPECT_TRUE(scheduler.halt(other, patience));
}

TEST_F(WorkSchedulerTest, HaltCancelsARunThatHangs)
{
	std::latch running(1);
	Hanging job([&] { running.count_down(); });
	runNow(job);
	running.wait();
	EXPECT_TRUE(scheduler.halt(job, patience));
}

TEST_F(WorkSchedulerTest, HaltOfARunThatDoesNotEndRunsOutOfTimeAndCanBeRepeated)
{
	std::latch running(1);
	std::latch goOn(1);
	Chore job([&] {
		running.count_down();
		goOn.wait(); // ignores cancellation
	});
	runNow(job);
	running.wait();
	EXPECT_FALSE(scheduler.halt(job, 0s));
	EXPECT_FALSE(scheduler.halt(job, 1ms));
	goOn.count_down();
	EXPECT_TRUE(scheduler.halt(job, patience));
}

TEST_F(WorkSchedulerTest, HaltCanBeBegunAndPolled)
{
	std::latch running(1);
	Hanging job([&] { running.count_down(); });
	runNow(job);
	running.wait();
	EXPECT_TRUE(eventually([&] { return scheduler.halt(job, 0s); }));
}

TEST_F(WorkSchedulerTest, ACancelledRunCannotBringItsJobBack)
{
	Counter runs;
	std::latch running(1);
	Hanging* self = nullptr;
	Hanging job(
		[&] {
			runs.raise();
			running.count_down();
		},
		nullptr, [&] { runNow(*self); });
	self = &job;
	runNow(job);
	running.wait();
	EXPECT_TRUE(scheduler.halt(job, patience));
	Counter others;
	Chore other(others);
	runNow(other);
	EXPECT_TRUE(others.reaches(1));
	EXPECT_EQ(runs.value(), 1);
	EXPECT_TRUE(scheduler.halt(other, patience));
}

/// One flight at a time, so that the second run takes the place of the first.
TEST_F(WorkSchedulerTest, ACancelledRunIsNoOmenForTheNextInItsPlace)
{
	WorkScheduler::Options one = options();
	one.limits = {1, 16, 0};
	WorkScheduler narrow(time, time, one);
	std::latch running(1);
	Hanging hanging([&] { running.count_down(); });
	narrow.arm(hanging, time.in(0s), anyUrgency);
	running.wait();
	EXPECT_TRUE(narrow.halt(hanging, patience));
	std::vector<Wake> wakes;
	Counter ends;
	Steps next([&](Wake wake) -> std::optional<Wait> {
		wakes.push_back(wake);
		if (wakes.size() == 1) {
			return Wait{-1, 0, 0s};
		}
		ends.raise();
		return std::nullopt;
	});
	narrow.arm(next, time.in(0s), anyUrgency);
	EXPECT_TRUE(ends.reaches(1));
	EXPECT_TRUE(narrow.halt(next, patience));
	EXPECT_EQ(wakes, (std::vector{Wake::ready, Wake::timedOut}));
}

TEST_F(WorkSchedulerTest, ManyThreadsMayHaltTheSameRun)
{
	std::latch running(1);
	Hanging job([&] { running.count_down(); });
	runNow(job);
	running.wait();
	std::vector<std::jthread> halters;
	for (int i = 0; i < 16; ++i) {
		halters.emplace_back([&] { EXPECT_TRUE(scheduler.halt(job, patience)); });
	}
}

TEST_F(WorkSchedulerTest, ManyThreadsMayHaltManyRuns)
{
	constexpr std::size_t count = 48;
	std::array<char, count> places{};
	std::latch running(count);
	std::deque<Hanging> jobs;
	for (std::size_t i = 0; i < count; ++i) {
		runNow(jobs.emplace_back([&] { running.count_down(); }, &places.at(i)));
	}
	running.wait();
	std::vector<std::jthread> halters;
	for (std::size_t first = 0; first < 8; ++first) {
		halters.emplace_back([&, first] {
			for (std::size_t i = first; i < count; i += 8) {
				EXPECT_TRUE(scheduler.halt(jobs[i], patience));
			}
		});
	}
}

TEST_F(WorkSchedulerTest, WithEverySlotTakenTheMostUrgentIsNext)
{
	WorkScheduler::Options one = options();
	one.limits = {1, 16, 0};
	WorkScheduler narrow(time, time, one);
	std::latch running(1);
	std::latch goOn(1);
	Chore first([&] {
		running.count_down();
		goOn.wait();
	});
	narrow.arm(first, time.in(0s), anyUrgency);
	running.wait();

	std::mutex mutex;
	std::vector<int> order;
	Counter runs;
	std::deque<Chore> jobs;
	for (const int urgency : {3, 1, 4, 2, 5}) {
		Chore& job = jobs.emplace_back([&, urgency] {
			const std::lock_guard lock(mutex);
			order.push_back(urgency);
			runs.raise();
		});
		narrow.arm(job, time.in(0s), Instant(std::chrono::minutes(urgency)));
	}
	goOn.count_down();
	ASSERT_TRUE(runs.reaches(5));
	narrow.close();
	EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4, 5}));
}

TEST_F(WorkSchedulerTest, ADeadServerDoesNotKeepOthersFromRunning)
{
	const char dead{};
	const char alive{};
	std::latch hanging(16);
	std::deque<Hanging> stuck;
	for (int i = 0; i < 200; ++i) {
		scheduler.arm(stuck.emplace_back([&] { hanging.count_down(); }, &dead), time.in(0s), Instant::min());
	}
	hanging.wait();
	Counter runs;
	std::deque<Chore> others;
	for (int i = 0; i < 100; ++i) {
		scheduler.arm(others.emplace_back(runs, &alive), time.in(0s), Instant::max());
	}
	EXPECT_TRUE(runs.reaches(100));
	scheduler.close();
}

TEST_F(WorkSchedulerTest, BehindHangingRunsOfItsPlaceAShortLifeWaitsForAnEighthOfIt)
{
	const char place{};
	std::latch hanging(16);
	std::deque<Hanging> stuck;
	for (int i = 0; i < 16; ++i) {
		scheduler.arm(stuck.emplace_back([&] { hanging.count_down(); }, &place), time.in(0s), Instant::max());
	}
	hanging.wait();
	Counter runs;
	Chore job(runs, &place);
	scheduler.arm(job, time.in(0s), time.in(4s));
	time.advance(499ms);
	EXPECT_EQ(runs.value(), 0);
	time.advance(1ms);
	EXPECT_TRUE(runs.reaches(1));
	scheduler.close();
}

TEST_F(WorkSchedulerTest, BeyondAllSlotsThereAreFlightsForLivesThatHaveEnded)
{
	WorkScheduler::Options few = options();
	few.limits = {2, 16, 1};
	WorkScheduler narrow(time, time, few);
	const char place{};
	Counter begun;
	std::deque<Hanging> stuck;
	for (int i = 0; i < 4; ++i) {
		narrow.arm(stuck.emplace_back([&] { begun.raise(); }), time.in(0s), Instant::max());
	}
	narrow.arm(stuck.emplace_back([&] { begun.raise(); }, &place), time.in(0s), Instant::max());
	ASSERT_TRUE(begun.reaches(2));
	Counter runs;
	Chore job(runs);
	narrow.arm(job, time.in(0s), time.in(1s));
	time.advance(999ms);
	EXPECT_EQ(runs.value(), 0);
	time.advance(1ms);
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_EQ(begun.value(), 2);
	narrow.close();
}

TEST_F(WorkSchedulerTest, TenThousandJobsRunOnceEach)
{
	constexpr int count = 10000;
	Counter runs;
	std::deque<Chore> jobs;
	for (int i = 0; i < count; ++i) {
		scheduler.arm(jobs.emplace_back(runs), time.in(std::chrono::milliseconds(i % 100)), anyUrgency);
	}
	time.advance(100ms);
	EXPECT_TRUE(runs.reaches(count));
	for (Chore& job : jobs) {
		EXPECT_TRUE(scheduler.halt(job, patience));
	}
	EXPECT_EQ(runs.value(), count);
}

TEST_F(WorkSchedulerTest, UnderLoadAlarmsKeepADistance)
{
	WorkScheduler::Options coarse = options();
	coarse.alarmPause = 2ms;
	test::VirtualTime slow;
	WorkScheduler other(slow, slow, coarse);
	Counter runs;
	Chore first(runs);
	Chore second(runs);
	other.arm(first, slow.in(1s), anyUrgency);
	slow.advance(1s);
	ASSERT_TRUE(runs.reaches(1));
	other.arm(second, slow.in(1ms), anyUrgency);
	EXPECT_TRUE(eventually([&] { return slow.alarm() == slow.in(2ms); }));
	slow.advance(1ms);
	EXPECT_EQ(runs.value(), 1);
	slow.advance(1ms);
	EXPECT_TRUE(runs.reaches(2));
	other.close();
}

TEST_F(WorkSchedulerTest, AfterACancelledRunNoOtherBeginsForAWhile)
{
	WorkScheduler::Options quiet = options();
	quiet.cancelPause = 10ms;
	test::VirtualTime slow;
	WorkScheduler other(slow, slow, quiet);
	std::latch running(1);
	Hanging hanging([&] { running.count_down(); });
	other.arm(hanging, slow.in(0s), anyUrgency);
	running.wait();
	EXPECT_TRUE(other.halt(hanging, patience));

	Counter runs;
	Chore next(runs);
	other.arm(next, slow.in(0s), anyUrgency);
	EXPECT_TRUE(eventually([&] { return slow.alarm() == slow.in(10ms); }));
	slow.advance(9ms);
	EXPECT_EQ(runs.value(), 0);
	slow.advance(1ms);
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_TRUE(other.halt(next, patience));
	other.close();
}

TEST_F(WorkSchedulerTest, ClosingCancelsWhatRunsAndNothingRunsAfter)
{
	std::latch running(1);
	Hanging hanging([&] { running.count_down(); });
	Counter runs;
	Chore job(runs);
	runNow(hanging);
	running.wait();
	scheduler.arm(job, time.in(1s), anyUrgency);
	scheduler.close();
	runNow(job);
	time.advance(1s);
	EXPECT_EQ(runs.value(), 0);
	EXPECT_TRUE(scheduler.halt(hanging, 0s));
	EXPECT_TRUE(scheduler.halt(job, 0s));
}

/// Everything at once, from everywhere: only the sanitizers and the end of the test have an opinion.
TEST_F(WorkSchedulerTest, SurvivesArmsAndHaltsFromAllSides)
{
	std::array<char, 3> places{};
	const Descriptor readable = makeEvent();
	raise(readable);
	// Some hang, some wait for a moment, some for a descriptor that is ready: two steps each.
	std::deque<std::pair<std::atomic<int>, Descriptor>> steps;
	std::deque<Steps> jobs;
	for (std::size_t i = 0; i < 60; ++i) {
		auto& [step, own] = steps.emplace_back(0, Descriptor(::dup(readable.get())));
		jobs.emplace_back(
			[i, &step = step, fd = own.get()](Wake wake) -> std::optional<Wait> {
				if (wake == Wake::cancelled || step++ % 3 == 2) {
					return std::nullopt;
				}
				if (i % 10 == 0) {
					return Wait{};
				}
				return i % 2 == 0 ? Wait{fd, POLLIN} : Wait{-1, 0, 1us};
			},
			&places.at(i % 3));
	}
	{
		std::vector<std::jthread> threads;
		for (std::size_t thread = 0; thread < 4; ++thread) {
			threads.emplace_back([&, thread] {
				for (std::size_t step = 0; step < 3000; ++step) {
					Steps& job = jobs[(step * 7 + thread * 15) % jobs.size()];
					if (step % 5 == thread) {
						EXPECT_TRUE(scheduler.halt(job, patience));
					}
					else {
						scheduler.arm(job, time.in(std::chrono::microseconds(step % 50)), Instant(step * 1us));
					}
					time.advance(1us);
				}
			});
		}
	}
	for (Steps& job : jobs) {
		EXPECT_TRUE(scheduler.halt(job, patience));
	}
}

} // namespace
} // namespace issuer::vault::runtime
