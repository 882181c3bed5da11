#include "fixture_plugins.h"
#include "program_issuers.h"

#include <unistd.h>

namespace issuer {
namespace {

namespace fs = std::filesystem;
namespace fixture = issuer::test::fixture;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Returns whether `text` has characters that control a terminal: C0 without line ends, DEL, and C1 in UTF-8.
bool drivesTerminal(const std::string& text)
{
	for (std::size_t i = 0; i < text.size(); ++i) {
		const auto byte = static_cast<unsigned char>(text[i]);
		const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
		if ((byte < 0x20 && byte != '\n') || byte == 0x7F || (byte == 0xC2 && next < 0xA0)) {
			return true;
		}
	}
	return false;
}

using ProgramInspection = issuer::test::ProgramWithIssuers;

TEST_F(ProgramInspection, RunsForeignCodeWithoutTheRightsToDoHarm)
{
	for (const char* form : {"", "--json"}) {
		std::string said;
		std::vector<std::string> arguments{"inspect", fixture::harms_in_load};
		if (*form != '\0') {
			arguments.emplace_back(form);
		}
		EXPECT_EQ(run(arguments, &said), 0) << said;
		EXPECT_THAT(said, AllOf(HasSubstr("io.issuer.fixture"), Not(HasSubstr("foreign"))));
		EXPECT_FALSE(drivesTerminal(said)) << said;
	}
	std::string said;
	EXPECT_EQ(run({"stage", fixture::harms_in_load, "--plugin-dir", temp.path() / "plugins"}, &said), 0) << said;
	EXPECT_THAT(said, Not(HasSubstr("foreign")));
}

TEST_F(ProgramInspection, NamesWhatHangsOrCrashesWhileItIsLoaded)
{
	const fs::path plugins = temp.path() / "plugins";
	std::string said;
	EXPECT_EQ(run({"inspect", fixture::dies_in_load}, &said), 65);
	EXPECT_THAT(said, HasSubstr("it crashes while it is loaded: SIGABRT"));
	EXPECT_EQ(run({"inspect", fixture::hangs_in_load}, &said), 65);
	EXPECT_THAT(said, HasSubstr("it hangs while it is loaded"));
	EXPECT_EQ(run({"inspect", fixture::good}, &said), 0);
	EXPECT_THAT(said, AllOf(HasSubstr("Fixture"), HasSubstr("issuer.handover/1")));
}

TEST_F(ProgramInspection, RefusesASourceThatOthersCouldExchange)
{
	const fs::path plugin = temp.path() / "plugin.so";
	fs::copy_file(fixture::dies_in_load, plugin); // which would say so if its code ran
	fs::permissions(plugin, fs::perms(0777));
	for (const char* command : {"inspect", "stage"}) {
		std::string said;
		EXPECT_EQ(run({command, plugin}, &said), 65);
		EXPECT_THAT(said, AllOf(HasSubstr("writable by its group or by others"), Not(HasSubstr("crashes"))));
	}
}

TEST_F(ProgramInspection, GcShowsNoForeignBytesAndFollowsNoForeignLink)
{
	const fs::path plugins = fs::canonical(temp.path()) / "plugins";
	for (const char* version : {"1.0.0\033[31m", "2.0.0"}) {
		fs::create_directories(plugins / "evil" / version);
		fs::copy_file(fixture::good, plugins / "evil" / version / "evil_plugin.so");
	}
	fs::create_directory_symlink(plugins / "evil", plugins / "linked");
	std::string said;
	EXPECT_EQ(run({"gc", "--dry-run", "--plugin-dir", plugins}, &said), 0) << said;
	EXPECT_THAT(said, AllOf(HasSubstr("/evil/1.0.0 [31m/evil_plugin.so\n"), Not(HasSubstr("linked"))));
	EXPECT_FALSE(drivesTerminal(said));
	fs::permissions(plugins, fs::perms(0777));
	EXPECT_EQ(run({"gc", "--plugin-dir", plugins}, &said), 70);
	EXPECT_THAT(said, HasSubstr("nothing is removed there: " + plugins.string() + " is writable by"));
	EXPECT_TRUE(fs::exists(plugins / "evil/1.0.0\033[31m/evil_plugin.so"));
}

} // namespace
} // namespace issuer
