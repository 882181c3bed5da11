#include "scheduler_fixture.h"

#include "eventually.h"
#include "runtime/system_call.h"

#include <poll.h>
#include <vector>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;
using test::Counter;
using test::eventually;
using test::patience;
using test::Steps;

/// Runs that wait: for a descriptor, for a time, until they are halted.
class WaitingRuns : public test::SchedulerTest
{
};

/// The results of a run that waits again and again for the same.
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

TEST_F(WaitingRuns, ARunGoesOnWhenItsDescriptorIsReady)
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

TEST_F(WaitingRuns, ADescriptorThatIsReadyAlreadyIsReadyEachTime)
{
	const Descriptor event = makeEvent();
	raise(event);
	Waiter waiter({event.get(), POLLIN}, 100);
	runNow(waiter.job());
	EXPECT_TRUE(waiter.ends());
	EXPECT_EQ(waiter.wakes(), std::vector(100, Wake::ready));
	EXPECT_TRUE(scheduler.halt(waiter.job(), patience));
}

TEST_F(WaitingRuns, AWaitEndsWhenItsTimeHasComeAndNotBefore)
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

TEST_F(WaitingRuns, HaltCancelsEachWaitOfARun)
{
	Waiter waiter({}, 3);
	runNow(waiter.job());
	ASSERT_TRUE(waiter.begins());
	EXPECT_TRUE(scheduler.halt(waiter.job(), patience));
	EXPECT_EQ(waiter.wakes(), std::vector(3, Wake::cancelled));
}

TEST_F(WaitingRuns, ADescriptorThatCannotBeWaitedForIsReadySoThatTheRunFindsOut)
{
	Waiter waiter({12345, POLLIN});
	runNow(waiter.job());
	EXPECT_TRUE(waiter.ends());
	EXPECT_EQ(waiter.wakes(), std::vector{Wake::ready});
	EXPECT_TRUE(scheduler.halt(waiter.job(), patience));
}

/// The descriptor of a wait that is over becomes ready while the run waits for another.
TEST_F(WaitingRuns, AnEventThatComesTooLateWakesNoRun)
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

} // namespace
} // namespace issuer::vault::runtime
