#include "runtime/file_hints.h"

#include "eventually.h"
#include "jobs.h"
#include "runtime/work_scheduler.h"
#include "temp_dir.h"
#include "virtual_time.h"

#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <thread>

namespace issuer::vault::runtime {
namespace {

using issuer::test::TempDir;
using test::eventually;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Listener final : public FileHints::Listener
{
public:
	void hint() noexcept override { ++hinted; }

	std::atomic<int> hinted = 0;
};

/// Returns how many directories the kernel watches for this process.
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

class FileHintsTest : public testing::Test
{
protected:
	~FileHintsTest() override
	{
		hints.close();
		scheduler.close();
	}

	void follow(Listener& one, const fs::path& path) { EXPECT_EQ(hints.follow(one, path.string()), std::nullopt); }

	/// Until all that was done to files before has been heard.
	void settle()
	{
		Listener last;
		follow(last, root / "last");
		temp.write("last", "x");
		EXPECT_TRUE(eventually([&] { return last.hinted > 0; }));
		hints.forget(last);
	}

	/// Returns whether `act` brings a hint.
	template <class Act>
	bool isHinted(Listener& one, const Act& act)
	{
		settle();
		one.hinted = 0;
		act();
		settle();
		return one.hinted > 0;
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
	FileHints hints{scheduler, time};
	Listener listener;
};

TEST_F(FileHintsTest, AWriteIsHintedAgainAndAgain)
{
	follow(listener, temp.write("token", "a"));
	EXPECT_TRUE(isHinted(listener, [&] { temp.write("token", "b"); }));
	EXPECT_TRUE(isHinted(listener, [&] { temp.write("token", "c"); }));
}

TEST_F(FileHintsTest, ReplacementRemovalReturnAndPermissionsAreHinted)
{
	follow(listener, temp.write("token", "a"));
	EXPECT_TRUE(isHinted(listener, [&] { fs::rename(temp.write("new", "b"), root / "token"); }));
	EXPECT_TRUE(isHinted(listener, [&] { fs::permissions(root / "token", fs::perms::owner_read); }));
	EXPECT_TRUE(isHinted(listener, [&] { fs::remove(root / "token"); }));
	EXPECT_TRUE(isHinted(listener, [&] { temp.write("token", "c"); }));
}

TEST_F(FileHintsTest, NeitherReadingNorANeighbourIsHinted)
{
	follow(listener, temp.write("token", "a"));
	EXPECT_FALSE(isHinted(listener, [&] {
		std::string text;
		std::ifstream(root / "token") >> text;
		temp.write("token2", "b");
	}));
}

TEST_F(FileHintsTest, ASwappedLinkIsHintedAndFollowedAnewItsNewTargetIs)
{
	swapData("..v1", "a");
	fs::create_symlink("..data/token", root / "token");
	follow(listener, root / "token");
	EXPECT_TRUE(isHinted(listener, [&] { swapData("..v2", "b"); }));
	follow(listener, root / "token");
	EXPECT_FALSE(isHinted(listener, [&] { temp.write("..v1/token", "old"); })) << "no longer of interest";
	EXPECT_TRUE(isHinted(listener, [&] { temp.write("..v2/token", "c"); }));
	EXPECT_TRUE(isHinted(listener, [&] { swapData("..v3", "d"); }));
}

TEST_F(FileHintsTest, AFileWhoseDirectoryAppearsLaterIsHintedStepByStep)
{
	follow(listener, root / "a/b/token");
	EXPECT_TRUE(isHinted(listener, [&] { fs::create_directories(root / "a"); }));
	follow(listener, root / "a/b/token");
	EXPECT_TRUE(isHinted(listener, [&] { fs::create_directories(root / "a/b"); }));
	follow(listener, root / "a/b/token");
	EXPECT_TRUE(isHinted(listener, [&] { temp.write("a/b/token", "x"); }));
}

TEST_F(FileHintsTest, ADirectoryThatGoesOrIsReplacedIsHinted)
{
	fs::create_directories(root / "a");
	temp.write("a/token", "x");
	follow(listener, root / "a/token");
	EXPECT_TRUE(isHinted(listener, [&] { fs::rename(root / "a", root / "old"); }));
	follow(listener, root / "a/token");
	EXPECT_TRUE(isHinted(listener, [&] { fs::create_directories(root / "a"); }));
	follow(listener, root / "a/token");
	EXPECT_TRUE(isHinted(listener, [&] { fs::remove_all(root / "a"); }));
}

TEST_F(FileHintsTest, OneForgottenIsNotHintedAndItsDirectoryNotWatched)
{
	follow(listener, temp.write("token", "a"));
	EXPECT_EQ(hints.watchedDirectories(), 1U);
	EXPECT_EQ(watchesOfTheKernel(), 1);
	hints.forget(listener);
	EXPECT_EQ(hints.watchedDirectories(), 0U);
	EXPECT_EQ(watchesOfTheKernel(), 0);
	EXPECT_FALSE(isHinted(listener, [&] { temp.write("token", "b"); }));
	hints.forget(listener);
}

TEST_F(FileHintsTest, TwoOfOneFileAreBothHintedAndEachCanLeave)
{
	Listener other;
	follow(listener, temp.write("token", "a"));
	follow(other, root / "token");
	EXPECT_TRUE(isHinted(listener, [&] { temp.write("token", "b"); }));
	EXPECT_GT(other.hinted, 0);
	hints.forget(listener);
	EXPECT_TRUE(isHinted(other, [&] { temp.write("token", "c"); }));
	hints.forget(other);
}

TEST_F(FileHintsTest, ThousandsOfFilesShareTheWatchOfTheirDirectory)
{
	std::deque<Listener> listeners(3000);
	for (std::size_t i = 0; i < listeners.size(); ++i) {
		follow(listeners[i], root / ("token" + std::to_string(i)));
	}
	EXPECT_EQ(hints.watchedDirectories(), 1U);
	EXPECT_TRUE(isHinted(listeners[1234], [&] { temp.write("token1234", "x"); }));
	for (std::size_t i = 0; i < listeners.size(); ++i) {
		EXPECT_TRUE(i == 1234 || listeners[i].hinted == 0) << i;
		hints.forget(listeners[i]);
	}
	EXPECT_EQ(hints.watchedDirectories(), 0U);
}

TEST_F(FileHintsTest, AnUnwatchablePathSaysWhy)
{
	rlimit limit{};
	::getrlimit(RLIMIT_NOFILE, &limit);
	rlimit none = limit;
	none.rlim_cur = 0;
	::setrlimit(RLIMIT_NOFILE, &none);
	const auto reason = hints.follow(listener, "/run/token");
	::setrlimit(RLIMIT_NOFILE, &limit);
	ASSERT_TRUE(reason);
	EXPECT_THAT(*reason, HasSubstr("/run/token"));
	EXPECT_THAT(*reason, HasSubstr("max_user_instances"));
	follow(listener, temp.write("token", "a"));
	EXPECT_TRUE(isHinted(listener, [&] { temp.write("token", "b"); })) << "later there may be descriptors again";
}

/// Only the sanitizers and the end of the test have an opinion.
TEST_F(FileHintsTest, SurvivesListenersThatComeAndGoWhileFilesChange)
{
	std::deque<Listener> listeners(40);
	std::atomic<bool> done = false;
	std::jthread writer([&] {
		for (int i = 0; !done; ++i) {
			swapData("..v" + std::to_string(i % 3), "x");
		}
	});
	fs::create_symlink("..data/token", root / "token");
	{
		std::vector<std::jthread> threads;
		for (std::size_t thread = 0; thread < 2; ++thread) {
			threads.emplace_back([&, thread] {
				for (std::size_t i = 0; i < 500; ++i) {
					Listener& one = listeners[thread * 20 + i % 20];
					hints.forget(one);
					static_cast<void>(hints.follow(one, (root / "token").string()));
				}
			});
		}
	}
	done = true;
	writer.join();
	for (Listener& one : listeners) {
		hints.forget(one);
	}
	EXPECT_EQ(hints.watchedDirectories(), 0U);
}

} // namespace
} // namespace issuer::vault::runtime
