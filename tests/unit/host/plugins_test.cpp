#include "loader/plugins.h"

#include "fixture_plugins.h"
#include "loader/library.h"
#include "temp_dir.h"

#include <csignal>
#include <gtest/gtest.h>
#include <issuer/handover.h>

namespace issuer::loader {
namespace {

namespace fs = std::filesystem;
namespace fixture = issuer::test::fixture;
using Release = Plugins::Release;

class PluginsOf : public testing::Test
{
protected:
	PluginsOf() { install(fixture::good); }

	void install(const fs::path& from) const
	{
		const fs::path next = file.string() + ".next";
		fs::copy_file(from, next);
		fs::rename(next, file);
	}

	std::string refusalOf(const PluginFile& which)
	{
		const auto opened = plugins.open(which);
		return opened ? "accepted" : opened.error().text;
	}

	issuer::test::TempDir temp;
	const fs::path file = fs::canonical(temp.path()) / "plugin.so";
	PluginLibraries plugins;
};

TEST_F(PluginsOf, AGoodPluginIsLoadedAndDescribed)
{
	const auto plugin = plugins.open({file, {}}).value();
	const Description& about = plugin->description();
	EXPECT_EQ(about.path, file);
	EXPECT_EQ(about.id, "io.issuer.fixture");
	EXPECT_EQ(about.name, "Fixture");
	EXPECT_EQ(about.version, "1.0.0");
	EXPECT_EQ(about.abiMajor, 1);
	EXPECT_EQ(about.structSize, sizeof(issuer_lifecycle));
	EXPECT_EQ(about.sha256.size(), 64U);
	EXPECT_NE(plugin->extension<issuer_handover_ext>(ISSUER_EXT_HANDOVER), nullptr);
	EXPECT_EQ(plugin->extension<void>("issuer.unknown/1"), nullptr);
}

struct Bad
{
	const char* name;
	const char* path;
	const char* reason;
};

void PrintTo(const Bad& bad, std::ostream* out)
{
	*out << bad.name;
}

class BadPlugin : public testing::TestWithParam<Bad>
{
};

TEST_P(BadPlugin, IsRefusedWithItsPathAndTheReasonAndLeavesNothingLoaded)
{
	PluginLibraries plugins;
	const auto opened = plugins.open({GetParam().path, {}});
	ASSERT_FALSE(opened);
	EXPECT_EQ(opened.error().text, std::string("plugin ") + GetParam().path + " refused: " + GetParam().reason);
	EXPECT_FALSE(isMapped(GetParam().path));
}

INSTANTIATE_TEST_SUITE_P(Fixtures, BadPlugin,
	testing::Values(Bad{"NoFile", "/nowhere/plugin.so", "there is no such file"},
		Bad{"MissingSymbol", fixture::missing_symbol,
			"exports no issuer_lifecycle_v1; was it linked with the version script?"},
		Bad{"Major2", fixture::major_2,
			"it speaks version 2.0 of the contract, this host speaks 1; take a plugin built for this "
			"host, or a newer host"},
		Bad{"ShortStruct", fixture::short_struct,
			"its table of functions is too short (56 bytes); was it built with a damaged header?"},
		Bad{"NullSlot", fixture::null_slot, "its function stop is missing"},
		Bad{"NullDescriptor", fixture::null_descriptor, "it has no descriptor"},
		Bad{"NotUtf8", fixture::not_utf8, "its descriptor's name is not UTF-8"},
		Bad{"NotElf", fixture::not_elf, "it is not an ELF file"},
		Bad{"Truncated", fixture::truncated, "it is truncated: the file ends before what its header promises"},
		Bad{"OtherArchitecture", fixture::other_architecture, "it is built for another machine"}),
	[](const auto& bad) { return std::string(bad.param.name); });

TEST_F(PluginsOf, TwoIssuersShareOneLoadedPlugin)
{
	auto first = plugins.open({file, {}}).value();
	auto second = plugins.open({file, {}}).value();
	EXPECT_EQ(first, second);
	EXPECT_EQ(plugins.release(std::move(first)), Release::inUse);
	EXPECT_TRUE(isMapped(file));
	EXPECT_EQ(plugins.release(std::move(second)), Release::closed);
	EXPECT_FALSE(isMapped(file));
}

TEST_F(PluginsOf, AfterItWasUnloadedAPathTakesAnotherVersion)
{
	plugins.release(plugins.open({file, {}}).value());
	install(fixture::good_next);
	EXPECT_EQ(plugins.open({file, {}}).value()->description().version, "2.0.0");
}

TEST_F(PluginsOf, AnotherVersionUnderALoadedPathIsRefusedAndNeverSilentlyTheOldCode)
{
	const auto running = plugins.open({file, {}}).value();
	install(fixture::good_next);
	EXPECT_EQ(refusalOf({file, {}}),
		"plugin " + file.string() +
			" refused: another version is still loaded from this path; install each version at a path of its own");
}

TEST_F(PluginsOf, ARetargetedLinkGivesTheNewCodeBesideTheOld)
{
	const fs::path next = temp.path() / "next.so";
	const fs::path link = temp.path() / "current.so";
	fs::copy_file(fixture::good_next, next);
	fs::create_symlink(file, link);
	const auto old = plugins.open({link, {}}).value();
	fs::remove(link);
	fs::create_symlink(next, link);
	EXPECT_EQ(plugins.open({link, {}}).value()->description().version, "2.0.0");
	EXPECT_EQ(old->description().version, "1.0.0");
}

TEST_F(PluginsOf, ASecondNameOfALoadedFileIsRefused)
{
	const auto running = plugins.open({file, {}}).value();
	const fs::path link = file.parent_path() / "link.so";
	fs::create_hard_link(file, link);
	EXPECT_EQ(refusalOf({link, {}}),
		"plugin " + link.string() +
			" refused: its file is already loaded under another name; copy it instead of linking it");
	EXPECT_EQ(refusalOf({file, {}}), "accepted");
}

TEST_F(PluginsOf, APinnedSumMustMatch)
{
	const std::string sum = plugins.open({file, {}}).value()->description().sha256;
	EXPECT_EQ(refusalOf({file, sum}), "accepted");
	const std::string other(64, '0');
	EXPECT_EQ(refusalOf({file, other}),
		"plugin " + file.string() + " refused: its SHA-256 is " + sum + ", the configuration wants " + other);
}

TEST_F(PluginsOf, APinnedSumMustMatchForAPluginThatIsAlreadyLoadedToo)
{
	const auto running = plugins.open({file, {}}).value();
	EXPECT_EQ(refusalOf({file, running->description().sha256}), "accepted");
	EXPECT_NE(refusalOf({file, std::string(64, '0')}), "accepted");
}

TEST_F(PluginsOf, SomethingElseThatKeepsTheLibraryIsReportedAsPinned)
{
	auto plugin = plugins.open({file, {}}).value();
	const auto other = loadLibrary(file).value();
	EXPECT_EQ(plugins.release(std::move(plugin)), Release::pinned);
	install(fixture::good_next);
	EXPECT_NE(refusalOf({file, {}}), "accepted"); // the loader would hand out the old code
}

TEST_F(PluginsOf, APluginThatMustNeverBeUnloadedIsNot)
{
	install(fixture::never_unload);
	EXPECT_EQ(plugins.release(plugins.open({file, {}}).value()), Release::pinned);
	EXPECT_TRUE(isMapped(file));
	EXPECT_EQ(refusalOf({file, {}}), "accepted");
}

TEST_F(PluginsOf, ABadPluginThatStaysInMemoryIsRefusedForTheSameReasonAgain)
{
	install(fixture::wrong_and_stays);
	const std::string reason = "plugin " + file.string() + " refused: it has no descriptor";
	EXPECT_EQ(refusalOf({file, {}}), reason);
	EXPECT_TRUE(isMapped(file));
	EXPECT_EQ(refusalOf({file, {}}), reason);
	install(fixture::good); // the loader would hand out the old code
	EXPECT_EQ(refusalOf({file, {}}),
		"plugin " + file.string() +
			" refused: another version is still loaded from this path; install each version at a path of its own");
}

TEST_F(PluginsOf, ABadPluginThatIsGoneMakesRoomForAGoodOne)
{
	install(fixture::null_descriptor);
	EXPECT_NE(refusalOf({file, {}}), "accepted");
	install(fixture::good);
	EXPECT_EQ(refusalOf({file, {}}), "accepted");
}

TEST(Library, LoadingOneThatBlocksSigpipeLeavesTheCallersSignalMaskAsItWas)
{
	sigset_t before;
	::sigemptyset(&before);
	::pthread_sigmask(SIG_SETMASK, &before, nullptr);
	EXPECT_FALSE(loadLibrary(ISSUER_BLOCKS_SIGPIPE)); // its initialiser has run, but it is not a plugin
	sigset_t after;
	::pthread_sigmask(SIG_SETMASK, nullptr, &after);
	EXPECT_EQ(::sigismember(&after, SIGPIPE), 0);
}

} // namespace
} // namespace issuer::loader
