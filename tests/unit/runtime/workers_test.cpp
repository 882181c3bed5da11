#include "scheduler_fixture.h"

#include "emulation.h"
#include "eventually.h"
#include "threads.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <deque>
#include <latch>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;
using test::anyUrgency;
using test::Chore;
using test::Counter;
using test::eventually;
using test::Hanging;
using test::patience;

/// The number of threads, and their properties.
class Workers : public test::SchedulerTest
{
};

TEST_F(Workers, RunsThatWaitHoldNoWorker)
{
	WorkScheduler::Options patient = options();
	patient.stuckAfter = 1h; // no step counts as blocked
	WorkScheduler other(time, time, patient);
	constexpr std::size_t count = 100;
	std::array<char, count> places{};
	std::latch running(count);
	std::deque<Hanging> jobs;
	for (std::size_t i = 0; i < count; ++i) {
		other.arm(jobs.emplace_back([&] { running.count_down(); }, &places.at(i)), time.in(0s), anyUrgency);
	}
	running.wait();
	EXPECT_LE(other.workerCount(), 4U) << "two that are busy, one that watches, one that rests";
	for (Hanging& job : jobs) {
		EXPECT_TRUE(other.halt(job, patience));
	}
}

TEST_F(Workers, WorkersComeInThePlaceOfThoseThatAreStuck)
{
	EXPECT_EQ(scheduler.workerCount(), 1U);
	constexpr std::size_t count = 10;
	std::latch together(count);
	std::deque<Chore> jobs;
	for (std::size_t i = 0; i < count; ++i) {
		runNow(jobs.emplace_back([&] { together.arrive_and_wait(); }));
	}
	together.wait();
	EXPECT_GE(scheduler.workerCount(), count);
	for (Chore& job : jobs) {
		EXPECT_TRUE(scheduler.halt(job, patience));
	}
}

TEST_F(Workers, AtRestTenThousandJobsSetOneAlarmAndHaveOneWorker)
{
	std::deque<Chore> jobs;
	for (int i = 0; i < 10000; ++i) {
		scheduler.arm(jobs.emplace_back([] {}), time.in(1h + std::chrono::milliseconds(i)), anyUrgency);
	}
	EXPECT_TRUE(eventually([&] { return time.alarm() == time.in(1h); }));
	EXPECT_EQ(time.sets(), 1);
	EXPECT_EQ(scheduler.workerCount(), 1U);
	for (Chore& job : jobs) {
		EXPECT_TRUE(scheduler.halt(job, 0s));
	}
}

TEST_F(Workers, WorkersWithoutWorkEndButTwo)
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
		EXPECT_TRUE(eventually([&] { return other.workerCount() == 2; }));
		for (Chore& job : jobs) {
			EXPECT_TRUE(other.halt(job, patience));
		}
	}
}

/// A worker that is about to look for more may see the call that was meant for the one that watches. The calls after it
/// must not be taken for answered.
TEST_F(Workers, EveryCallIsAnsweredByTheWorkerThatSeesIt)
{
	WorkScheduler::Options patient = options();
	patient.stuckAfter = 1h; // the check would find the stuck worker
	constexpr std::size_t count = 100;
	std::array<char, count> places{};
	for (int round = 1; round <= 500; ++round) {
		WorkScheduler other(time, time, patient);
		Counter runs;
		std::deque<Chore> jobs;
		for (std::size_t i = 0; i < count; ++i) {
			other.arm(jobs.emplace_back(runs, &places.at(i)), time.in(0s), anyUrgency);
		}
		ASSERT_TRUE(runs.reaches(count)) << "in round " << round;
		for (Chore& job : jobs) {
			ASSERT_TRUE(other.halt(job, patience));
		}
	}
}

/// As many runs as there are workers end at once, so that none is idle: that calls for another, but not at the end.
TEST_F(Workers, ClosingStartsNoWorker)
{
	WorkScheduler::Options patient = options();
	patient.stuckAfter = 1h; // no step counts as blocked
	WorkScheduler other(time, time, patient);
	Counter begun;
	Counter cancelled;
	std::deque<Hanging> jobs;
	int count = 0;
	while (static_cast<std::size_t>(count) < other.workerCount()) {
		Hanging& job = jobs.emplace_back([&] { begun.raise(); }, nullptr,
			[&] {
				cancelled.raise();
				EXPECT_TRUE(cancelled.reaches(count));
			});
		other.arm(job, time.in(0s), anyUrgency);
		ASSERT_TRUE(begun.reaches(++count));
	}
	other.close();
	EXPECT_EQ(other.workerCount(), static_cast<std::size_t>(count));
}

TEST_F(Workers, ThreadsAreNamedAndLeaveSignalsToTheHost)
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
			if (signal == SIGRTMIN && issuer::test::underEmulation()) {
				continue; // the emulator keeps the real-time signals for itself
			}
			EXPECT_TRUE(thread.blocks(signal)) << thread.name << ", signal " << signal;
		}
		for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
			EXPECT_FALSE(thread.blocks(fault)) << thread.name << ", signal " << fault;
		}
	}
	EXPECT_TRUE(scheduler.halt(job, patience));
}

/// CONTRACT.md promises callbacks 1 MiB, whatever the host's own threads have.
TEST(Thread, HasTheDefaultStackSizeOrMoreIfThatIsTooSmallForCallbacks)
{
	const auto stackOfThread = [](std::size_t defaultSize) {
		pthread_attr_t before;
		pthread_attr_t changed;
		::pthread_getattr_default_np(&before);
		::pthread_getattr_default_np(&changed);
		::pthread_attr_setstacksize(&changed, defaultSize);
		::pthread_setattr_default_np(&changed);
		std::size_t size = 0;
		Thread("issuer-other", [&size] {
			pthread_attr_t own;
			::pthread_getattr_np(::pthread_self(), &own);
			::pthread_attr_getstacksize(&own, &size);
			::pthread_attr_destroy(&own);
		}).join();
		::pthread_setattr_default_np(&before);
		::pthread_attr_destroy(&before);
		::pthread_attr_destroy(&changed);
		return size;
	};
	constexpr std::size_t mib = std::size_t{1024} * 1024;
	EXPECT_GE(stackOfThread(mib / 8), mib);
	EXPECT_GE(stackOfThread(6 * mib), 6 * mib);
}

TEST(Thread, LeavesTheSignalMaskOfTheStartingThreadAsItWas)
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

} // namespace
} // namespace issuer::vault::runtime
