#include "runtime/work_scheduler.h"

#include "eventually.h"
#include "jobs.h"
#include "runtime/system_call.h"
#include "threads.h"
#include "virtual_time.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <deque>
#include <gtest/gtest.h>
#include <latch>
#include <poll.h>
#include <thread>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;
using test::Chore;
using test::Counter;
using test::eventually;
using test::Hanging;
using test::patience;
using test::Steps;

constexpr Instant anyUrgency{};

class WorkSchedulerTest : public testing::Test
{
protected:
	~WorkSchedulerTest() override { scheduler.close(); }

	void runNow(Job& job) { scheduler.arm(job, time.in(0s), anyUrgency); }

	static WorkScheduler::Options options()
	{
		WorkScheduler::Options options;
		options.idle = 1h;
		options.coalesce = 0s;
		options.lull = 0s;
		options.busy = 2;
		options.patrol = 1ms;
		return options;
	}

	test::VirtualTime time;
	WorkScheduler scheduler{time, time, options()};
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
		goOn.wait(); // deaf to what is said to it
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
	one.inFlight = 1;
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

/// What a run has come to that waits again and again for the same.
class Waiter
{
public:
	explicit Waiter(Wait wait, std::size_t times = 1) : _wait(wait), _times(times) {}

	Job& job() { return _job; }
	[[nodiscard]] bool begins() const { return _begins.reaches(1); }
	[[nodiscard]] bool ends() const { return _ends.reaches(1); }
	[[nodiscard]] int ended() const { return _ends.value(); }
	[[nodiscard]] const std::vector<Wake>& wakes() const { return _wakes; } ///< once it has ended

private:
	std::optional<Wait> step(Wake wake)
	{
		if (_begun++ > 0) {
			_wakes.push_back(wake);
		}
		if (_begun > _times) {
			_ends.raise();
			return std::nullopt;
		}
		_begins.raise();
		return _wait;
	}

