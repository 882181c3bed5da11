// A change that inotify itself lost, or whose watch went while its path was walked, is hinted all the same.
#include "runtime/file_hints.h"

#include "eventually.h"
#include "jobs.h"
#include "runtime/work_scheduler.h"
#include "temp_dir.h"
#include "virtual_time.h"

#include <atomic>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <latch>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace {

std::function<void()> afterTheNextWatch; ///< of the test's own thread

} // namespace

/// Calls the C library's function, and then the action that a test has set.
extern "C" int inotify_add_watch(int inotify, const char* path, std::uint32_t mask) noexcept
{
	const auto number = static_cast<int>(::syscall(SYS_inotify_add_watch, inotify, path, mask));
	if (afterTheNextWatch) {
		std::exchange(afterTheNextWatch, nullptr)();
	}
	return number;
}

namespace issuer::vault::runtime {
namespace {

using issuer::test::TempDir;
using test::eventually;

class Counting final : public FileHints::Listener
{
public:
	void hint() noexcept override { ++hinted; }

	std::atomic<int> hinted = 0;
};

/// Blocks the thread that reads inotify's events, from the first hint on.
class HoldingUp final : public FileHints::Listener
{
public:
	void hint() noexcept override
	{
		if (!std::exchange(_held, true)) {
			entered.count_down();
			mayGoOn.wait();
		}
	}

	std::latch entered{1};
	std::latch mayGoOn{1};

private:
	bool _held = false;
};

class LostHints : public testing::Test
{
protected:
	~LostHints() override
	{
		hints.close();
		scheduler.close();
	}

	const TempDir temp;
	test::VirtualTime time;
	WorkScheduler scheduler{time, time, {}};
	FileHints hints{scheduler, time};
};

TEST_F(LostHints, AllAreHintedWhenTheKernelsQueueHasOverflowed)
{
	int room = 0;
	std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> room;
	ASSERT_GT(room, 0);
	HoldingUp first;
	Counting other;
	const std::string path = temp.write("first", "a");
	ASSERT_EQ(hints.follow(first, path), std::nullopt);
	ASSERT_EQ(hints.follow(other, temp.path() / "other"), std::nullopt);
	temp.write("first", "b");
	first.entered.wait();
	// Two names in turn: equal events one after the other are one.
	const std::string noise[] = {temp.write("x", ""), temp.write("y", "")};
	for (int change = 0; change <= room; ++change) {
		ASSERT_EQ(::chmod(noise[change % 2].c_str(), 0600), 0);
	}
	temp.write("other", "b"); // for which there was no room
	first.mayGoOn.count_down();
	EXPECT_TRUE(eventually([&] { return other.hinted > 0; }));
	hints.forget(first);
	hints.forget(other);
}

TEST_F(LostHints, ItsDescriptorIsClosedInProgramsTheHostStarts)
{
	Counting listener;
	ASSERT_EQ(hints.follow(listener, temp.write("token", "a")), std::nullopt);
	int found = 0;
	for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
		std::error_code gone;
		if (std::filesystem::read_symlink(entry, gone).string().find("inotify") != std::string::npos) {
			++found;
			EXPECT_EQ(::fcntl(std::stoi(entry.path().filename()), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		}
	}
	EXPECT_EQ(found, 1);
	hints.forget(listener);
}

TEST_F(LostHints, OneIsHintedWhoseDirectoryWasGivenUpWhileItsPathWasWalked)
{
	Counting before;
	Counting listener;
	const std::string path = temp.write("token", "a");
	ASSERT_EQ(hints.follow(before, path), std::nullopt);
	afterTheNextWatch = [&] { hints.forget(before); }; // takes the watch away, which both have in common
	ASSERT_EQ(hints.follow(listener, path), std::nullopt);
	EXPECT_GT(listener.hinted, 0) << "nothing watches the file, and it is not told to walk again";
	hints.forget(listener);
}

} // namespace
} // namespace issuer::vault::runtime
