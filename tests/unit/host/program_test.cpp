#include "fixture_plugins.h"
#include "program.h"
#include "temp_dir.h"

#include <Poco/Pipe.h>
#include <Poco/PipeStream.h>
#include <Poco/Process.h>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <set>
#include <sstream>
#include <unistd.h>

namespace issuer {
namespace {

namespace fs = std::filesystem;
namespace fixture = issuer::test::fixture;
using issuer::test::Program;
using testing::HasSubstr;
using testing::StartsWith;

class ProgramOf : public testing::Test
{
protected:
	void configure(const std::string& plugin) const
	{
		const fs::path next = config.string() + ".next";
		std::ofstream(next) << R"({"issuers":[{"name":"a","plugin":")" << plugin << R"(","config":{}}]})";
		fs::rename(next, config);
	}

	static std::string complaint(const std::vector<std::string>& arguments, int exitCode)
	{
		Program program(arguments);
		std::string text;
		EXPECT_EQ(program.wait(nullptr, &text), exitCode);
		return text;
	}

	static std::string answer(const std::vector<std::string>& arguments, int exitCode = 0)
	{
		Program program(arguments);
		std::string text;
		EXPECT_EQ(program.wait(&text), exitCode);
		return text;
	}

	issuer::test::TempDir temp;
	const fs::path config = temp.path() / "host.json";
	const std::string control = temp.path() / "control.sock";
};

TEST_F(ProgramOf, RunsUntilSigtermAndExitsWithZero)
{
	configure(fixture::good);
	Program program({"run", "--config", config});
	EXPECT_THAT(program.lineWith("renewed"), HasSubstr("1 h left, next renewal in 30 min: start 1"));
	program.signal(SIGTERM);
	EXPECT_THAT(program.lineWith("unloaded"), HasSubstr(fixture::good));
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramOf, StopsOnSigintWhileAServerIsAway)
{
	configure(fixture::start_unavailable);
	Program program({"run", "--config", config});
	EXPECT_THAT(program.lineWith("start failed"), HasSubstr("tried again in"));
	program.signal(SIGINT);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramOf, SwapsOnSighupAndHandsOverWhatTheOldOneKnew)
{
	configure(fixture::good);
	Program program({"run", "--config", config, "--log-format", "json"});
	EXPECT_THAT(program.lineWith("\"renewal\""), HasSubstr("start 1"));
	configure(fixture::good_next);
	program.signal(SIGHUP);
	// The new one's first event and the host's line about the swap come from two threads, in either order.
	const std::string both = program.lineWith("\"swapped\"", "start 2");
	EXPECT_THAT(both, HasSubstr("from Fixture 1.0.0 to Fixture 2.0.0"));
	EXPECT_THAT(both, HasSubstr("start 2"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramOf, ABadConfigurationOnSighupChangesNothing)
{
	configure(fixture::good);
	Program program({"run", "--config", config});
	EXPECT_NE(program.lineWith("renewed"), "");
	configure(fixture::major_2);
	program.signal(SIGHUP);
	EXPECT_THAT(program.lineWith("refused"), HasSubstr("it speaks version 2.0 of the contract"));
	EXPECT_THAT(program.lineWith("refused"), HasSubstr("nothing was changed"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramOf, SwapsWhenItIsToldToAtItsControlSocket)
{
	configure(fixture::good);
	Program program({"run", "--config", config, "--control", control});
	EXPECT_NE(program.lineWith("ready", "started", "`status` and `swap` listen at " + control), "");
	EXPECT_EQ(answer({"swap", "a", fixture::good_next, "--control", control}),
		std::string("issuer a goes on with ") + fixture::good_next + "\n");
	EXPECT_THAT(program.lineWith("swapped"), HasSubstr("from Fixture 1.0.0 to Fixture 2.0.0"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
	EXPECT_FALSE(fs::exists(control));
}

TEST_F(ProgramOf, SavesTheChoiceOfASwapAndNothingElse)
{
	const auto text = [](const std::string& plugin) {
		return "{ \"issuers\": [\n\t{\"config\": {\"a\": [1, \"}\"]}, \"plugin\":\"" + plugin +
			   "\", \"name\":\"\\u0061\"} ,\n {\"name\":\"b\",\"plugin\":\"" + fixture::good +
			   "\",\"config\":{}}\n] }\n";
	};
	std::ofstream(config) << text(fixture::good);
	fs::permissions(config, fs::perms(0640));
	Program program({"run", "--config", config, "--control", control});
	EXPECT_NE(program.lineWith("  a     started", "  b     started"), "");
	answer({"swap", "a", fixture::good_next, "--control", control, "--save", config});
	std::ifstream saved(config);
	EXPECT_EQ(std::string(std::istreambuf_iterator<char>(saved), {}), text(fixture::good_next));
	EXPECT_EQ(fs::status(config).permissions(), fs::perms(0640));
	program.signal(SIGHUP);
	EXPECT_THAT(program.lineWith("reloaded"), HasSubstr("2 issuers untouched"));
	EXPECT_THAT(complaint({"swap", "a", fixture::good, "--control", control, "--save", temp.path() / "none"}, 78),
		HasSubstr("there is no such file; the choice is not saved"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramOf, SaysWhyItDidNotSwap)
{
	configure(fixture::good);
	Program program({"run", "--config", config, "--control", control});
	EXPECT_NE(program.lineWith("renewed"), "");
	EXPECT_EQ(
		complaint({"swap", "b", fixture::good_next, "--control", control}, 65), "issuer-host: there is no issuer b\n");
	EXPECT_EQ(complaint({"swap", "a", fixture::major_2, "--control", control}, 65),
		std::string("issuer-host: issuer a: plugin ") + fixture::major_2 +
			" refused: it speaks version 2.0 of the contract, this host speaks 1; take a plugin built for this host, "
			"or a newer host\n");
	EXPECT_EQ(complaint({"swap", "a", fixture::start_fails, "--control", control}, 75),
		"issuer-host: issuer a goes on as before: the new one does not start: this fixture never starts\n");
	EXPECT_THAT(answer({"swap", "a", fixture::start_fails, "--control", control, "--json"}, 75),
		HasSubstr("\"result\":\"rolled_back\""));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramOf, KeepsEveryIssuerRunningAtWhicheverStepASwapFails)
{
	const auto issuer = [](const std::string& name, const std::string& plugin) {
		return R"({"name":")" + name + R"(","plugin":")" + plugin + R"(","config":{}})";
	};
	std::ofstream(config) << "{\"issuers\":[" << issuer("a", fixture::good) << ',' << issuer("b", fixture::stops_late)
						  << "]}";
	Program program({"run", "--config", config, "--control", control});
	EXPECT_NE(program.lineWith("  a     started", "  b     started"), "");
	const struct
	{
		const char* issuer;
		const char* plugin;
		int exitCode;
		const char* fault;
	} swaps[] = {
		{"a", fixture::truncated, 65, "it is truncated"},
		{"a", fixture::create_fails, 65, "this fixture refuses every configuration"},
		{"a", fixture::start_fails, 75, "the new one does not start: this fixture never starts"},
		{"a", fixture::start_unavailable, 75, "the new one does not start: this fixture never starts"},
		{"b", fixture::good_next, 75, "the running one does not stop: this fixture does not stop"},
	};
	for (const auto& swap : swaps) {
		EXPECT_THAT(
			complaint({"swap", swap.issuer, swap.plugin, "--control", control}, swap.exitCode), HasSubstr(swap.fault));
		const std::string running = answer({"status", "--json", "--control", control});
		EXPECT_THAT(running, HasSubstr("\"version\":\"1.0.0\""));
		EXPECT_THAT(running, testing::Not(HasSubstr("2.0.0")));
		EXPECT_THAT(running, testing::Not(HasSubstr("\"waiting\"")));
		EXPECT_THAT(running, testing::Not(HasSubstr("\"failed\"")));
	}
	// A plugin that cannot read the old one's state asks its server itself.
	answer({"swap", "a", fixture::import_fails, "--control", control});
	EXPECT_THAT(program.lineWith("without the state of the old one"),
		HasSubstr("not a state that this fixture can go on from"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramOf, SwapsToAPluginOfALaterMinorVersionAndBack)
{
	configure(fixture::good);
	Program program({"run", "--config", config, "--control", control, "--log-format", "json"});
	EXPECT_THAT(program.lineWith("\"renewal\""), HasSubstr("start 1"));
	answer({"swap", "a", fixture::grown, "--control", control});
	EXPECT_THAT(program.lineWith("start 2"), HasSubstr("\"state\":\"42\""));
	answer({"swap", "a", fixture::good, "--control", control});
	EXPECT_THAT(program.lineWith("start 3"), HasSubstr("\"state\":\"active\""));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramOf, RenewsWhenItIsToldTo)
{
	configure(fixture::good);
	Program program({"run", "--config", config, "--control", control});
	EXPECT_NE(program.lineWith("renewed"), "");
	EXPECT_EQ(complaint({"renew", "a", "--control", control}, 65),
		"issuer-host: issuer a: its plugin has no issuer.control/1\n");
	EXPECT_EQ(complaint({"renew", "b", "--reread", "--control", control}, 65), "issuer-host: there is no issuer b\n");
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramOf, KeepsItsControlSocketFromASecondHostWhichKeepsItsTokensAllTheSame)
{
	configure(fixture::good);
	Program program({"run", "--config", config, "--control", control});
	EXPECT_NE(program.lineWith("renewed"), "");
	Program second({"run", "--config", config, "--control", control});
	EXPECT_THAT(second.lineWith(control + ": another host (process ", "renewed"),
		HasSubstr("goes on without, and tries again"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
	EXPECT_NE(second.lineWith("`status` and `swap` listen at " + control), "");
	second.signal(SIGTERM);
	EXPECT_EQ(second.wait(), 0);
}

TEST_F(ProgramOf, RunsWithoutAControlSocketWhereItsUsualPlaceIsTaken)
{
	configure(fixture::good);
	const Poco::Process::Env environment{{"RUNTIME_DIRECTORY", temp.path().string()}};
	Program first({"run", "--config", config}, environment);
	EXPECT_NE(first.lineWith(control, "ready"), "");
	Program second({"run", "--config", config}, environment);
	EXPECT_THAT(second.lineWith("another host", "renewed"), HasSubstr("goes on without, and tries again"));
	for (Program* program : {&first, &second}) {
		program->signal(SIGTERM);
		EXPECT_EQ(program->wait(), 0);
	}
}

TEST_F(ProgramOf, IsMissedAtItsControlSocketWhenItDoesNotRun)
{
	EXPECT_EQ(complaint({"swap", "a", fixture::good, "--control", control}, 69),
		"issuer-host: control socket " + control +
			": there is no such socket; does the host run, and with this --control?\n");
}

TEST_F(ProgramOf, WhoseOnlyIssuerCannotStartSaysSoAndStays)
{
	configure(fixture::start_fails);
	Program program({"run", "--config", config, "--control", control});
	EXPECT_THAT(program.lineWith("start failed"), HasSubstr("this fixture never starts; tried again in "));
	EXPECT_THAT(answer({"status", "--json", "--control", control}), HasSubstr("\"severity\":\"dead\""));
	EXPECT_EQ(answer({"renew", "a", "--reread", "--control", control}), "done\n"); // begins a start
	EXPECT_NE(program.lineWith("start failed"), "");
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramOf, WhosePluginDoesNotStopSaysSoAndEndsAllTheSame)
{
	configure(fixture::stop_times_out);
	Program program({"run", "--config", config});
	EXPECT_NE(program.lineWith("started"), "");
	program.signal(SIGTERM);
	std::string said;
	EXPECT_EQ(program.wait(&said), 70);
	EXPECT_THAT(said, HasSubstr("stop timed out"));
}

TEST_F(ProgramOf, SurvivesAReaderOfItsLogThatHasGone)
{
	configure(fixture::start_unavailable);
	Poco::Pipe out;
	const Poco::ProcessHandle handle =
		Poco::Process::launch(ISSUER_HOST, {"run", "--config", config.string()}, nullptr, &out, nullptr);
	{
		Poco::PipeInputStream lines(out);
		std::string line;
		std::getline(lines, line);
		EXPECT_NE(line, "");
	}
	out.close(Poco::Pipe::CLOSE_BOTH);
	::kill(handle.id(), SIGHUP); // it has something to tell now
	::kill(handle.id(), SIGTERM);
	EXPECT_EQ(handle.wait(), 0);
}

/// Returns the processor time that a process has used, in clock ticks.
long ticksOf(int pid)
{
	std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
	std::string text((std::istreambuf_iterator<char>(file)), {});
	std::istringstream fields(text.substr(text.rfind(')') + 2));
	std::string skipped;
	for (int i = 0; i < 11; ++i) {
		fields >> skipped;
	}
	long user = 0, system = 0;
	fields >> user >> system;
	return user + system;
}

TEST_F(ProgramOf, NeitherSpinsNorWritesIntoItsOwnFilesWhateverItsStandardDescriptorsAre)
{
	configure(fixture::good);
	for (const char* redirection : {"<&- >&- 2>&-", ">&-", "2>&-", "</dev/null >/dev/full 2>/dev/full"}) {
		const std::string command = std::string("exec " ISSUER_HOST " run --config ") + config.string() +
									" --control " + control + " " + redirection;
		const Poco::ProcessHandle handle = Poco::Process::launch("/bin/sh", {"-c", command});
		std::string said;
		do {
			Program({"status", "--json", "--control", control}).wait(&said);
		} while (said.find("\"success\":2") == std::string::npos);
		const fs::path descriptors = "/proc/" + std::to_string(handle.id()) + "/fd";
		for (const char* fd : {"0", "1", "2"}) {
			const std::string target = fs::read_symlink(descriptors / fd).string();
			EXPECT_EQ(target.find("anon_inode"), std::string::npos) << redirection << ": " << fd << " is " << target;
			EXPECT_EQ(target.find("socket"), std::string::npos) << redirection << ": " << fd << " is " << target;
		}
		const long before = ticksOf(handle.id());
		const auto begin = std::chrono::steady_clock::now();
		for (int i = 0; i < 20; ++i) {
			answer({"status", "--control", control});
		}
		const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
		const double used =
			static_cast<double>(ticksOf(handle.id()) - before) / static_cast<double>(::sysconf(_SC_CLK_TCK));
		EXPECT_LT(used, seconds / 2) << redirection;
		::kill(handle.id(), SIGTERM);
		EXPECT_EQ(handle.wait(), 0) << redirection;
	}
}

TEST_F(ProgramOf, QuickModeTakesItsIssuerFromTheEnvironment)
{
	Program program({"run", "--plugin", fixture::good}, {{"VAULT_TOKEN", "hvs.canary"}});
	EXPECT_THAT(program.lineWith("renewed"), HasSubstr("  vault  "));
	program.signal(SIGTERM);
	std::string said;
	EXPECT_EQ(program.wait(&said), 0);
	EXPECT_THAT(said, testing::Not(HasSubstr("canary")));
}

TEST_F(ProgramOf, StagesSwapsToTheStagedFileAndClearsAwayFilesThatNoHostRuns)
{
	const std::string plugins = temp.path() / "plugins";
	const auto stage = [&](const char* file) {
		std::string path = answer({"stage", file, "--plugin-dir", plugins});
		path.pop_back(); // the line's end
		return path;
	};
	const std::string old = stage(fixture::good);
	const std::string next = stage(fixture::good_next);
	const std::string newest = stage(fixture::import_fails);
	const std::vector<std::string> gc{"gc", "--plugin-dir", plugins, "--control", control};

	configure(old);
	Program program({"run", "--config", config, "--control", control});
	EXPECT_NE(program.lineWith("started"), "");
	EXPECT_EQ(answer({"swap", "a", next, "--control", control}), "issuer a goes on with " + next + "\n");
	EXPECT_NE(program.lineWith("unloaded"), "");

	EXPECT_EQ(answer({"gc", "--dry-run", "--plugin-dir", plugins, "--control", control}), old + "\n");
	EXPECT_EQ(answer({"gc", "--config", config, "--plugin-dir", plugins, "--control", control}), "");
	EXPECT_EQ(answer(gc), old + "\n");
	EXPECT_FALSE(fs::exists(fs::path(old).parent_path()));
	EXPECT_TRUE(fs::exists(next));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);

	EXPECT_THAT(complaint(gc, 69), HasSubstr("there is no such socket"));
	EXPECT_EQ(answer({"gc", "--plugin-dir", plugins}), next + "\n");
	EXPECT_TRUE(fs::exists(newest));
}

TEST_F(ProgramOf, FindsItsPluginByNameAndTakesTheNewerOneWithAReload)
{
	const std::string plugins = temp.path() / "plugins";
	const auto stage = [&](const char* file) {
		std::string path = answer({"stage", file, "--plugin-dir", plugins});
		path.pop_back(); // the line's end
		return path;
	};
	configure("fixture");
	Program program({"run", "--config", config, "--control", control, "--plugin-dir", plugins});
	EXPECT_THAT(program.lineWith("start failed"), HasSubstr("plugin fixture is not installed under " + plugins));
	const std::string old = stage(fixture::good);
	program.signal(SIGHUP);
	EXPECT_NE(program.lineWith("a     swapped", "1 issuer swapped"), "");
	const std::string next = stage(fixture::good_next);
	program.signal(SIGHUP);
	EXPECT_THAT(
		program.lineWith("a     swapped", "1 issuer swapped"), HasSubstr("from Fixture 1.0.0 to Fixture 2.0.0"));
	EXPECT_THAT(answer({"status", "--json", "--control", control}), HasSubstr("\"wanted\":\"fixture\""));
	EXPECT_THAT(answer({"inspect", "fixture@1", "--plugin-dir", plugins}), HasSubstr(old));

	// The file it uses is gone, as after the upgrade of a package: it says so, and continues with the installed one.
	EXPECT_EQ(answer({"swap", "a", "fixture@1.0", "--control", control}), "issuer a goes on with " + old + "\n");
	EXPECT_NE(program.lineWith("from Fixture 2.0.0 to Fixture 1.0.0"), "");
	fs::remove_all(fs::path(old).parent_path());
	program.signal(SIGHUP);
	EXPECT_THAT(
		program.lineWith("a     swapped", "1 issuer swapped"), HasSubstr("from Fixture 1.0.0 to Fixture 2.0.0"));
	fs::remove_all(fs::path(next).parent_path());
	program.signal(SIGHUP);
	EXPECT_THAT(program.lineWith("missing"), HasSubstr(next + " is gone"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramOf, WrongUsageIsOneLineAndExitCode64)
{
	EXPECT_EQ(
		complaint({"frobnicate"}, 64), "issuer-host: there is no command \"frobnicate\"; see: issuer-host --help\n");
	EXPECT_EQ(complaint({}, 64), "issuer-host: a command is wanted; see: issuer-host --help\n");
	EXPECT_EQ(complaint({"run", "--log-level", "loud"}, 64),
		"issuer-host: --log-level is debug, info, warn or error, not \"loud\"; see: issuer-host run --help\n");
	EXPECT_THAT(complaint({"run", "--frobnicate"}, 64), HasSubstr("frobnicate; see: issuer-host run --help\n"));
	EXPECT_EQ(complaint({"inspect"}, 64), "issuer-host: inspect takes one plugin; see: issuer-host inspect --help\n");
	EXPECT_EQ(complaint({"run", "now"}, 64),
		"issuer-host: run takes no argument such as \"now\"; see: issuer-host run --help\n");
	EXPECT_EQ(complaint({"run", "--config", config, "--plugin", fixture::good}, 64),
		"issuer-host: --plugin is for running without --config; see: issuer-host run --help\n");
}

TEST_F(ProgramOf, AConfigurationThatMustBeMendedIsExitCode78)
{
	EXPECT_EQ(complaint({"run", "--config", config}, 78),
		"issuer-host: configuration " + config.string() + ": there is no such file\n");
	std::ofstream(config) << R"({"issuers":[{"name":"a","plugin":"/x.so"}]})"; // none that can be used
	EXPECT_EQ(complaint({"run", "--config", config}, 78),
		"issuer-host: configuration " + config.string() + ": line 1, column 13: issuers[0].config: it is missing\n");
}

TEST_F(ProgramOf, RunsWithTheGoodOnesOfItsIssuersAndSaysWhatIsWrongWithTheOthers)
{
	std::ofstream(config) << R"({"issuers":[{"name":"good","plugin":")" << fixture::good << R"(","config":{}},)"
						  << R"({"name":"old","plugin":")" << fixture::missing_symbol << R"(","config":{}},)"
						  << R"({"name":"none","plugin":"/no/such/plugin.so","config":{}},)"
						  << R"({"name":"nameless","plugin":"x.so"}],)"
						  << R"("http":{"listen":"0.0.0.0:0"},"stop_timeout":"soon"})";
	Program program({"run", "--config", config});
	const std::string said = program.lineWith("  good  renewed", "issuers[3].config: it is missing; left out",
		"exports no issuer_lifecycle_v1", "there is no such file", "http would be open to the network",
		"stop_timeout: ", "ready");
	EXPECT_NE(said, "");
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramOf, APluginThatIsInstalledLaterIsTakenAtOnce)
{
	const fs::path plugin = temp.path() / "late.so";
	configure(plugin);
	Program program({"run", "--config", config});
	EXPECT_THAT(program.lineWith("start failed"), HasSubstr("there is no such file"));
	fs::copy_file(fixture::good, plugin.string() + ".next");
	fs::rename(plugin.string() + ".next", plugin);
	EXPECT_NE(program.lineWith("renewed"), "");
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramOf, HelpAndVersionAreForStdout)
{
	for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"}, {"run", "--help"},
			 {"inspect", "-h"}, {"swap", "-h"}, {"stage", "-h"}, {"gc", "-h"}, {"renew", "-h"}}) {
		Program program(arguments);
		std::string said;
		EXPECT_EQ(program.wait(&said), 0);
		EXPECT_THAT(said, HasSubstr("Usage: issuer-host"));
		EXPECT_THAT(said, HasSubstr("--help"));
	}
	Program program({"--version"});
	std::string said;
	EXPECT_EQ(program.wait(&said), 0);
	EXPECT_THAT(said, StartsWith("issuer-host "));
}

TEST_F(ProgramOf, EveryHelpFitsATerminalAndSaysWhatItsExitCodesMean)
{
	constexpr std::size_t columns = 112; // bytes: some are of an ellipsis
	for (const char* command : {"run", "status", "doctor", "check", "reload", "swap", "renew", "log-level", "stage",
			 "gc", "inspect", "validate", "new-plugin"}) {
		Program program({command, "--help"});
		std::string said;
		EXPECT_EQ(program.wait(&said), 0);
		EXPECT_THAT(said, HasSubstr("\nExit code")) << command;
		std::istringstream lines(said);
		for (std::string line; std::getline(lines, line);) {
			EXPECT_LE(line.size(), columns) << command << ": " << line;
		}
	}
}

TEST_F(ProgramOf, DoesNotClaimToHaveToldWhatCouldNotBeWritten)
{
	const auto code = [](const std::string& command) {
		return Poco::Process::launch("/bin/sh", {"-c", "exec " ISSUER_HOST " " + command + " >/dev/full 2>/dev/null"})
			.wait();
	};
	EXPECT_EQ(code("--version"), 74);
	EXPECT_EQ(code(std::string("inspect ") + fixture::good), 74);
	EXPECT_EQ(code("inspect nothing"), 65); // the earlier error counts more
}

TEST_F(ProgramOf, InspectShowsAPluginAndRefusesWhatIsNone)
{
	Program program({"inspect", fixture::good});
	std::string said;
	EXPECT_EQ(program.wait(&said), 0);
	EXPECT_THAT(said, HasSubstr("io.issuer.fixture"));
	EXPECT_THAT(said, HasSubstr("issuer.handover/1"));
	EXPECT_EQ(complaint({"inspect", fixture::truncated}, 65),
		std::string("issuer-host: plugin ") + fixture::truncated +
			" refused: it is truncated: the file ends before what its header promises\n");
}

} // namespace
} // namespace issuer