	const Wait _wait;
	const std::size_t _times;
	std::size_t _begun = 0;
	Counter _begins;
	Counter _ends;
	std::vector<Wake> _wakes;
	Steps _job{[this](Wake wake) { return step(wake); }};
};

TEST_F(WorkSchedulerTest, ARunGoesOnWhenItsDescriptorIsReady)
{
	const Descriptor event = makeEvent();
	Waiter waiter({event.get(), POLLIN});
	runNow(waiter.job());
	ASSERT_TRUE(waiter.begins());
	EXPECT_EQ(waiter.ended(), 0);
	raise(event);
	EXPECT_TRUE(waiter.ends());
	EXPECT_EQ(waiter.wakes(), std::vector{Wake::ready});
	EXPECT_TRUE(scheduler.halt(waiter.job(), patience));
}

TEST_F(WorkSchedulerTest, ADescriptorThatIsReadyAlreadyIsReadyEachTime)
{
	const Descriptor event = makeEvent();
	raise(event);
	Waiter waiter({event.get(), POLLIN}, 100);
	runNow(waiter.job());
	EXPECT_TRUE(waiter.ends());
	EXPECT_EQ(waiter.wakes(), std::vector(100, Wake::ready));
	EXPECT_TRUE(scheduler.halt(waiter.job(), patience));
}

TEST_F(WorkSchedulerTest, AWaitEndsWhenItsTimeHasComeAndNotBefore)
{
	const Descriptor silent = makeEvent();
	Waiter waiter({silent.get(), POLLIN, 10s});
	runNow(waiter.job());
	ASSERT_TRUE(eventually([&] { return time.alarm() == time.in(10s); }));
	time.advance(9999ms);
	EXPECT_EQ(time.alarm(), time.in(1ms));
	EXPECT_EQ(waiter.ended(), 0);
	time.advance(1ms);
	EXPECT_TRUE(waiter.ends());
	EXPECT_EQ(waiter.wakes(), std::vector{Wake::timedOut});
	EXPECT_TRUE(scheduler.halt(waiter.job(), patience));
}

TEST_F(WorkSchedulerTest, HaltCancelsEachWaitOfARun)
{
	Waiter waiter({}, 3);
	runNow(waiter.job());
	ASSERT_TRUE(waiter.begins());
	EXPECT_TRUE(scheduler.halt(waiter.job(), patience));
	EXPECT_EQ(waiter.wakes(), std::vector(3, Wake::cancelled));
}

TEST_F(WorkSchedulerTest, ADescriptorThatCannotBeWaitedForIsReadySoThatTheRunFindsOut)
{
	Waiter waiter({12345, POLLIN});
	runNow(waiter.job());
	EXPECT_TRUE(waiter.ends());
	EXPECT_EQ(waiter.wakes(), std::vector{Wake::ready});
	EXPECT_TRUE(scheduler.halt(waiter.job(), patience));
}

/// The descriptor of a wait that is over becomes ready while the run waits for another.
TEST_F(WorkSchedulerTest, AnEventThatComesTooLateWakesNobody)
{
	const Descriptor first = makeEvent();
	const Descriptor second = makeEvent();
	int step = 0;
	Counter steps;
	std::vector<Wake> wakes;
	Steps job([&](Wake wake) -> std::optional<Wait> {
		wakes.push_back(wake);
		++step;
		steps.raise();
		if (step == 1) {
			return Wait{first.get(), POLLIN, 1s};
		}
		return step == 2 ? std::optional(Wait{second.get(), POLLIN, 1s}) : std::nullopt;
	});
	runNow(job);
	ASSERT_TRUE(eventually([&] { return time.alarm() == time.in(1s); }));
	time.advance(1s);
	ASSERT_TRUE(steps.reaches(2));
	ASSERT_TRUE(eventually([&] { return time.alarm() == time.in(1s); }));
	raise(first);
	Waiter later({first.get(), POLLIN}); // which the event of its own proves to have been seen
	runNow(later.job());
	ASSERT_TRUE(later.ends());
	EXPECT_EQ(steps.value(), 2);
	time.advance(1s);
	EXPECT_TRUE(steps.reaches(3));
	EXPECT_TRUE(scheduler.halt(job, patience));
	EXPECT_TRUE(scheduler.halt(later.job(), patience));
	EXPECT_EQ(wakes, (std::vector{Wake::ready, Wake::timedOut, Wake::timedOut}));
}

TEST_F(WorkSchedulerTest, RunsThatWaitHoldNoWorker)
{
	WorkScheduler::Options patient = options();
	patient.patrol = 1h; // so that nobody passes for stuck
	WorkScheduler other(time, time, patient);
	constexpr std::size_t count = 100;
	std::array<char, count> lanes{};
	std::latch running(count);
	std::deque<Hanging> jobs;
	for (std::size_t i = 0; i < count; ++i) {
		other.arm(jobs.emplace_back([&] { running.count_down(); }, &lanes.at(i)), time.in(0s), anyUrgency);
	}
	running.wait();
	EXPECT_LE(other.employed(), 4U) << "two that are busy, one that watches, one that rests";
	for (Hanging& job : jobs) {
		EXPECT_TRUE(other.halt(job, patience));
	}
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
	std::array<char, count> lanes{};
	std::latch running(count);
	std::deque<Hanging> jobs;
	for (std::size_t i = 0; i < count; ++i) {
		runNow(jobs.emplace_back([&] { running.count_down(); }, &lanes.at(i)));
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

TEST_F(WorkSchedulerTest, WorkersComeInThePlaceOfThoseThatAreStuck)
{
	EXPECT_EQ(scheduler.employed(), 1U);
	constexpr std::size_t count = 10;
	std::latch together(count);
	std::deque<Chore> jobs;
	for (std::size_t i = 0; i < count; ++i) {
		runNow(jobs.emplace_back([&] { together.arrive_and_wait(); }));
	}
	together.wait();
	EXPECT_GE(scheduler.employed(), count);
	for (Chore& job : jobs) {
		EXPECT_TRUE(scheduler.halt(job, patience));
	}
}

TEST_F(WorkSchedulerTest, WithEverySlotTakenTheMostUrgentIsNext)
{
	WorkScheduler::Options one = options();
	one.inFlight = 1;
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

TEST_F(WorkSchedulerTest, AtRestTenThousandJobsSetOneAlarmAndHaveOneWorker)
{
	std::deque<Chore> jobs;
	for (int i = 0; i < 10000; ++i) {
		scheduler.arm(jobs.emplace_back([] {}), time.in(1h + std::chrono::milliseconds(i)), anyUrgency);
	}
	EXPECT_EQ(time.sets(), 1);
	EXPECT_EQ(scheduler.employed(), 1U);
	for (Chore& job : jobs) {
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
	Chore first(runs);
	Chore second(runs);
	other.arm(first, slow.in(1s), anyUrgency);
	slow.advance(1s);
	ASSERT_TRUE(runs.reaches(1));
	other.arm(second, slow.in(1ms), anyUrgency);
	EXPECT_EQ(slow.alarm(), slow.in(2ms));
	slow.advance(1ms);
	EXPECT_EQ(runs.value(), 1);
	slow.advance(1ms);
	EXPECT_TRUE(runs.reaches(2));
	other.close();
}

TEST_F(WorkSchedulerTest, AfterACancelledRunNoOtherBeginsForALull)
{
	WorkScheduler::Options quiet = options();
	quiet.lull = 10ms;
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
	EXPECT_EQ(slow.alarm(), slow.in(10ms));
	slow.advance(9ms);
	EXPECT_EQ(runs.value(), 0);
	slow.advance(1ms);
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_TRUE(other.halt(next, patience));
	other.close();
}

TEST_F(WorkSchedulerTest, WorkersWithoutWorkEndButTwo)
{
	WorkScheduler::Options hasty = options();
	hasty.idle = 1ms;
	WorkScheduler other(time, time, hasty);
	for (int round = 0; round < 3; ++round) {
		constexpr std::size_t count = 8;
		std::latch together(count);
		std::deque<Chore> jobs;
		for (std::size_t i = 0; i < count; ++i) {
			other.arm(jobs.emplace_back([&] { together.arrive_and_wait(); }), time.in(0s), anyUrgency);
		}
		together.wait();
		EXPECT_TRUE(eventually([&] { return other.employed() == 2; }));
		for (Chore& job : jobs) {
			EXPECT_TRUE(other.halt(job, patience));
		}
	}
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

TEST_F(WorkSchedulerTest, ThreadsAreNamedAndLeaveSignalsToTheHost)
{
	Counter runs;
	Chore job(runs);
	runNow(job);
	ASSERT_TRUE(runs.reaches(1));
	ASSERT_TRUE(eventually([] {
		const auto threads = test::issuerThreads();
		return threads.size() == 2 && // and no longer in the making, when glibc blocks all
			   std::ranges::none_of(threads, [](const auto& thread) { return thread.blocks(SIGSEGV); });
	}));
	for (const test::ThreadStatus& thread : test::issuerThreads()) {
		EXPECT_EQ(thread.name, "issuer-worker");
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
	const Descriptor readable = makeEvent();
	raise(readable);
	// Some hang, some wait for a moment, some for what is ready: two steps each.
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
			&lanes.at(i % 3));
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
