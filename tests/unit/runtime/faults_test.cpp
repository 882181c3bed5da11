#include "eventually.h"
#include "no_threads.h"
#include "refusals.h"
#include "runtime/system_call.h"
#include "scheduler_fixture.h"

#include <array>
#include <latch>
#include <memory>
#include <poll.h>
#include <system_error>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;
using issuer::test::NoThreads;
using test::anyUrgency;
using test::Chore;
using test::Counter;
using test::eventually;
using test::FailingAllocation;
using test::patience;
using test::RefusedCalls;
using test::Steps;

/// The fate of jobs when the system refuses a call.
class Faults : public test::SchedulerTest
{
protected:
	/// Moves time on until the counter is raised, as the time of a poll is unknown.
	bool comes(const Counter& counter, Duration step)
	{
		return eventually([&] {
			time.advance(step);
			return counter.value() > 0;
		});
	}
};

/// A run that waits once for a descriptor.
class Waiter
{
public:
	explicit Waiter(Wait wait) : _wait(wait) {}

	Job& job() { return _job; }
	[[nodiscard]] const Counter& begins() const { return _begins; }
	[[nodiscard]] const Counter& ends() const { return _ends; }
	[[nodiscard]] Wake wake() const { return _wake; } ///< once it has ended

private:
	std::optional<Wait> step(Wake wake)
	{
		if (_begins.value() == 0) {
			_begins.raise();
			return _wait;
		}
		_wake = wake;
		_ends.raise();
		return std::nullopt;
	}

	const Wait _wait;
	Counter _begins;
	Counter _ends;
	Wake _wake = Wake::cancelled;
	Steps _job{[this](Wake wake) { return step(wake); }};
};

TEST_F(Faults, ADescriptorThatEpollRefusesIsPolled)
{
	const RefusedCalls full(RefusedCalls::Call::epollCtl);
	const Descriptor event = makeEvent();
	Waiter waiter({event.get(), POLLIN, 1h});
	runNow(waiter.job());
	ASSERT_TRUE(waiter.begins().reaches(1));
	raise(event);
	EXPECT_TRUE(comes(waiter.ends(), 1ms));
	EXPECT_EQ(waiter.wake(), Wake::ready);
	EXPECT_TRUE(scheduler.halt(waiter.job(), patience));
}

TEST_F(Faults, ADescriptorThatEpollRefusesIsPolledOnceASecondAtLast)
{
	const RefusedCalls full(RefusedCalls::Call::epollCtl);
	const Descriptor silent = makeEvent();
	const Instant end = time.in(60s);
	Waiter waiter({silent.get(), POLLIN, 60s});
	runNow(waiter.job());
	ASSERT_TRUE(waiter.begins().reaches(1));
	while (time.in(0s) < end) {
		ASSERT_TRUE(eventually([&] { return time.alarm() != Instant::max(); }));
		time.advance(100ms);
	}
	EXPECT_TRUE(waiter.ends().reaches(1));
	EXPECT_EQ(waiter.wake(), Wake::timedOut);
	EXPECT_LE(full.count(), 2 * (60 + 12)) << "a change and an addition each, and some more in the first second";
	EXPECT_TRUE(scheduler.halt(waiter.job(), patience));
}

TEST_F(Faults, ADescriptorThatEpollTakesAgainIsPolledNoMore)
{
	const Descriptor event = makeEvent();
	Waiter waiter({event.get(), POLLIN, 1h});
	{
		const RefusedCalls full(RefusedCalls::Call::epollCtl);
		runNow(waiter.job());
		ASSERT_TRUE(waiter.begins().reaches(1));
		ASSERT_TRUE(eventually([&] { return full.count() > 0; }));
	}
	const Instant end = time.in(1h);
	ASSERT_TRUE(eventually([&] {
		if (time.alarm() < end) {
			time.advance(1ms);
		}
		return time.alarm() == end;
	}));
	raise(event);
	EXPECT_TRUE(waiter.ends().reaches(1));
	EXPECT_EQ(waiter.wake(), Wake::ready);
	EXPECT_TRUE(scheduler.halt(waiter.job(), patience));
}

TEST_F(Faults, ARunWhoseDescriptorEpollRefusesIsHaltedAtOnce)
{
	const RefusedCalls full(RefusedCalls::Call::epollCtl);
	const Descriptor silent = makeEvent();
	Waiter waiter({silent.get(), POLLIN});
	runNow(waiter.job());
	ASSERT_TRUE(waiter.begins().reaches(1));
	EXPECT_TRUE(scheduler.halt(waiter.job(), patience));
	EXPECT_EQ(waiter.wake(), Wake::cancelled);
}

TEST_F(Faults, AJobRunsInTimeThoughTheAlarmCannotBeSet)
{
	Counter runs;
	Chore job(runs);
	Chore later(runs);
	scheduler.arm(later, time.in(1h), anyUrgency);
	ASSERT_TRUE(eventually([&] { return time.alarm() == time.in(1h); })) << "a leader waits until then";
	time.breaks(true);
	scheduler.arm(job, time.in(1s), anyUrgency);
	time.advance(1s);
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_TRUE(scheduler.halt(job, patience));
	EXPECT_TRUE(scheduler.halt(later, patience));
}

