#include "fixture_plugins.h"
#include "program_issuers.h"

#include <sys/stat.h>

namespace issuer {
namespace {

namespace fs = std::filesystem;
namespace fixture = issuer::test::fixture;
using issuer::test::Program;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ProgramReload : public issuer::test::ProgramWithIssuers
{
protected:
	/// A plugin at a path of its own.
	[[nodiscard]] fs::path copied(const char* plugin, const std::string& name) const
	{
		const fs::path path = fs::canonical(temp.path()) / name;
		fs::copy_file(plugin, path);
		return path;
	}
};

TEST_F(ProgramReload, HasASentenceForEachThingThatChangedAndThatDidNot)
{
	configure(issuer("kept", fixture::good) + ',' + issuer("other", fixture::good) + ',' +
			  issuer("gone", fixture::good) + ',' + issuer("rolls", fixture::good));
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("kept   started", "other  started", "gone   started", "rolls  started"), "");
	configure(issuer("kept", fixture::good) + ',' + issuer("other", fixture::good, R"({"a":1})") + ',' +
			  issuer("rolls", fixture::start_fails) + ',' + issuer("new", fixture::good_next));

	std::string said;
	EXPECT_EQ(ask({"reload", "--dry-run"}, &said), 0) << said;
	EXPECT_THAT(said,
		AllOf(HasSubstr("issuer other would be swapped: another configuration\n"),
			HasSubstr("issuer rolls would be swapped: another plugin, "), HasSubstr("issuer new would be added\n"),
			HasSubstr("issuer gone would be stopped and removed\n"), HasSubstr("1 issuer untouched")));
	EXPECT_EQ(ask({"status", "gone", "--json"}, &said), 0);
	EXPECT_THAT(said, HasSubstr("\"phase\":\"running\""));

