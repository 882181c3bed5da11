#include "loader/staging.h"

#include "emulation.h"
#include "fixture_plugins.h"
#include "loader/installed.h"
#include "loader/mapped_files.h"
#include "loader/plugins.h"
#include "loader/sha256.h"
#include "temp_dir.h"

#include <fcntl.h>
#include <fstream>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>
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
	void SetUp() override
	{
		if (issuer::test::underEmulation()) {
			GTEST_SKIP() << "the emulator cannot filter system calls, and no plugin is staged uninspected";
		}
	}

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

TEST_F(Staging, GivesAFileThatAHostLoadsAndNoInstallationOverwrites)
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

/// A plugin directory where a stage() is under way, in its lock and its folder.
class StagingUnderWay : public Staging
{
protected:
	void SetUp() override
	{
		Staging::SetUp();
		if (IsSkipped()) {
			return;
		}
		fs::create_directories(folder);
		lock = ::open(plugins.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ASSERT_EQ(::flock(lock, LOCK_SH), 0);
	}
	void TearDown() override { ::close(lock); }

	const fs::path folder = plugins / ".staging-Xy12Zz";
	int lock = -1;
};

TEST_F(StagingUnderWay, IsNotDisturbedByAnother)
{
	EXPECT_TRUE(stage(fixture::good, plugins));
	EXPECT_TRUE(fs::exists(folder));
}

TEST_F(StagingUnderWay, OfAProcessThatWasKilledIsClearedAwayByTheNext)
{
	ASSERT_EQ(::flock(lock, LOCK_UN), 0); // as the kernel does when a process ends
	const fs::path staged = stage(fixture::good, plugins).value();
	EXPECT_EQ(all(), std::vector<std::string>{staged.lexically_relative(plugins)});
}

TEST_F(Staging, MakesFoldersOfTheSameModeWhateverTheUmask)
{
	for (const mode_t mask : {0000U, 0077U}) {
		const fs::path own = plugins / std::to_string(mask);
		const mode_t before = ::umask(mask);
		const fs::path staged = stage(fixture::good, own / "plugins").value();
		::umask(before);
		for (fs::path path = staged.parent_path(); path != plugins.parent_path(); path = path.parent_path()) {
			EXPECT_EQ(fs::status(path).permissions(), fs::perms(0755)) << path;
		}
	}
}

TEST_F(Staging, ChecksTheSourceBeforeAnyOfItsCodeRuns)
{
	const fs::path source = temp.path() / "plugin.so";
	fs::copy_file(fixture::dies_in_load, source);
	fs::permissions(source, fs::perms(0666));
	EXPECT_THAT(stage(source, plugins).error().text, HasSubstr("writable by its group or by others"));
	fs::permissions(source, fs::perms(0600));
	EXPECT_THAT(stage(source, plugins).error().text, HasSubstr("it crashes while it is loaded: SIGABRT"));
	EXPECT_TRUE(all().empty());
}

TEST_F(Staging, RefusesSymbolicLinksOfOthersOnTheWay)
{
	if (::geteuid() != 0) {
		GTEST_SKIP() << "only root can give a link to another user";
	}
	constexpr uid_t stranger = 54321;
	fs::create_directory(plugins);
	const fs::path link = temp.path() / "link";
	const fs::path chained = temp.path() / "chained";
	fs::create_directory_symlink(plugins, link);
	fs::create_directory_symlink(link, chained);
	EXPECT_TRUE(stage(fixture::good, chained / "deeper"));
	ASSERT_EQ(::lchown(link.c_str(), stranger, stranger), 0);
	for (const fs::path& place : {link, chained, chained / "deeper"}) {
		EXPECT_THAT(stage(fixture::good, place).error().text, HasSubstr("link belongs to user 54321"));
	}
	fs::create_symlink(fixture::good, temp.path() / "plugin.so");
	ASSERT_EQ(::lchown((temp.path() / "plugin.so").c_str(), stranger, stranger), 0);
	EXPECT_THAT(stage(temp.path() / "plugin.so", plugins).error().text, HasSubstr("belongs to user 54321"));
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

TEST_F(Staging, AMappedFileIsSeenByNameAndByInode)
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
