#include "abi/voice.h"

#include <atomic>
#include <functional>
#include <future>
#include <gtest/gtest.h>
#include <latch>
#include <thread>

namespace issuer::vault::abi {
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

TEST(AVoice, KnowsThatItIsInItsCallbackAlsoThroughAnotherInstances)
{
	Voice outer(host);
	Voice inner(host);
	bool inOuter = false;
	bool inInner = false;
	Doing second([&] {
		inOuter = outer.isInCallback();
		inInner = inner.isInCallback();
	});
	Doing first([&] { inner.event({}); }); // as a host does that calls one instance from the callback of another
	outer.setRecorder(&first.table);
	inner.setRecorder(&second.table);
	EXPECT_FALSE(outer.isInCallback());
	outer.event({});
	EXPECT_TRUE(inOuter);
	EXPECT_TRUE(inInner);
	EXPECT_FALSE(outer.isInCallback());
	EXPECT_FALSE(inner.isInCallback());
}

TEST(AVoice, IsInItsCallbackOnThatThreadAlone)
{
	Voice voice(host);
	bool elsewhere = true;
	Doing asking([&] { elsewhere = std::async(std::launch::async, [&] { return voice.isInCallback(); }).get(); });
	voice.setRecorder(&asking.table);
	voice.event({});
	EXPECT_FALSE(elsewhere);
}

TEST(AVoice, SetsNoRecorderWhileTheOneBeforeIsRunning)
{
	Voice voice(host);
	std::latch entered(1);
	std::latch mayReturn(1);
	std::atomic<bool> returned = false;
	Doing blocking([&] {
		entered.count_down();
		mayReturn.wait();
		returned = true;
	});
	voice.setRecorder(&blocking.table);
	std::thread telling([&] { voice.event({}); });
	entered.wait();
	auto replaced = std::async(std::launch::async, [&] {
		voice.setRecorder(nullptr);
		return returned.load();
	});
	EXPECT_EQ(replaced.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
	mayReturn.count_down();
	EXPECT_TRUE(replaced.get()) << "set_recorder returned while the recorder before was running";
	telling.join();
	voice.event({}); // to nobody
}

} // namespace
} // namespace issuer::vault::abi
