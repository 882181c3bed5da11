#include "runtime/shared_runtime.h"

#include "eventually.h"
#include "jobs.h"
#include "threads.h"

#include <algorithm>
#include <deque>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <latch>
#include <set>
#include <string>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;
using test::Chore;
using test::Counter;
using test::eventually;
using test::Hanging;
using test::patience;

constexpr Instant anyUrgency{};

/// A thread that has been joined may still be seen for a moment.
bool noThreadIsLeft()
{
	return eventually([] { return test::issuerThreads().empty(); });
}

std::set<std::string> openDescriptors()
{
	std::set<std::string> open;
	for (const auto& descriptor : std::filesystem::directory_iterator("/proc/self/fd")) {
		open.insert(descriptor.path().filename());
	}
	return open;
}

TEST(SharedRuntime, HasNoThreadBeforeItsFirstInstanceRuns)
{
	const SharedRuntime library;
	EXPECT_TRUE(noThreadIsLeft());
}

TEST(SharedRuntime, AllInstancesShareOneRuntime)
{
	SharedRuntime library;
	const auto first = library.acquire();
	EXPECT_EQ(library.acquire(), first);
}

TEST(SharedRuntime, NoThreadIsLeftOnceTheLastInstanceHasStopped)
{
	SharedRuntime library;
	auto first = library.acquire();
	auto second = library.acquire();
	first.reset();
	EXPECT_TRUE(eventually([] { return test::issuerThreads().size() == 1; }));
	second.reset();
	EXPECT_TRUE(noThreadIsLeft());
}

TEST(SharedRuntime, ComesBackWithTheNextInstanceAndLeavesNoDescriptorBehind)
{
	SharedRuntime library;
	const auto before = openDescriptors();
	for (int round = 0; round < 20; ++round) {
		Counter runs;
		Chore job(runs);
		const auto runtime = library.acquire();
		runtime->scheduler().arm(job, runtime->clock().now().boot, anyUrgency);
		EXPECT_TRUE(runs.reaches(1));
		EXPECT_TRUE(runtime->scheduler().halt(job, patience));
	}
	EXPECT_TRUE(noThreadIsLeft());
	EXPECT_EQ(openDescriptors(), before);
}

TEST(SharedRuntime, StopsARuntimeThatIsStillHeldAsTheProcessEnds)
{
	std::latch running(1);
	Hanging hanging([&] { running.count_down(); });
	Counter runs;
	Chore late(runs);
	std::shared_ptr<Runtime> leaked;
	{
		SharedRuntime library;
		leaked = library.acquire();
		leaked->scheduler().arm(hanging, leaked->clock().now().boot, anyUrgency);
		running.wait();
	}
	EXPECT_TRUE(noThreadIsLeft());
	leaked->scheduler().arm(late, leaked->clock().now().boot, anyUrgency);
	EXPECT_TRUE(leaked->scheduler().halt(late, 0s));
	EXPECT_TRUE(leaked->scheduler().halt(hanging, 0s));
	EXPECT_EQ(runs.value(), 0);
}

TEST(Runtime, RunsAJobOnTheMachinesClockNotBeforeItsTime)
{
	Runtime runtime;
	Counter runs;
	const Instant at = runtime.clock().now().boot + 5ms;
	Chore job([&] {
		EXPECT_GE(runtime.clock().now().boot, at);
		runs.raise();
	});
	runtime.scheduler().arm(job, at, anyUrgency);
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_TRUE(runtime.scheduler().halt(job, patience));
}

TEST(Runtime, AtRestTenThousandJobsAreTwoThreadsAtMost)
{
	Runtime runtime;
	std::deque<Chore> jobs;
	for (int i = 0; i < 10000; ++i) {
		runtime.scheduler().arm(jobs.emplace_back([] {}), runtime.clock().now().boot + 1h, anyUrgency);
	}
	Counter runs;
	runtime.scheduler().arm(jobs.emplace_back(runs), runtime.clock().now().boot, anyUrgency);
	EXPECT_TRUE(runs.reaches(1));
	EXPECT_TRUE(eventually([] { return test::issuerThreads().size() == 2; }));
	for (Chore& job : jobs) {
		EXPECT_TRUE(runtime.scheduler().halt(job, patience));
	}
}

TEST(Runtime, ItsDescriptorsAreClosedInProgramsTheHostStarts)
{
	const auto before = openDescriptors();
	Runtime runtime;
	const auto after = openDescriptors();
	std::vector<std::string> own;
	std::set_difference(after.begin(), after.end(), before.begin(), before.end(), std::back_inserter(own));
	EXPECT_GE(own.size(), 4U); // epoll, its two events, timer
	for (const std::string& descriptor : own) {
		EXPECT_NE(::fcntl(std::stoi(descriptor), F_GETFD) & FD_CLOEXEC, 0) << descriptor;
	}
}

TEST(Runtime, CanBeClosedMoreThanOnce)
{
	Runtime runtime;
	runtime.close();
	runtime.close();
	EXPECT_TRUE(noThreadIsLeft());
}

} // namespace
} // namespace issuer::vault::runtime
