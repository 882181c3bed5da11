#include "runtime/inotify_watch.h"

#include "eventually.h"
#include "jobs.h"
#include "runtime/work_scheduler.h"
#include "temp_dir.h"
#include "virtual_time.h"

#include <atomic>
#include <deque>
#include <fstream>
#include <gmock/gmock.h>
#include <latch>
#include <sys/resource.h>
#include <thread>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;
using issuer::test::TempDir;
using test::eventually;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Listener final : public FileListener
{
public:
	void changed() noexcept override { ++told; }

	std::atomic<int> told = 0;
};

/// How many directories the kernel watches for this process.
std::ptrdiff_t watchesOfTheKernel()
{
	std::ptrdiff_t watches = 0;
	for (const auto& descriptor : fs::directory_iterator("/proc/self/fdinfo")) {
		std::ifstream info(descriptor.path());
		for (std::string line; std::getline(info, line);) {
			watches += line.starts_with("inotify wd") ? 1 : 0;
		}
	}
	return watches;
}

class InotifyWatchTest : public testing::Test
{
protected:
	static constexpr Duration burst = 100ms;

	~InotifyWatchTest() override { scheduler.close(); }

	void watch(Listener& one, const fs::path& path) { EXPECT_EQ(files.add(one, path.string()), std::nullopt); }

	/// Bursts pass until it has been told.
	bool isTold(const Listener& one, int times = 1)
	{
		return eventually([&] {
			time.advance(burst);
			return one.told >= times;
		});
	}

	/// Until all that was done to files before is told.
	void settle()
	{
		Listener last;
		watch(last, temp.path() / "last");
		temp.write("last", "x");
		EXPECT_TRUE(isTold(last));
		temp.write("last", "y"); // all of one burst have been told when one of the next is
		EXPECT_TRUE(isTold(last, 2));
		files.remove(last);
	}

	/// As Kubernetes does it: a new directory, and a link to it that takes the place of the old one at once.
	void swapData(const std::string& version, std::string_view token) const
	{
		fs::create_directories(root / version);
		temp.write(version + "/token", token);
		fs::create_symlink(version, root / "..data_tmp");
		fs::rename(root / "..data_tmp", root / "..data");
	}

	const TempDir temp;
	const fs::path root = temp.path();
	test::VirtualTime time;
	WorkScheduler scheduler{time, time, {}};
	InotifyWatch files{scheduler, time, burst};
	Listener listener;
};

TEST_F(InotifyWatchTest, AWriteIsTold)
{
	const fs::path file = temp.write("token", "a");
	watch(listener, file);
	temp.write("token", "b");
	EXPECT_TRUE(isTold(listener));
	const int before = listener.told;
	temp.write("token", "c");
	EXPECT_TRUE(isTold(listener, before + 1));
}

TEST_F(InotifyWatchTest, AFileThatTakesAnothersPlaceIsTold)
{
	watch(listener, temp.write("token", "a"));
	fs::rename(temp.write("new", "b"), root / "token");
	EXPECT_TRUE(isTold(listener));
}

TEST_F(InotifyWatchTest, ARemovedFileAndItsReturnAreTold)
{
	watch(listener, temp.write("token", "a"));
	fs::remove(root / "token");
	EXPECT_TRUE(isTold(listener));
	const int before = listener.told;
	temp.write("token", "b");
	EXPECT_TRUE(isTold(listener, before + 1));
}

TEST_F(InotifyWatchTest, OtherPermissionsAreTold)
{
	watch(listener, temp.write("token", "a"));
	fs::permissions(root / "token", fs::perms::owner_read);
	EXPECT_TRUE(isTold(listener));
}

TEST_F(InotifyWatchTest, ReadingIsNotTold)
{
	watch(listener, temp.write("token", "a"));
	std::string text;
	std::ifstream(root / "token") >> text;
	settle();
	EXPECT_EQ(listener.told, 0);
}

TEST_F(InotifyWatchTest, NeighboursAreNotTold)
{
	watch(listener, temp.write("token", "a"));
	temp.write("token2", "b");
	settle();
	EXPECT_EQ(listener.told, 0);
}

