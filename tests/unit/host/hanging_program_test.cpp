#include "fixture_plugins.h"
#include "program.h"
#include "temp_dir.h"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

namespace issuer {
namespace {

namespace fs = std::filesystem;
namespace fixture = issuer::test::fixture;
using namespace std::chrono_literals;
using issuer::test::Program;
using testing::HasSubstr;

/// The program with plugins that do not return from a call. Every test ends with SIGTERM, which ends the program within
/// stop_timeout and a second, whatever hangs.
class ProgramWhosePluginHangs : public testing::Test
{
protected:
	static std::string issuer(const std::string& name, const std::string& plugin)
	{
		return R"({"name":")" + name + R"(","plugin":")" + plugin + R"(","config":{}})";
	}

	void configure(const std::string& issuers, const std::string& stopTimeout = "1s") const
	{
		const fs::path next = config.string() + ".next";
		std::ofstream(next) << "{\"issuers\":[" << issuers << R"(],"stop_timeout":")" << stopTimeout
							<< R"(","swap_timeout":"1s"})";
		fs::rename(next, config);
	}

	int ask(std::vector<std::string> arguments, std::string* said = nullptr) const
	{
		arguments.insert(arguments.end(), {"--control", control});
		std::string out, err;
		const int code = Program(arguments).wait(&out, &err);
		if (said != nullptr) {
			*said = out + err;
		}
		return code;
	}

	/// Told to end, the program does within its second and one more; on a loaded machine in a few.
	static void expectToEnd(Program& program, int code)
	{
		const auto begin = std::chrono::steady_clock::now();
		program.signal(SIGTERM);
		EXPECT_EQ(program.wait(), code);
		EXPECT_LT(std::chrono::steady_clock::now() - begin, 8s);
	}

	issuer::test::TempDir temp;
	const fs::path config = temp.path() / "host.json";
	const std::string control = temp.path() / "control.sock";
};

TEST_F(ProgramWhosePluginHangs, AtItsStartKeepsTheOthersAlive)
{
	for (const char* hanging :
		{fixture::hangs_in_load, fixture::hangs_in_create, fixture::hangs_in_set_recorder, fixture::hangs_in_start}) {
		configure(issuer("bad", hanging) + ',' + issuer("good", fixture::good));
		Program program({"run", "--config", config, "--control", control});
		EXPECT_NE(program.lineWith("ready"), "");
		// The dynamic loader opens one library at a time: those that come after one that hangs there cannot be had.
		if (hanging == fixture::hangs_in_load) {
			EXPECT_NE(program.lineWith("  bad   start failed"), "") << "so that it hangs when the host is told to end";
		}
		else {
			EXPECT_NE(program.lineWith("  good  renewed"), "") << hanging;
			EXPECT_EQ(ask({"swap", "good", fixture::good_next}), 0) << hanging;
			configure(issuer("good", fixture::good)); // and the bad one is removed
			program.signal(SIGHUP);
			EXPECT_THAT(program.lineWith("reloaded"), HasSubstr("1 issuer swapped, 1 issuer removed")) << hanging;
		}
		expectToEnd(program, 70);
	}
}

TEST_F(ProgramWhosePluginHangs, InASwapGoesOnWithTheOldOne)
{
	configure(issuer("a", fixture::good) + ',' + issuer("b", fixture::good));
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("  a     started", "  b     started"), "");
	const struct
	{
		const char* plugin;
		int code;
		const char* why;
	} swaps[] = {
		{fixture::hangs_in_create, 65, "the plugin does not return from create"},
		{fixture::hangs_in_import, 75, "the new one does not take over: the plugin does not return from import_state"},
		{fixture::hangs_in_set_recorder, 75,
			"the new one does not start: the plugin does not return from set_recorder"},
		{fixture::hangs_in_start, 75, "the new one does not start: the plugin does not return from start"},
	};
	for (const auto& swap : swaps) {
		std::string said;
		EXPECT_EQ(ask({"swap", "a", swap.plugin}, &said), swap.code) << said;
		EXPECT_THAT(said, HasSubstr(swap.why));
		EXPECT_EQ(ask({"status", "a", "--json"}, &said), 0);
		EXPECT_THAT(said, HasSubstr("\"version\":\"1.0.0\""));
		EXPECT_THAT(said, HasSubstr("\"phase\":\"running\""));
	}
	EXPECT_EQ(ask({"swap", "b", fixture::good_next}), 0);
	expectToEnd(program, 70);
}