TEST_F(Faults, AnAlarmThatCouldNotBeSetIsTriedAgain)
{
	time.breaks(true);
	Counter runs;
	Chore job(runs);
	scheduler.arm(job, time.in(1h), anyUrgency);
	time.breaks(false);
	EXPECT_TRUE(eventually([&] { return time.alarm() == time.in(1h); }));
	EXPECT_TRUE(scheduler.halt(job, patience));
}

TEST_F(Faults, AStepThatBlocksIsNoticedThoughTheTimerCannotBeSet)
{
	const RefusedCalls noTimer(RefusedCalls::Call::timerfdSettime);
	std::latch running(1);
	std::latch goOn(1);
	Chore blocked([&] {
		running.count_down();
		goOn.wait();
	});
	runNow(blocked);
	running.wait();
	Counter runs;
	Chore other(runs);
	runNow(other);
	EXPECT_TRUE(runs.reaches(1));
	goOn.count_down();
	EXPECT_TRUE(scheduler.halt(blocked, patience));
	EXPECT_TRUE(scheduler.halt(other, patience));
}

/// Hosts that become daemons close all descriptors.
TEST_F(Faults, JobsRunThoughEpollIsGone)
{
	const RefusedCalls gone(RefusedCalls::Call::epollWait);
	Counter runs;
	Chore job(runs);
	scheduler.arm(job, time.in(1s), anyUrgency);
	time.advance(1s);
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_TRUE(scheduler.halt(job, patience));
}

TEST(PollerFaults, AWaitThatTheSystemRefusesTakesItsTime)
{
	Poller poller;
	const RefusedCalls gone(RefusedCalls::Call::epollWait);
	Poller::Room room;
	const auto begun = std::chrono::steady_clock::now();
	EXPECT_TRUE(poller.wait(room, 20ms).empty());
	EXPECT_GE(std::chrono::steady_clock::now() - begun, 20ms);
}

TEST_F(Faults, WithoutAFirstThreadThereIsNoScheduler)
{
	const NoThreads none;
	EXPECT_THROW(WorkScheduler(time, time, options()), std::system_error);
}

TEST_F(Faults, WithoutAnotherThreadTheExistingOnesRunAllJobs)
{
	Counter runs;
	std::deque<Chore> jobs;
	{
		const NoThreads none;
		for (int i = 0; i < 100; ++i) {
			runNow(jobs.emplace_back(runs));
		}
		EXPECT_TRUE(runs.reaches(100));
		EXPECT_EQ(scheduler.workerCount(), 1U);
		EXPECT_EQ(none.refused(), 1) << "it is not asked for again and again";
	}
	time.advance(100ms);
	runNow(jobs.front());
	EXPECT_TRUE(runs.reaches(101));
	EXPECT_GE(scheduler.workerCount(), 2U) << "a thread can be had again";
	for (Chore& job : jobs) {
		EXPECT_TRUE(scheduler.halt(job, patience));
	}
}

TEST(AgendaFaults, AJobThatCannotBeMovedToAnotherPlaceStaysArmedAsItWas)
{
	constexpr Instant start{1h};
	const std::array<char, 2> places{};
	int failures = 0;
	for (int number = 1;; ++number) {
		Agenda agenda{{}};
		Chore job([] {});
		agenda.arm(job, &places[0], start, start);
		const FailingAllocation one(number);
		try {
			agenda.arm(job, &places[1], start + 1h, start);
		}
		catch (const std::bad_alloc&) {
			++failures;
		}
		if (!one.happened()) {
			break;
		}
		agenda.advance(start);
		EXPECT_EQ(agenda.take(), &job);
		agenda.finished(job, true);
		agenda.advance(start + 2h);
		EXPECT_EQ(agenda.take(), nullptr);
	}
	EXPECT_GT(failures, 1);
}

/// Waits once, for nothing but a moment. Allocates nothing.
class Short final : public Job
{
public:
	explicit Short(Counter& ends) : _ends(ends) {}

	[[nodiscard]] std::optional<Wait> run(Wake) noexcept override
	{
		if (!std::exchange(_begun, true)) {
			return Wait{-1, 0, 1us};
		}
		_begun = false;
		_ends.raise();
		return std::nullopt;
	}
	[[nodiscard]] const void* place() const noexcept override { return this; }

private:
	Counter& _ends;
	bool _begun = false;
};

/// All of a scheduler's life, with one allocation after the other that fails.
TEST(SchedulerFaults, NoJobIsLostWhicheverAllocationFails)
{
	constexpr std::size_t count = 40;
	int failures = 0;
	for (int number = 1;; ++number) {
		test::VirtualTime time;
		Counter ends;
		std::deque<Short> jobs;
		for (std::size_t i = 0; i < count; ++i) {
			jobs.emplace_back(ends);
		}
		const FailingAllocation one(number);
		std::unique_ptr<WorkScheduler> scheduler;
		const auto again = [&](const auto& act) {
			try {
				act();
			}
			catch (const std::bad_alloc&) {
				act(); // only one fails
			}
		};
		again([&] { scheduler = std::make_unique<WorkScheduler>(time, time, WorkScheduler::Options()); });
		for (Short& job : jobs) {
			again([&] { scheduler->arm(job, time.in(0s), anyUrgency); });
		}
		ASSERT_TRUE(eventually([&] {
			time.advance(10ms);
			return ends.value() == static_cast<int>(count);
		})) << "allocation "
			<< number;
		scheduler.reset();
		if (!one.happened()) {
			break;
		}
		++failures;
	}
	EXPECT_GT(failures, 50);
}

} // namespace
} // namespace issuer::vault::runtime
