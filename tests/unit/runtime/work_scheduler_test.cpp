#include "runtime/work_scheduler.h"

#include "eventually.h"
#include "jobs.h"
#include "threads.h"
#include "virtual_time.h"

#include <array>
#include <atomic>
#include <csignal>
#include <deque>
#include <gtest/gtest.h>
#include <latch>
#include <set>
#include <thread>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;
using test::Counter;
using test::eventually;
using test::hang;
using test::patience;
using test::Task;

constexpr Instant anyUrgency{};

class WorkSchedulerTest : public testing::Test
{
protected:
	WorkSchedulerTest() { loop.watch(time.fd(), scheduler); }
	~WorkSchedulerTest() override
	{
		loop.close();
		scheduler.close();
	}

	void runNow(Job& job) { scheduler.arm(job, time.in(0s), anyUrgency); }

	static WorkScheduler::Options options()
	{
		WorkScheduler::Options options;
		options.idle = 1h;
		options.coalesce = 0s;
		options.lull = 0s;
		return options;
	}

	test::VirtualTime time;
	WorkScheduler scheduler{time, time, options()};
	EventLoop loop{"issuer-timer"};
};

TEST_F(WorkSchedulerTest, RunsAJobThatIsDueAtOnce)
{
	Counter runs;
	Task job(runs);
	runNow(job);
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_TRUE(scheduler.halt(job, patience));
}