TEST_F(ProgramWhosePluginHangs, WhenItIsToBeReplacedIsLeftBehind)
{
	configure(issuer("stop", fixture::hangs_in_stop) + ',' + issuer("export", fixture::hangs_in_export) + ',' +
			  issuer("destroy", fixture::hangs_in_destroy));
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("stop     started", "export   started", "destroy  started"), "");
	std::string said;
	EXPECT_EQ(ask({"swap", "stop", fixture::good}, &said), 75);
	EXPECT_THAT(said, HasSubstr("the running one does not stop: the plugin does not return from stop"));
	for (const char* name : {"stop", "export", "destroy"}) { // of the first it is known by now
		EXPECT_EQ(ask({"swap", name, fixture::good}, &said), 0) << said;
		EXPECT_EQ(ask({"status", name, "--json"}, &said), 0);
		EXPECT_THAT(said, HasSubstr("\"phase\":\"running\""));
	}
	EXPECT_NE(program.lineWith("and the old one is left behind"), "");
	expectToEnd(program, 70);
}

TEST_F(ProgramWhosePluginHangs, InAReloadDoesNotHoldUpTheOthers)
{
	configure(issuer("bad", fixture::good) + ',' + issuer("good", fixture::good));
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("  bad   started", "  good  started"), "");
	configure(issuer("bad", fixture::hangs_in_start) + ',' + issuer("good", fixture::good_next) + ',' +
			  issuer("new", fixture::good));
	program.signal(SIGHUP);
	EXPECT_NE(program.lineWith("  good  swapped", "  new   started"), "");
	EXPECT_THAT(program.lineWith("reloaded"), HasSubstr("1 issuer swapped, 1 issuer not swapped, 1 issuer added"));
	expectToEnd(program, 70);
}

TEST_F(ProgramWhosePluginHangs, ByTheDozenAmongAThousandGoodOnesIsOneNuisanceAndNotTwenty)
{
	std::string issuers;
	const char* const hanging[] = {
		fixture::hangs_in_create, fixture::hangs_in_start, fixture::hangs_in_stop, fixture::hangs_in_destroy};
	for (int i = 0; i < 20; ++i) {
		issuers += issuer("bad-" + std::to_string(i), hanging[i % 4]) + ',';
	}
	for (int i = 0; i < 1000; ++i) {
		issuers += issuer("good-" + std::to_string(i), fixture::good) + (i < 999 ? "," : "");
	}
	configure(issuers);
	Program program({"run", "--config", config, "--control", control, "--log-level", "warn"});
	EXPECT_NE(program.lineWith("start failed"), ""); // it listens by now
	std::string said;
	do { // all that can
		ASSERT_EQ(ask({"status", "--json"}, &said), 0);
	} while (said.find("\"well\":1010") == std::string::npos);
	EXPECT_EQ(ask({"swap", "good-7", fixture::good_next}), 0);
	// A reload that swaps a good one, adds one and removes four that hang: it waits for none of the others that hang.
	const auto without = [&](const std::string& removed) {
		const std::size_t at = issuers.find(removed);
		ASSERT_NE(at, std::string::npos);
		issuers.replace(at, removed.size(), "");
	};
	for (int i = 0; i < 4; ++i) {
		without(issuer("bad-" + std::to_string(i), hanging[i]) + ',');
	}
	without(issuer("good-8", fixture::good) + ',');
	configure(issuers + ',' + issuer("good-8", fixture::good_next) + ',' + issuer("new", fixture::good));
	EXPECT_EQ(ask({"reload", "--wait"}, &said), 0);
	for (const char* sentence : {"issuer good-7 is swapped: another plugin", "issuer good-8 is swapped: another plugin",
			 "issuer new is added", "issuer bad-0 is removed", "1014 issuers untouched"}) {
		EXPECT_NE(said.find(sentence), std::string::npos) << sentence;
	}
	expectToEnd(program, 70);
}

TEST_F(ProgramWhosePluginHangs, EndsAtOnceWhenToldASecondTime)
{
	configure(issuer("bad", fixture::hangs_in_stop), "1h");
	Program program({"run", "--config", config});
	ASSERT_NE(program.lineWith("started"), "");
	program.signalAndAwait(SIGTERM);
	program.signal(SIGTERM);
	std::string said;
	EXPECT_EQ(program.wait(nullptr, &said), 70);
	EXPECT_THAT(said, HasSubstr("told to end a second time"));
}

TEST_F(ProgramWhosePluginHangs, OrItsConfigurationIsExitCode75AndAReloadSaysSo)
{
	ASSERT_EQ(::mkfifo(config.c_str(), 0600), 0);
	std::string complaint;
	EXPECT_EQ(Program({"run", "--config", config}).wait(nullptr, &complaint), 75);
	EXPECT_THAT(complaint, HasSubstr("neither its file system nor a writer has answered"));

	fs::remove(config);
	configure(issuer("a", fixture::good));
	Program program({"run", "--config", config});
	ASSERT_NE(program.lineWith("renewed"), "");
	fs::remove(config);
	ASSERT_EQ(::mkfifo(config.c_str(), 0600), 0);
	program.signal(SIGHUP);
	EXPECT_NE(program.lineWith("neither its file system nor a writer has answered"), "");
	program.signal(SIGHUP);
	expectToEnd(program, 70); // the second reload is still at it
}

} // namespace
} // namespace issuer