TEST_F(InotifyWatchTest, ASwappedLinkIsToldAndItsNewTargetWatched)
{
	swapData("..v1", "a");
	fs::create_symlink("..data/token", root / "token");
	watch(listener, root / "token");
	swapData("..v2", "b");
	ASSERT_TRUE(isTold(listener));
	settle();
	int before = listener.told;
	temp.write("..v1/token", "old");
	settle();
	EXPECT_EQ(listener.told, before) << "the old target is of no interest";
	temp.write("..v2/token", "c");
	EXPECT_TRUE(isTold(listener, before + 1));
	before = listener.told;
	swapData("..v3", "d");
	EXPECT_TRUE(isTold(listener, before + 1));
}

TEST_F(InotifyWatchTest, AFileWhoseDirectoryAppearsLaterIsTold)
{
	watch(listener, root / "a/b/token");
	fs::create_directories(root / "a");
	ASSERT_TRUE(isTold(listener));
	fs::create_directories(root / "a/b");
	ASSERT_TRUE(isTold(listener, 2));
	settle();
	const int before = listener.told;
	temp.write("a/b/token", "x");
	EXPECT_TRUE(isTold(listener, before + 1));
}

TEST_F(InotifyWatchTest, ADirectoryThatGoesAndComesBackIsTold)
{
	fs::create_directories(root / "a");
	temp.write("a/token", "x");
	watch(listener, root / "a/token");
	fs::remove_all(root / "a");
	ASSERT_TRUE(isTold(listener));
	settle();
	int before = listener.told;
	fs::create_directories(root / "a");
	ASSERT_TRUE(isTold(listener, before + 1));
	settle();
	before = listener.told;
	temp.write("a/token", "y");
	EXPECT_TRUE(isTold(listener, before + 1));
}

TEST_F(InotifyWatchTest, ADirectoryThatIsReplacedIsTold)
{
	fs::create_directories(root / "a");
	fs::create_directories(root / "b");
	temp.write("a/token", "x");
	temp.write("b/token", "y");
	watch(listener, root / "a/token");
	fs::rename(root / "a", root / "old");
	fs::rename(root / "b", root / "a");
	ASSERT_TRUE(isTold(listener));
	settle();
	const int before = listener.told;
	temp.write("a/token", "z");
	EXPECT_TRUE(isTold(listener, before + 1));
}

TEST_F(InotifyWatchTest, ABurstIsToldOnce)
{
	watch(listener, temp.write("token", "a"));
	const int sets = time.sets();
	for (int i = 0; i < 20; ++i) {
		temp.write("token", std::to_string(i));
	}
	ASSERT_TRUE(eventually([&] { return time.sets() > sets; }));
	EXPECT_EQ(listener.told, 0) << "not before the burst has passed";
	time.advance(burst);
	EXPECT_TRUE(eventually([&] { return listener.told == 1; }));
	settle();
	EXPECT_LE(listener.told, 2) << "the second for those that came after the first was told";
}

TEST_F(InotifyWatchTest, ARemovedListenerIsNotToldAndItsDirectoryNotWatched)
{
	watch(listener, temp.write("token", "a"));
	EXPECT_EQ(files.watchedDirectories(), 1U);
	EXPECT_EQ(watchesOfTheKernel(), 1);
	files.remove(listener);
	EXPECT_EQ(files.watchedDirectories(), 0U);
	EXPECT_EQ(watchesOfTheKernel(), 0);
	temp.write("token", "b");
	settle();
	EXPECT_EQ(listener.told, 0);
	EXPECT_EQ(files.watchedDirectories(), 0U);
}

TEST_F(InotifyWatchTest, AListenerAddedAgainListensToItsLastPathOnly)
{
	watch(listener, temp.write("first", "a"));
	watch(listener, temp.write("second", "a"));
	settle();
	const int before = listener.told;
	temp.write("first", "b");
	settle();
	EXPECT_EQ(listener.told, before);
	temp.write("second", "b");
	EXPECT_TRUE(isTold(listener, before + 1));
}

TEST_F(InotifyWatchTest, RemoveOfOneNeverAddedIsFine)
{
	files.remove(listener);
}

