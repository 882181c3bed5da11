#include "loader/staging.h"

#include "fixture_plugins.h"
#include "loader/installed.h"
#include "loader/mapped_files.h"
#include "loader/plugins.h"
#include "loader/sha256.h"
#include "temp_dir.h"

#include <array>
#include <csignal>
#include <fstream>
#include <future>
#include <gmock/gmock.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace issuer::loader {
namespace {

namespace fs = std::filesystem;
namespace fixture = issuer::test::fixture;
using testing::HasSubstr;
using testing::StartsWith;

class Staging : public testing::Test
{
protected:
	/// Everything under the plugin directory, hidden or not.
	[[nodiscard]] std::vector<std::string> all() const
	{
		std::vector<std::string> found;
		for (const auto& entry : fs::recursive_directory_iterator(plugins)) {
			if (!entry.is_directory() || entry.path().filename().string().starts_with('.')) {
				found.push_back(entry.path().lexically_relative(plugins));
			}
		}
		return found;
	}

	issuer::test::TempDir temp;
	const fs::path plugins = fs::canonical(temp.path()) / "plugins";
};

TEST_F(Staging, CopiesAPluginToThePathOfItsVersionAndContent)
{
	const fs::path staged = stage(fixture::good, plugins).value();
	const std::string sum = sha256Of(fixture::good).value();
	EXPECT_EQ(staged, plugins / "fixture" / ("1.0.0-" + sum.substr(0, 12)) / "fixture_plugin.so");
	EXPECT_EQ(sha256Of(staged).value(), sum);
	EXPECT_EQ(all(), std::vector<std::string>{staged.lexically_relative(plugins)});
}

TEST_F(Staging, GivesWhatAHostWillLoadAndNobodyWillOverwrite)
{
	const fs::path staged = stage(fixture::good, plugins).value();
	struct stat status
	{
	};
	ASSERT_EQ(::stat(staged.c_str(), &status), 0);
	EXPECT_EQ(status.st_mode & 07777, 0444U);
	PluginLibraries libraries;
	const auto loaded = libraries.open({staged, {}});
	EXPECT_TRUE(loaded) << loaded.error().text;
}

TEST_F(Staging, MayBeRepeatedAlsoWhileItRuns)
{
	const fs::path first = stage(fixture::good, plugins).value();
	PluginLibraries libraries;
	const auto running = libraries.open({first, {}}).value();
	struct stat before
	{
	};
	ASSERT_EQ(::stat(first.c_str(), &before), 0);
	EXPECT_EQ(stage(fixture::good, plugins).value(), first);
	struct stat after
	{
	};
	ASSERT_EQ(::stat(first.c_str(), &after), 0);
	EXPECT_EQ(before.st_ino, after.st_ino);
	EXPECT_EQ(all().size(), 1U);
}

TEST_F(Staging, KeepsVersionsAndBuildsApart)
{
	EXPECT_NE(stage(fixture::good, plugins).value(), stage(fixture::good_next, plugins).value());
	EXPECT_NE(stage(fixture::good_next, plugins).value(), stage(fixture::import_fails, plugins).value());
	const auto versions = installedVersions(plugins, "fixture");
	ASSERT_EQ(versions.size(), 3U);
	EXPECT_EQ(versions[0].version, "2.0.0");
	EXPECT_EQ(versions[0].sum, sha256Of(fixture::import_fails)->substr(0, 12)); // of two builds the later one
	EXPECT_EQ(versions[2].version, "1.0.0");
}

TEST_F(Staging, RefusesWhatNoHostWouldLoadAndLeavesNothingBehind)
{
	for (const char* bad : {fixture::truncated, fixture::not_elf, fixture::major_2, fixture::missing_symbol,
			 fixture::not_utf8, "/nowhere/plugin.so", "/dev/null"}) {
		const auto refused = stage(bad, plugins);
		ASSERT_FALSE(refused);
		EXPECT_THAT(refused.error().text, StartsWith(std::string("plugin ") + bad + " refused: "));
		EXPECT_THAT(refused.error().text, testing::Not(HasSubstr(".staging")));
	}
	EXPECT_TRUE(all().empty());
}

TEST_F(Staging, NeverLetsAVersionLeadElsewhere)
{
	EXPECT_THAT(stage(fixture::wandering_version, plugins).error().text,
		HasSubstr("its version \"../../1.0.0\" cannot be a file's name"));
	EXPECT_THAT(stage(fixture::hidden_version, plugins).error().text,
		HasSubstr("its version \".hidden\" cannot be a file's name"));
	EXPECT_TRUE(all().empty());
}

/// A plugin directory where a stage() is under way, of a file that never comes.
class StagingUnderWay : public Staging
{
protected:
	void SetUp() override
	{
		fs::create_directory(plugins);
		ASSERT_EQ(::mkfifo(slow.c_str(), 0600), 0);
		notify = ::inotify_init1(IN_CLOEXEC);
		ASSERT_GE(::inotify_add_watch(notify, plugins.c_str(), IN_CREATE), 0);
	}
	void TearDown() override { ::close(notify); }