TEST_F(WorkSchedulerTest, RunsAJobWhenItsTimeHasComeAndNotBefore)
{
	Counter runs;
	Counter earlier;
	Task job(runs);
	Task probe(earlier);
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
	Task job(runs);
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
	Task job(runs);
	Task other(others);
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
	Task* self = nullptr;
	Task job([&](int) {
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
	Task job([&](int) {
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
	Task job([](int) {});
	EXPECT_TRUE(scheduler.halt(job, 0s));
}

TEST_F(WorkSchedulerTest, AHaltedJobDoesNotRunUntilItIsArmedAgain)
{
	Counter runs;
	Counter others;
	Task job(runs);
	Task other(others);
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
	Task job([&](int cancelFd) {
		running.count_down();
		hang(cancelFd);
	});
	runNow(job);
	running.wait();
	EXPECT_TRUE(scheduler.halt(job, patience));
}

TEST_F(WorkSchedulerTest, HaltOfARunThatDoesNotEndRunsOutOfTimeAndCanBeRepeated)
{
	std::latch running(1);
	std::latch goOn(1);
	Task job([&](int) {
		running.count_down();
		goOn.wait(); // deaf to cancelFd
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
	Task job([&](int cancelFd) {
		running.count_down();
		hang(cancelFd);
	});
	runNow(job);
	running.wait();
	EXPECT_TRUE(eventually([&] { return scheduler.halt(job, 0s); }));
}

TEST_F(WorkSchedulerTest, ACancelledRunCannotBringItsJobBack)
{
	Counter runs;
	std::latch running(1);
	Task* self = nullptr;
	Task job([&](int cancelFd) {
		runs.raise();
		running.count_down();
		hang(cancelFd);
		runNow(*self);
	});
	self = &job;
	runNow(job);
	running.wait();
	EXPECT_TRUE(scheduler.halt(job, patience));
	Counter others;
	Task other(others);
	runNow(other);
	EXPECT_TRUE(others.reaches(1));
	EXPECT_EQ(runs.value(), 1);
	EXPECT_TRUE(scheduler.halt(other, patience));
}

TEST_F(WorkSchedulerTest, ACancelledRunIsNoOmenForTheNextOnItsThread)
{
	std::latch running(1);
	Task hanging([&](int cancelFd) {
		running.count_down();
		hang(cancelFd);
	});
	runNow(hanging);
	running.wait();
	EXPECT_TRUE(scheduler.halt(hanging, patience));
	Counter calm;
	Task next([&](int cancelFd) {
		pollfd cancel{cancelFd, POLLIN, 0};
		EXPECT_EQ(::poll(&cancel, 1, 0), 0);
		calm.raise();
	});
	runNow(next);
	EXPECT_TRUE(calm.reaches(1));
	EXPECT_EQ(scheduler.employed(), 1U) << "it was the same thread";
	EXPECT_TRUE(scheduler.halt(next, patience));
}

TEST_F(WorkSchedulerTest, ManyThreadsMayHaltTheSameRun)
{
	std::latch running(1);
	Task job([&](int cancelFd) {
		running.count_down();
		hang(cancelFd);
	});
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
	std::array<char, count> lanes{};
	std::latch running(count);
	std::deque<Task> jobs;
	for (std::size_t i = 0; i < count; ++i) {
		runNow(jobs.emplace_back(
			[&](int cancelFd) {
				running.count_down();
				hang(cancelFd);
			},
			&lanes.at(i)));
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

TEST_F(WorkSchedulerTest, WorkersComeWithTheWork)
{
	EXPECT_EQ(scheduler.employed(), 1U);
	constexpr std::size_t count = 10;
	std::latch together(count);
	std::deque<Task> jobs;
	for (std::size_t i = 0; i < count; ++i) {
		runNow(jobs.emplace_back([&](int) { together.arrive_and_wait(); }));
	}
	together.wait();
	EXPECT_GE(scheduler.employed(), count);
	for (Task& job : jobs) {
		EXPECT_TRUE(scheduler.halt(job, patience));
	}
}

TEST_F(WorkSchedulerTest, WithEverySlotTakenTheMostUrgentIsNext)
{
	WorkScheduler::Options one = options();
	one.workers = 1;
	WorkScheduler narrow(time, time, one);
	std::latch running(1);
	std::latch goOn(1);
	Task first([&](int) {
		running.count_down();
		goOn.wait();
	});
	narrow.arm(first, time.in(0s), anyUrgency);
	running.wait();

	std::mutex mutex;
	std::vector<int> order;
	Counter runs;
	std::deque<Task> jobs;
	for (const int urgency : {3, 1, 4, 2, 5}) {
		Task& job = jobs.emplace_back([&, urgency](int) {
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
	std::deque<Task> stuck;
	for (int i = 0; i < 200; ++i) {
		scheduler.arm(stuck.emplace_back(
						  [&](int cancelFd) {
							  hanging.count_down();
							  hang(cancelFd);
						  },
						  &dead),
			time.in(0s), Instant::min());
	}
	hanging.wait();
	Counter runs;
	std::deque<Task> others;
	for (int i = 0; i < 100; ++i) {
		scheduler.arm(others.emplace_back(runs, &alive), time.in(0s), Instant::max());
	}
	EXPECT_TRUE(runs.reaches(100));
	EXPECT_LE(scheduler.employed(), 33U);
	scheduler.close();
}

TEST_F(WorkSchedulerTest, TenThousandJobsRunOnceEach)
{
	constexpr int count = 10000;
	Counter runs;
	std::deque<Task> jobs;
	for (int i = 0; i < count; ++i) {
		scheduler.arm(jobs.emplace_back(runs), time.in(std::chrono::milliseconds(i % 100)), anyUrgency);
	}
	time.advance(100ms);
	EXPECT_TRUE(runs.reaches(count));
	for (Task& job : jobs) {
		EXPECT_TRUE(scheduler.halt(job, patience));
	}
	EXPECT_EQ(runs.value(), count);
}

TEST_F(WorkSchedulerTest, AtRestTenThousandJobsSetOneAlarmAndHaveOneWorker)
{
	std::deque<Task> jobs;
	for (int i = 0; i < 10000; ++i) {
		scheduler.arm(jobs.emplace_back([](int) {}), time.in(1h + std::chrono::milliseconds(i)), anyUrgency);
	}
	EXPECT_EQ(time.sets(), 1);
	EXPECT_EQ(scheduler.employed(), 1U);
	for (Task& job : jobs) {
		EXPECT_TRUE(scheduler.halt(job, 0s));
	}
}

TEST_F(WorkSchedulerTest, UnderLoadAlarmsKeepADistance)
{
	WorkScheduler::Options coarse = options();
	coarse.coalesce = 2ms;
	test::VirtualTime slow;
	WorkScheduler other(slow, slow, coarse);
	Counter runs;
	Task first(runs);
	Task second(runs);
	other.arm(first, slow.in(1s), anyUrgency);
	slow.advance(1s);
	other.readable();
	ASSERT_TRUE(runs.reaches(1));
	other.arm(second, slow.in(1ms), anyUrgency);
	slow.advance(1ms);
	pollfd alarm{slow.fd(), POLLIN, 0};
	EXPECT_EQ(::poll(&alarm, 1, 0), 0);
	slow.advance(1ms);
	EXPECT_EQ(::poll(&alarm, 1, 0), 1);
	other.readable();
	EXPECT_TRUE(runs.reaches(2));
	other.close();
}

TEST_F(WorkSchedulerTest, WhoWasIdleLastIsCalledFirstSoThatTheOthersCanEnd)
{
	std::latch together(4);
	std::deque<Task> jobs;
	for (int i = 0; i < 4; ++i) {
		runNow(jobs.emplace_back([&](int) { together.arrive_and_wait(); }));
	}
	for (Task& job : jobs) {
		together.wait();
		EXPECT_TRUE(scheduler.halt(job, patience));
	}
	std::set<std::thread::id> threads;
	Counter runs;
	Task job([&](int) {
		threads.insert(std::this_thread::get_id());
		runs.raise();
	});
	for (int round = 1; round <= 10; ++round) {
		runNow(job);
		ASSERT_TRUE(runs.reaches(round));
		EXPECT_TRUE(scheduler.halt(job, patience));
	}
	EXPECT_EQ(threads.size(), 1U);
}

TEST_F(WorkSchedulerTest, AfterACancelledRunNoOtherBeginsForALull)
{
	WorkScheduler::Options quiet = options();
	quiet.lull = 10ms;
	test::VirtualTime slow;
	WorkScheduler other(slow, slow, quiet);
	std::latch running(1);
	Task hanging([&](int cancelFd) {
		running.count_down();
		hang(cancelFd);
	});
	other.arm(hanging, slow.in(0s), anyUrgency);
	running.wait();
	EXPECT_TRUE(other.halt(hanging, patience));

	Counter runs;
	Task next(runs);
	other.arm(next, slow.in(0s), anyUrgency);
	pollfd alarm{slow.fd(), POLLIN, 0};
	slow.advance(9ms);
	EXPECT_EQ(::poll(&alarm, 1, 0), 0);
	EXPECT_EQ(runs.value(), 0);
	slow.advance(1ms);
	EXPECT_EQ(::poll(&alarm, 1, 0), 1);
	other.readable();
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_TRUE(other.halt(next, patience));
	other.close();
}

TEST_F(WorkSchedulerTest, WorkersWithoutWorkEndButOne)
{
	WorkScheduler::Options hasty = options();
	hasty.idle = 1ms;
	WorkScheduler other(time, time, hasty);
	for (int round = 0; round < 3; ++round) {
		constexpr std::size_t count = 8;
		std::latch together(count);
		std::deque<Task> jobs;
		for (std::size_t i = 0; i < count; ++i) {
			other.arm(jobs.emplace_back([&](int) { together.arrive_and_wait(); }), time.in(0s), anyUrgency);
		}
		together.wait();
		EXPECT_TRUE(eventually([&] { return other.employed() == 1; }));
		for (Task& job : jobs) {
			EXPECT_TRUE(other.halt(job, patience));
		}
	}
}

TEST_F(WorkSchedulerTest, ClosingCancelsWhatRunsAndNothingRunsAfter)
{
	std::latch running(1);
	Task hanging([&](int cancelFd) {
		running.count_down();
		hang(cancelFd);
	});
	Counter runs;
	Task job(runs);
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

TEST_F(WorkSchedulerTest, ThreadsAreNamedAndLeaveSignalsToTheHost)
{
	Counter runs;
	Task job(runs);
	runNow(job);
	ASSERT_TRUE(runs.reaches(1));
	ASSERT_TRUE(eventually([] { return test::issuerThreads().size() == 2; }));
	for (const test::ThreadStatus& thread : test::issuerThreads()) {
		EXPECT_TRUE(thread.name == "issuer-timer" || thread.name == "issuer-worker") << thread.name;
		for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGALRM, SIGUSR1, SIGQUIT, SIGRTMIN}) {
			EXPECT_TRUE(thread.blocks(signal)) << thread.name << ", signal " << signal;
		}
		for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
			EXPECT_FALSE(thread.blocks(fault)) << thread.name << ", signal " << fault;
		}
	}
	EXPECT_TRUE(scheduler.halt(job, patience));
}

TEST(Thread, LeavesTheSignalMaskOfWhoStartsItAsItWas)
{
	sigset_t mine;
	sigset_t outer;
	sigset_t after;
	::sigemptyset(&mine);
	::sigaddset(&mine, SIGUSR2);
	::pthread_sigmask(SIG_SETMASK, &mine, &outer);
	Thread("issuer-other", [] {}).join();
	::pthread_sigmask(SIG_SETMASK, &outer, &after);
	for (int signal = 1; signal < 32; ++signal) {
		EXPECT_EQ(sigismember(&after, signal), signal == SIGUSR2 ? 1 : 0) << signal;
	}
}

/// Everything at once, from everywhere: only the sanitizers and the end of the test have an opinion.
TEST_F(WorkSchedulerTest, SurvivesArmsAndHaltsFromAllSides)
{
	std::array<char, 3> lanes{};
	std::deque<Task> jobs;
	for (std::size_t i = 0; i < 60; ++i) {
		jobs.emplace_back(
			[i](int cancelFd) {
				if (i % 10 == 0) {
					hang(cancelFd);
				}
			},
			&lanes.at(i % 3));
	}
	{
		std::vector<std::jthread> threads;
		for (std::size_t thread = 0; thread < 4; ++thread) {
			threads.emplace_back([&, thread] {
				for (std::size_t step = 0; step < 3000; ++step) {
					Task& job = jobs[(step * 7 + thread * 15) % jobs.size()];
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
	for (Task& job : jobs) {
		EXPECT_TRUE(scheduler.halt(job, patience));
	}
}

} // namespace
} // namespace issuer::vault::runtime
