// A thread for an instance: start, stop and isRunning as the contract's table of states wants them.
#include <csignal>
#include <future>
#include <gtest/gtest.h>
#include <issuer/kit/worker.h>
#include <stdexcept>
#include <string>

namespace issuer::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class AWorker : public testing::Test
{
protected:
	static void log(void* ctx, issuer_log_level, issuer_str, issuer_str text) noexcept
	{
		static_cast<AWorker*>(ctx)->logged.set_value(std::string(kit::view(text)));
	}

	/// Work that waits for a stop.
	std::function<void(std::stop_token)> waits()
	{
		return [this](const std::stop_token& stop) {
			while (worker.waitUntil(kit::Worker::Clock::now() + hours(1), stop)) {
				++woken;
			}
		};
	}

	issuer_host host{sizeof host, ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, this, log, nullptr};
	std::promise<std::string> logged;
	kit::HostCallbacks callbacks{host};
	int woken = 0;
	std::promise<void> release;
	kit::Worker worker{callbacks};
};

TEST_F(AWorker, StartsStopsAndStartsAgain)
{
	EXPECT_TRUE(worker.stop(milliseconds(0))); // nothing is wrong with that
	for (int round = 0; round < 3; ++round) {
		EXPECT_FALSE(worker.isRunning());
		EXPECT_TRUE(worker.start(waits()));
		EXPECT_TRUE(worker.isRunning());
		EXPECT_TRUE(worker.start([](const std::stop_token&) { FAIL() << "a second work began"; }));
		EXPECT_TRUE(worker.stop(seconds(10)));
	}
	EXPECT_FALSE(worker.isRunning());
}

TEST_F(AWorker, ThatDoesNotStopInTimeStaysStoppingUntilAStopSaysOtherwise)
{
	auto released = release.get_future().share();
	ASSERT_TRUE(worker.start([released](const std::stop_token&) { released.wait(); }));
	EXPECT_EQ(worker.stop(milliseconds(0)).code, ISSUER_E_TIMEOUT);
	EXPECT_EQ(worker.start(waits()).code, ISSUER_E_STATE);
	EXPECT_TRUE(worker.isRunning());
	release.set_value();
	EXPECT_TRUE(worker.stop(seconds(10)));
	EXPECT_FALSE(worker.isRunning());
	EXPECT_TRUE(worker.start(waits()));
}

TEST_F(AWorker, WhoseWorkHasReturnedRunsNoMoreAndStartsAgain)
{
	std::promise<void> again;
	ASSERT_TRUE(worker.start([](const std::stop_token&) {}));
	ASSERT_TRUE(worker.awaitReady(seconds(10))); // its end is enough
	EXPECT_FALSE(worker.isRunning());
	ASSERT_TRUE(worker.start([&](const std::stop_token&) { again.set_value(); }));
	EXPECT_EQ(again.get_future().wait_for(seconds(10)), std::future_status::ready);
}

TEST_F(AWorker, IsAwaitedUntilItIsReady)
{
	ASSERT_TRUE(worker.start([this](const std::stop_token& stop) {
		worker.ready();
		waits()(stop);
	}));
	EXPECT_TRUE(worker.awaitReady(hours(1)));
	EXPECT_TRUE(worker.isRunning());
}

TEST_F(AWorker, ThatIsStoppedWhileItIsAwaitedIsCancelled)
{
	ASSERT_TRUE(worker.start(waits()));
	auto starting = std::async(std::launch::async, [&] { return worker.awaitReady(seconds(20)); });
	ASSERT_TRUE(worker.stop(seconds(10))); // before or while it waits: both cancel
	EXPECT_EQ(starting.get().code, ISSUER_E_CANCELLED);
}

TEST_F(AWorker, IsWokenBeforeItsTime)
{
	std::promise<void> awake;
	ASSERT_TRUE(worker.start([&](const std::stop_token& stop) {
		if (worker.waitUntil(kit::Worker::Clock::now() + hours(1), stop)) {
			awake.set_value();
		}
	}));
	worker.wakeUp();
	EXPECT_EQ(awake.get_future().wait_for(seconds(10)), std::future_status::ready);
}

TEST_F(AWorker, BlocksAllSignalsAndLeavesItsCallersMaskAlone)
{
	std::promise<bool> blocked;
	ASSERT_TRUE(worker.start([&](const std::stop_token&) {
		sigset_t mask;
		pthread_sigmask(SIG_SETMASK, nullptr, &mask);
		blocked.set_value(sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGPIPE) == 1);
	}));
	EXPECT_TRUE(blocked.get_future().get());
	sigset_t mask;
	pthread_sigmask(SIG_SETMASK, nullptr, &mask);
	EXPECT_EQ(sigismember(&mask, SIGTERM), 0);
}

TEST_F(AWorker, TellsOfExceptionsThatItsWorkDidNotCatch)
{
	ASSERT_TRUE(worker.start([](const std::stop_token&) { throw std::runtime_error("no such file"); }));
	EXPECT_EQ(logged.get_future().get(), "no such file");
	EXPECT_TRUE(worker.stop(seconds(10)));
}

} // namespace
} // namespace issuer::test