	void awaitFolder() const
	{
		alignas(inotify_event) std::array<char, 4096> events{};
		ASSERT_GT(::read(notify, events.data(), events.size()), 0);
		ASSERT_EQ(all().size(), 1U);
	}

	const fs::path slow = temp.path() / "slow.so";
	int notify = -1;
};

TEST_F(StagingUnderWay, IsNotDisturbedByAnother)
{
	auto under = std::async(std::launch::async, [&] { return stage(slow, plugins); });
	awaitFolder();
	EXPECT_TRUE(stage(fixture::good, plugins));
	EXPECT_EQ(all().size(), 2U); // the folder of the one, the plugin of the other
	const std::ofstream comes(slow);
	EXPECT_THAT(under.get().error().text, HasSubstr("it is not a regular file"));
	EXPECT_EQ(all().size(), 1U);
}

TEST_F(StagingUnderWay, OfAProcessThatWasKilledIsClearedAwayByTheNext)
{
	const pid_t child = ::fork();
	if (child == 0) {
		static_cast<void>(stage(slow, plugins));
		::_exit(0);
	}
	awaitFolder();
	ASSERT_EQ(::kill(child, SIGKILL), 0);
	ASSERT_EQ(::waitpid(child, nullptr, 0), child);
	const fs::path staged = stage(fixture::good, plugins).value();
	EXPECT_EQ(all(), std::vector<std::string>{staged.lexically_relative(plugins)});
}

TEST_F(Staging, SaysThatADamagedFileIsInItsPlace)
{
	const fs::path staged = stage(fixture::good, plugins).value();
	fs::permissions(staged, fs::perms::owner_all);
	fs::resize_file(staged, 100);
	EXPECT_THAT(stage(fixture::good, plugins).error().text, HasSubstr("is there already and is damaged"));
}

TEST_F(Staging, RefusesAPlaceThatOthersMayWriteTo)
{
	fs::create_directory(plugins);
	fs::permissions(plugins, fs::perms::all);
	EXPECT_THAT(stage(fixture::good, plugins).error().text, HasSubstr("writable by its group or by others"));
}

TEST_F(Staging, WhatIsMappedIsSeenByNameAndByInode)
{
	const fs::path staged = stage(fixture::good, plugins).value();
	EXPECT_FALSE(mappedFiles().contains(staged));
	PluginLibraries libraries;
	const auto loaded = libraries.open({staged, {}}).value();
	EXPECT_TRUE(mappedFiles().contains(staged));
	const fs::path other = plugins / "other name";
	fs::create_hard_link(staged, other);
	EXPECT_TRUE(mappedFiles().contains(other));
}

} // namespace
} // namespace issuer::loader
