#include <atomic>
#include <functional>
#include <future>
#include <gtest/gtest.h>
#include <issuer/kit/host_callbacks.h>
#include <latch>
#include <thread>

namespace issuer::test {
namespace {

void ignoreLine(void*, issuer_log_level, issuer_str, issuer_str) noexcept {}

const issuer_host host{sizeof host, ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, nullptr, ignoreLine, nullptr};

/// A recorder that does what it is given.
struct Doing
{
	explicit Doing(std::function<void()> work) : act(std::move(work)) {}

	static void record(void* ctx, const issuer_event*) noexcept { static_cast<Doing*>(ctx)->act(); }

	std::function<void()> act;
	const issuer_recorder table{sizeof table, 0, this, record};
};

TEST(TheHostsCallbacks, AreKnownToBeInsideAlsoThroughAnotherInstances)
{
	kit::HostCallbacks outer(host);
	kit::HostCallbacks inner(host);
	bool inOuter = false;
	bool inInner = false;
	Doing second([&] {
		inOuter = kit::CallbackScope::isInside(&outer);
		inInner = kit::CallbackScope::isInside(&inner);
	});
	Doing first([&] { inner.record({}); }); // as a host does that calls one instance from the callback of another
	outer.setRecorder(&first.table);
	inner.setRecorder(&second.table);
	EXPECT_FALSE(kit::CallbackScope::isInside(&outer));
	outer.record({});
	EXPECT_TRUE(inOuter);
	EXPECT_TRUE(inInner);
	EXPECT_FALSE(kit::CallbackScope::isInside(&outer));
	EXPECT_FALSE(kit::CallbackScope::isInside(&inner));
}

TEST(TheHostsCallbacks, AreInsideOnTheirThreadAlone)
{
	kit::HostCallbacks callbacks(host);
	bool elsewhere = true;
	Doing asking([&] {
		elsewhere = std::async(std::launch::async, [&] { return kit::CallbackScope::isInside(&callbacks); }).get();
	});
	callbacks.setRecorder(&asking.table);
	callbacks.record({});
	EXPECT_FALSE(elsewhere);
}

TEST(TheHostsCallbacks, SetNoRecorderWhileTheOneBeforeIsRunning)
{
	kit::HostCallbacks callbacks(host);
	std::latch entered(1);
	std::latch mayReturn(1);
	std::atomic<bool> returned = false;
	Doing blocking([&] {
		entered.count_down();
		mayReturn.wait();
		returned = true;
	});
	callbacks.setRecorder(&blocking.table);
	std::thread telling([&] { callbacks.record({}); });
	entered.wait();
	auto replaced = std::async(std::launch::async, [&] {
		callbacks.setRecorder(nullptr);
		return returned.load();
	});
	EXPECT_EQ(replaced.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
	mayReturn.count_down();
	EXPECT_TRUE(replaced.get()) << "set_recorder returned while the recorder before was running";
	telling.join();
	callbacks.record({}); // no recorder: dropped
}

} // namespace
} // namespace issuer::test