TEST_F(InotifyWatchTest, TwoListenersOfOneFileAreBothToldAndEachCanLeave)
{
	Listener other;
	watch(listener, temp.write("token", "a"));
	watch(other, root / "token");
	temp.write("token", "b");
	EXPECT_TRUE(isTold(listener));
	EXPECT_TRUE(isTold(other));
	settle();
	const int before = other.told;
	files.remove(listener);
	temp.write("token", "c");
	EXPECT_TRUE(isTold(other, before + 1));
}

TEST_F(InotifyWatchTest, ThousandsOfFilesShareTheWatchOfTheirDirectory)
{
	constexpr int count = 3000;
	std::deque<Listener> listeners;
	for (int i = 0; i < count; ++i) {
		watch(listeners.emplace_back(), root / ("token" + std::to_string(i)));
	}
	EXPECT_EQ(files.watchedDirectories(), 1U);
	temp.write("token1234", "x");
	EXPECT_TRUE(isTold(listeners[1234]));
	settle();
	for (int i = 0; i < count; ++i) {
		EXPECT_TRUE(i == 1234 || listeners[static_cast<std::size_t>(i)].told == 0) << i;
		files.remove(listeners[static_cast<std::size_t>(i)]);
	}
	EXPECT_EQ(files.watchedDirectories(), 0U);
}

TEST_F(InotifyWatchTest, RemoveWaitsUntilTheListenerHasBeenTold)
{
	class Slow final : public FileListener
	{
	public:
		void changed() noexcept override
		{
			entered.count_down();
			while (!removing) {
				std::this_thread::yield();
			}
			for (int i = 0; i < 1000; ++i) {
				std::this_thread::yield();
			}
			EXPECT_FALSE(removed);
		}
		std::latch entered{1};
		std::atomic<bool> removing = false;
		std::atomic<bool> removed = false;
	} slow;
	EXPECT_EQ(files.add(slow, temp.write("token", "a").string()), std::nullopt);
	const int sets = time.sets();
	temp.write("token", "b");
	ASSERT_TRUE(eventually([&] { return time.sets() > sets; }));
	time.advance(burst);
	slow.entered.wait();
	slow.removing = true;
	files.remove(slow);
	slow.removed = true;
}

TEST_F(InotifyWatchTest, WhatCannotBeWatchedSaysWhy)
{
	rlimit limit{};
	::getrlimit(RLIMIT_NOFILE, &limit);
	rlimit none = limit;
	none.rlim_cur = 0;
	::setrlimit(RLIMIT_NOFILE, &none);
	const auto reason = files.add(listener, "/run/token");
	::setrlimit(RLIMIT_NOFILE, &limit);
	ASSERT_TRUE(reason);
	EXPECT_THAT(*reason, HasSubstr("/run/token"));
	EXPECT_THAT(*reason, HasSubstr("max_user_instances"));
	files.remove(listener);
	watch(listener, temp.write("token", "a"));
	temp.write("token", "b");
	EXPECT_TRUE(isTold(listener)) << "later there may be descriptors again";
}

/// Only the sanitizers and the end of the test have an opinion.
TEST_F(InotifyWatchTest, SurvivesListenersThatComeAndGoWhileFilesChange)
{
	std::deque<Listener> listeners(40);
	std::atomic<bool> done = false;
	std::jthread writer([&] {
		for (int i = 0; !done; ++i) {
			swapData("..v" + std::to_string(i % 3), "x");
			time.advance(burst);
		}
	});
	fs::create_symlink("..data/token", root / "token");
	{
		std::vector<std::jthread> threads;
		for (std::size_t thread = 0; thread < 2; ++thread) {
			threads.emplace_back([&, thread] {
				for (std::size_t i = 0; i < 500; ++i) {
					Listener& one = listeners[thread * 20 + i % 20];
					files.remove(one);
					static_cast<void>(files.add(one, (root / "token").string()));
				}
			});
		}
	}
	done = true;
	writer.join();
	for (Listener& one : listeners) {
		files.remove(one);
	}
	settle();
	EXPECT_EQ(files.watchedDirectories(), 0U);
}

} // namespace
} // namespace issuer::vault::runtime
