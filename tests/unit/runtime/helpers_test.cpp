#include "runtime/helpers.h"

#include "eventually.h"
#include "no_threads.h"
#include "threads.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <future>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace issuer::vault::runtime::test {
namespace {

using namespace std::chrono_literals;

Helpers::Options options(unsigned most, unsigned mostEver, Duration stuckAfter)
{
	Helpers::Options chosen;
	chosen.most = most;
	chosen.mostEver = mostEver;
	chosen.stuckAfter = stuckAfter;
	return chosen;
}

/// Work that blocks until it is let go; by the end of the test it is.
class Gate
{
public:
	~Gate()
	{
		open();
		eventually([this] { return inside() == 0; });
	}
	[[nodiscard]] std::function<void()> work()
	{
		return [state = _state] {
			++state->entered;
			state->opened.wait();
			++state->left;
		};
	}
	void open()
	{
		if (!std::exchange(_open, true)) {
			_state->open.set_value();
		}
	}
	[[nodiscard]] int entered() const { return _state->entered; }
	[[nodiscard]] int inside() const { return _state->entered - _state->left; }

private:
	struct State
	{
		std::promise<void> open;
		std::shared_future<void> opened{open.get_future()};
		std::atomic<int> entered{0};
		std::atomic<int> left{0};
	};
	std::shared_ptr<State> _state = std::make_shared<State>();
	bool _open = false;
};

TEST(Helpers, WorkRunsOnceOnAThreadOfItsOwn)
{
	Helpers helpers;
	std::promise<std::thread::id> ran;
	ASSERT_TRUE(helpers.submit("a", [&] { ran.set_value(std::this_thread::get_id()); }));
	EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
}

TEST(Helpers, OneWithoutWorkEnds)
{
	Helpers helpers;
	std::promise<void> ran;
	ASSERT_TRUE(helpers.submit("a", [&] { ran.set_value(); }));
	ran.get_future().wait();
	EXPECT_TRUE(eventually([&] { return helpers.threads() == 0; }));
}

TEST(Helpers, WorkOfDifferentKeysRunsAtTheSameTime)
{
	Gate gate;
	Helpers helpers(options(3, 8, 1h));
	for (const char* key : {"a", "b", "c"}) {
		ASSERT_TRUE(helpers.submit(key, gate.work()));
	}
	EXPECT_TRUE(eventually([&] { return gate.inside() == 3; }));
}

TEST(Helpers, NoMoreRunThanAllowedWhileNoneIsStuck)
{
	Gate gate;
	Helpers helpers(options(3, 8, 1h));
	for (int i = 0; i < 6; ++i) {
		ASSERT_TRUE(helpers.submit(std::to_string(i), gate.work()));
	}
	ASSERT_TRUE(eventually([&] { return gate.inside() == 3; }));
	EXPECT_LE(helpers.threads(), 4U) << "three at work, and one that waits until they are stuck";
	gate.open();
	EXPECT_TRUE(eventually([&] { return gate.entered() == 6; }));
}

TEST(Helpers, OthersTakeThePlacesOfThoseThatAreStuckWithoutBeingAskedAgain)
{
	Gate stuck;
	Helpers helpers(options(2, 8, 10ms));
	for (int i = 0; i < 2; ++i) {
		ASSERT_TRUE(helpers.submit("dead " + std::to_string(i), stuck.work()));
	}
	std::promise<void> ran;
	ASSERT_TRUE(helpers.submit("good", [&] { ran.set_value(); }));
	EXPECT_EQ(ran.get_future().wait_for(patience), std::future_status::ready);
	EXPECT_EQ(stuck.inside(), 2);
}

TEST(Helpers, NeverMoreThanTheMostEver)
{
	Gate stuck;
	Helpers helpers(options(2, 5, 1ms));
	for (int i = 0; i < 20; ++i) {
		ASSERT_TRUE(helpers.submit("dead " + std::to_string(i), stuck.work()));
	}
	ASSERT_TRUE(eventually([&] { return stuck.inside() == 5; }));
	EXPECT_EQ(helpers.threads(), 5U);
	stuck.open();
	EXPECT_TRUE(eventually([&] { return stuck.entered() == 20; }));
}

TEST(Helpers, SlowKeysTakeHalfOfThem)
{
	Gate stuck;
	Helpers helpers(options(4, 16, 500ms)); // less, and a busy machine makes the good ones slow as well
	for (int i = 0; i < 4; ++i) {
		ASSERT_TRUE(helpers.submit("slow " + std::to_string(i), stuck.work()));
	}
	{
		Gate probe;
		for (int i = 0; i < 4; ++i) {
			ASSERT_TRUE(helpers.submit("probe", probe.work()));
		}
		ASSERT_TRUE(eventually([&] { return probe.inside() == 4; })) << "the four before are known to be stuck";
	}
	for (int i = 0; i < 16; ++i) {
		ASSERT_TRUE(helpers.submit("slow " + std::to_string(i % 4), stuck.work()));
	}
	for (int i = 0; i < 50; ++i) {
		std::promise<void> ran;
		ASSERT_TRUE(helpers.submit("good", [&] { ran.set_value(); }));
		ASSERT_EQ(ran.get_future().wait_for(patience), std::future_status::ready);
	}
	EXPECT_TRUE(eventually([&] { return stuck.inside() == 8; })) << "half of the most ever";
	Gate others;
	for (int i = 0; i < 8; ++i) {
		ASSERT_TRUE(helpers.submit("other " + std::to_string(i), others.work()));
	}
	EXPECT_TRUE(eventually([&] { return others.inside() == 8; })) << "the other half is for those that answer";
	EXPECT_EQ(stuck.inside(), 8);
	others.open(); // they may count as slow by now
	stuck.open();
	EXPECT_TRUE(eventually([&] { return stuck.entered() == 20; })) << "none of it is lost";
}

TEST(Helpers, AKeyThatAnswersAgainIsSlowNoLonger)
{
	Gate stuck;
	Helpers helpers(options(4, 8, 10ms));
	const auto run = [&](const std::string& key) {
		std::promise<void> ran;
		ASSERT_TRUE(helpers.submit(key, [&] { ran.set_value(); }));
		ASSERT_EQ(ran.get_future().wait_for(patience), std::future_status::ready);
	};
	{
		Gate healed;
		ASSERT_TRUE(helpers.submit("healed", healed.work()));
		const auto begun = std::chrono::steady_clock::now();
		while (std::chrono::steady_clock::now() - begun < 20ms) { // until it counts as stuck
			run("other");
		}
	}
	run("healed");
	run("healed");
	for (int i = 0; i < 4; ++i) {
		ASSERT_TRUE(helpers.submit("dead " + std::to_string(i), stuck.work()));
	}
	ASSERT_TRUE(eventually([&] { return stuck.inside() == 4; }));
	run("other"); // by a fifth: at least one of the four is known to be stuck
	ASSERT_TRUE(helpers.submit("dead 0", stuck.work()));
	run("healed"); // were it slow, it would wait behind the four for ever
}

TEST(Helpers, AnExceptionOfWorkEndsNeitherTheHelperNorTheProcess)
{
	Helpers helpers(options(1, 2, 1h));
	ASSERT_TRUE(helpers.submit("a", [] { throw std::runtime_error("no"); }));
	ASSERT_TRUE(helpers.submit("a", [] { throw 1; }));
	std::promise<void> ran;
	ASSERT_TRUE(helpers.submit("a", [&] { ran.set_value(); }));
	EXPECT_EQ(ran.get_future().wait_for(patience), std::future_status::ready);
}

TEST(Helpers, DestroyingThemWaitsForNoWorkAndDropsWhatIsQueued)
{
	Gate gate;
	auto helpers = std::make_unique<Helpers>(options(1, 2, 1h));
	const auto held = std::make_shared<int>(0);
	ASSERT_TRUE(helpers->submit("a", gate.work()));
	ASSERT_TRUE(eventually([&] { return gate.inside() == 1; }));
	ASSERT_TRUE(helpers->submit("a", [held] { FAIL() << "queued work has run"; }));
	helpers.reset();
	EXPECT_EQ(held.use_count(), 1);
	EXPECT_EQ(gate.inside(), 1);
}

TEST(Helpers, DestroyingThemLeavesNoThreadThatHasNoWork)
{
	{
		Helpers::Options patient;
		patient.linger = 1h;
		Helpers helpers(patient);
		std::promise<void> ran;
		ASSERT_TRUE(helpers.submit("a", [&] { ran.set_value(); }));
		ran.get_future().wait();
	}
	// The one that was about to go idle may have been left to end by itself.
	EXPECT_TRUE(eventually([] {
		return std::ranges::none_of(issuerThreads(), [](const auto& thread) { return thread.name == "issuer-helper"; });
	}));
}

TEST(Helpers, WithoutAnyThreadTheWorkIsNotTaken)
{
	Helpers helpers;
	const auto held = std::make_shared<int>(0);
	{
		const issuer::test::NoThreads none;
		EXPECT_FALSE(helpers.submit("a", [held] {}));
	}
	EXPECT_EQ(held.use_count(), 1);
	std::promise<void> ran;
	ASSERT_TRUE(helpers.submit("a", [&] { ran.set_value(); })) << "threads can be had again";
	EXPECT_EQ(ran.get_future().wait_for(patience), std::future_status::ready);
}

TEST(Helpers, WithoutAFurtherThreadTheOnesThereAreDoIt)
{
	Helpers helpers(options(4, 8, 1h));
	Gate gate;
	ASSERT_TRUE(helpers.submit("a", gate.work()));
	ASSERT_TRUE(eventually([&] { return gate.inside() == 1; }));
	std::promise<void> ran;
	{
		const issuer::test::NoThreads none;
		ASSERT_TRUE(helpers.submit("b", [&] { ran.set_value(); }));
		gate.open();
		EXPECT_EQ(ran.get_future().wait_for(patience), std::future_status::ready);
	}
}

TEST(Helpers, SignalsAreForTheHostsOwnThreads)
{
	Helpers helpers;
	std::promise<ThreadStatus> seen;
	ASSERT_TRUE(helpers.submit("a", [&] {
		for (const auto& thread : issuerThreads()) {
			if (thread.name == "issuer-helper") {
				return seen.set_value(thread);
			}
		}
		seen.set_value({});
	}));
	const auto status = seen.get_future().get();
	EXPECT_TRUE(status.blocks(SIGTERM));
	EXPECT_TRUE(status.blocks(SIGPIPE));
	EXPECT_FALSE(status.blocks(SIGSEGV));
}

TEST(Helpers, AForkedChildWaitsForNone)
{
	Helpers::Options patient;
	patient.linger = 1h;
	auto helpers = std::make_unique<Helpers>(patient);
	std::promise<void> ran;
	ASSERT_TRUE(helpers->submit("a", [&] { ran.set_value(); }));
	ran.get_future().wait();
	const pid_t child = ::fork();
	if (child == 0) {
		::alarm(20);
		helpers.reset();
		::_exit(0);
	}
	int status = -1;
	ASSERT_EQ(::waitpid(child, &status, 0), child);
	EXPECT_TRUE(WIFEXITED(status));
}

} // namespace
} // namespace issuer::vault::runtime::test