	EXPECT_EQ(ask({"reload", "--wait"}, &said), 75);
	EXPECT_THAT(said,
		AllOf(HasSubstr("issuer other is swapped: another configuration\n"),
			HasSubstr("issuer rolls goes on as before: the new one does not start: this fixture never starts\n"),
			HasSubstr("issuer new is added and starts in its own time\n"), HasSubstr("issuer gone is removed\n")));
	configure(issuer("kept", fixture::good) + ',' + issuer("other", fixture::good, R"({"a":1})") + ',' +
			  issuer("rolls", fixture::good) + ',' + issuer("new", fixture::good_next));
	EXPECT_EQ(ask({"reload", "--wait"}, &said), 0);
	EXPECT_EQ(said, "4 issuers untouched\n");
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramReload, SaysOfEachSettingThatCannotChangeWhileTheHostRuns)
{
	const std::string plain = R"(,"stop_timeout":"1s","control":")" + control + '"';
	const struct
	{
		const char* setting;
		const char* value;
	} settings[] = {
		{"stop_timeout", R"("2s")"},
		{"swap_timeout", R"("2s")"},
		{"control", R"("elsewhere.sock")"},
		{"control_group", R"("root")"},
		{"http", R"({"listen":"127.0.0.1:0"})"},
		{"journal", R"({"file":"j"})"},
		{"exec", R"([{"on":["dead"],"command":["/bin/true"]}])"},
	};
	configure(issuer("a", fixture::good), plain);
	Program program({"run", "--config", config});
	ASSERT_NE(program.lineWith("a     started"), "");
	for (const auto& [setting, value] : settings) {
		const std::string key = '"' + std::string(setting) + "\":";
		std::string more = plain;
		const std::size_t there = more.find(key);
		if (there != std::string::npos) {
			more.erase(there - 1, more.find_first_of(",", there) - there + 1);
		}
		configure(issuer("a", fixture::good), more + ',' + key + value);
		for (const char* mode : {"--dry-run", "--wait"}) {
			std::string said;
			EXPECT_EQ(ask({"reload", mode}, &said), 1) << setting;
			EXPECT_THAT(said, HasSubstr(std::string(setting) +
										" is another now, which cannot change while the host runs: restart it\n"));
			for (const auto& other : settings) {
				EXPECT_EQ(said.find(std::string(other.setting) + " is another") == std::string::npos,
					std::string_view(other.setting) != setting)
					<< said;
			}
		}
		EXPECT_THAT(program.lineWith("reloaded"), HasSubstr(std::string(setting) + " is another now"));
	}
	configure(issuer("a", fixture::good), plain);
	std::string said;
	EXPECT_EQ(ask({"reload", "--wait"}, &said), 0) << said;
	EXPECT_THAT(said, Not(HasSubstr("is another")));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramReload, LeavesTheControlSocketToTheCommandLineThatNamesIt)
{
	configure(issuer("a", fixture::good));
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("a     started"), "");
	configure(issuer("a", fixture::good), R"(,"stop_timeout":"1s","swap_timeout":"1s","control":"c.sock")");
	std::string said;
	EXPECT_EQ(ask({"reload", "--wait"}, &said), 0) << said;
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramReload, FollowsASymbolicLinkThatWasMoved)
{
	const fs::path link = fs::canonical(temp.path()) / "current.so";
	fs::create_symlink(fixture::good, link);
	configure(issuer("a", link));
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("a     started"), "");
	fs::remove(link);
	fs::create_symlink(fixture::good_next, link);
	std::string said;
	EXPECT_EQ(ask({"reload", "--wait"}, &said), 0);
	EXPECT_THAT(said, HasSubstr(std::string("issuer a is swapped: its path leads to ") + fixture::good_next + " now"));
	EXPECT_THAT(program.lineWith("swapped"), HasSubstr("from Fixture 1.0.0 to Fixture 2.0.0"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramReload, SaysThatAPluginWasOverwrittenInItsPlace)
{
	const fs::path plugin = copied(fixture::good, "plugin.so");
	configure(issuer("a", plugin) + ',' + issuer("b", plugin));
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("a     started", "b     started"), "");
	fs::rename(copied(fixture::good_next, "next.so"), plugin);
	std::string said;
	EXPECT_EQ(ask({"reload", "--wait"}, &said), 1);
	EXPECT_THAT(said, HasSubstr("2 issuers go on with what was loaded from " + plugin.string() +
								", which cannot change while the host runs"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramReload, RefusesAWrongConfigurationAndChangesNothing)
{
	configure(issuer("a", fixture::good));
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("a     started"), "");
	configure(issuer("a", fixture::major_2) + ',' + issuer("b", fixture::create_fails));
	for (const char* mode : {"--dry-run", "--wait", "--json"}) {
		std::string said;
		EXPECT_EQ(ask({"reload", mode}, &said), 78);
		EXPECT_THAT(said, AllOf(HasSubstr("speaks version 2.0"), HasSubstr("this fixture refuses every configuration"),
							  HasSubstr("nothing w")));
	}
	fs::remove(config);
	ASSERT_EQ(::mkfifo(config.c_str(), 0600), 0);
	std::string said;
	EXPECT_EQ(ask({"reload"}, &said), 75);
	EXPECT_THAT(said, HasSubstr("neither its file system nor a writer has answered"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
	EXPECT_EQ(ask({"reload"}), 69);
}

TEST_F(ProgramReload, WaitsForNoIssuersServerBeforeItDoesTheOthers)
{
	const std::string patient = R"(,"stop_timeout":"1s","swap_timeout":"1h")";
	configure(issuer("bad", fixture::good) + ',' + issuer("good", fixture::good), patient);
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("  bad   started", "  good  started"), "");
	configure(issuer("bad", fixture::hangs_in_start) + ',' + issuer("good", fixture::good), patient);
	std::string said;
	EXPECT_EQ(ask({"reload"}, &said), 0);
	EXPECT_THAT(said, HasSubstr("issuer bad is being swapped: another plugin"));
	configure(issuer("bad", fixture::hangs_in_start) + ',' + issuer("good", fixture::good_next) + ',' +
				  issuer("new", fixture::good),
		patient);
	EXPECT_EQ(ask({"reload", "--wait"}, &said), 0); // while the first is still at it
	EXPECT_THAT(said, AllOf(HasSubstr("issuer good is swapped"), HasSubstr("1 issuer untouched")));
	configure(issuer("good", fixture::good) + ',' + issuer("new", fixture::good), patient);
	program.signal(SIGHUP);
	EXPECT_NE(program.lineWith("good  swapped"), "");
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 70);
}

TEST_F(ProgramReload, IsPrecededByACheckThatSaysAllThatIsWrong)
{
	configure(issuer("a", fixture::good) + ',' + issuer("b", fixture::minimal));
	std::string said;
	EXPECT_EQ(run({"check", "--config", config}, &said), 0);
	EXPECT_EQ(said, config.string() + " can be used: 2 issuers\n");
	configure(issuer("a", fixture::major_2) + ',' + issuer("b", fixture::create_fails) + ',' +
			  issuer("c", fixture::good) + ',' + issuer("d", "nothing"));
	EXPECT_EQ(run({"check", "--config", config}, &said), 78);
	EXPECT_THAT(said, AllOf(HasSubstr("issuer a: plugin "), HasSubstr("speaks version 2.0"),
						  HasSubstr("issuer b: this fixture refuses"), HasSubstr("issuer d: plugin nothing is not"),
						  Not(HasSubstr("issuer c"))));
	configure(issuer("a", fixture::good) + ',' + issuer("b", fixture::dies_in_create));
	EXPECT_EQ(run({"check", "--config", config}, &said), 78);
	EXPECT_THAT(said, HasSubstr("issuer b: the process dies of SIGABRT"));
	std::ofstream(config) << "{";
	EXPECT_EQ(run({"check", "--config", config}, &said), 78);
	EXPECT_EQ(run({"check"}, &said), 64);
}

TEST_F(ProgramReload, ACanaryIsTriedBeforeAnythingIsStopped)
{
	configure(issuer("a", fixture::good));
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("a     started"), "");
	const struct
	{
		const char* plugin;
		const char* why;
	} candidates[] = {
		{fixture::dies_in_create, "create: the process dies of SIGABRT"},
		{fixture::dies_in_start, "start: the process dies of SIGABRT"},
		{fixture::hangs_in_create, "create: the plugin does not return from create"},
		{fixture::hangs_in_start, "start: the plugin does not return from start"},
		{fixture::hangs_in_stop, "stop: the plugin does not return from stop"},
		{fixture::hangs_in_destroy, "destroy: the plugin does not return from destroy"},
		{fixture::start_fails, "start: this fixture never starts"},
	};
	for (const auto& candidate : candidates) {
		std::string said;
		EXPECT_EQ(ask({"swap", "a", candidate.plugin, "--canary"}, &said), 65);
		EXPECT_EQ(said, std::string("issuer-host: issuer a: the candidate failed in a process of its own: ") +
							candidate.why + '\n');
	}
	std::string said;
	EXPECT_EQ(ask({"swap", "a", fixture::good_next, "--canary"}, &said), 0) << said;
	program.signal(SIGTERM);
	std::string rest;
	EXPECT_EQ(program.wait(&rest), 0); // nothing hangs in the host, and it stopped the old one once
	EXPECT_THAT(rest, AllOf(HasSubstr("a     swapped"), Not(HasSubstr("went back")), Not(HasSubstr("not swapped"))));
}

} // namespace
} // namespace issuer
