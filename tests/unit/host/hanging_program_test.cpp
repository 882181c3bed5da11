#include "fixture_plugins.h"
#include "program.h"
#include "temp_dir.h"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
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
/// stop_timeout and a second, also while a call hangs.
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

/// The dynamic loader opens one library at a time: those that come after one that hangs there cannot be had.
TEST_F(ProgramWhosePluginHangs, WhileItIsLoadedLeavesTheProgramItsEnd)
{
	configure(issuer("bad", fixture::hangs_in_load) + ',' + issuer("good", fixture::good));
	Program program({"run", "--config", config, "--control", control});
	EXPECT_NE(program.lineWith("  bad   start failed"), "") << "so that it hangs when the host is told to end";
	EXPECT_EQ(ask({"status"}), 0);
	expectToEnd(program, 70);
}

/// The moment at which a plugin comes to the call from which it does not return.
enum class Moment
{
	atTheStart, ///< of the host
	addedByReload,
	newInReload, ///< it is to replace a good one
	newInSwap,
	oldInReload, ///< a good one is to replace it
	oldInSwap,
	removed,
};

struct Hang
{
	const char* slot;
	const char* plugin;
	Moment moment;
	int code;         ///< of the command that leads there; of atTheStart: 0
	const char* said; ///< by that command; atTheStart: in the log
};

void PrintTo(const Hang& hang, std::ostream* out)
{
	*out << hang.slot;
}

class EveryHang : public ProgramWhosePluginHangs, public testing::WithParamInterface<Hang>
{
protected:
	/// Leads the plugin of the issuer "bad" to the call in which it hangs.
	int lead(std::string* said) const
	{
		const std::string good = issuer("good", fixture::good);
		switch (GetParam().moment) {
		case Moment::atTheStart:
			return 0;
		case Moment::addedByReload:
		case Moment::newInReload:
			configure(issuer("bad", GetParam().plugin) + ',' + good);
			return ask({"reload", "--wait"}, said);
		case Moment::newInSwap:
			return ask({"swap", "bad", GetParam().plugin}, said);
		case Moment::oldInReload:
			configure(issuer("bad", fixture::good) + ',' + good);
			return ask({"reload", "--wait"}, said);
		case Moment::oldInSwap:
			return ask({"swap", "bad", fixture::good}, said);
		case Moment::removed:
			configure(good);
			return ask({"reload", "--wait"}, said);
		}
		return -1;
	}
};

TEST_P(EveryHang, LeavesTheOthersTheirRenewalsSwapsAndReloadsAndTheProgramItsEnd)
{
	const Hang& hang = GetParam();
	const bool goodFirst = hang.moment == Moment::newInReload || hang.moment == Moment::newInSwap;
	const std::string good = issuer("good", fixture::good);
	configure(hang.moment == Moment::addedByReload
				  ? good
				  : issuer("bad", goodFirst ? fixture::good : hang.plugin) + ',' + good);
	Program program({"run", "--config", config, "--control", control});
	const bool badRuns = hang.moment != Moment::atTheStart && hang.moment != Moment::addedByReload &&
						 hang.slot != std::string_view("start");
	ASSERT_NE(program.lineWith("  good  renewed", badRuns ? "  bad   started" : "",
				  hang.moment == Moment::atTheStart ? hang.said : ""),
		"");
	std::string said;
	EXPECT_EQ(lead(&said), hang.code) << said;
	if (hang.moment != Moment::atTheStart) {
		EXPECT_THAT(said, HasSubstr(hang.said));
	}
	if (goodFirst) {
		EXPECT_EQ(ask({"status", "bad", "--json"}, &said), 0);
		EXPECT_THAT(said, HasSubstr("\"phase\":\"running\"")) << "the one before goes on";
	}
	EXPECT_EQ(ask({"swap", "good", fixture::good_next}, &said), 0) << said;
	configure(issuer("good", fixture::good_next) + ',' + issuer("new", fixture::good)); // "bad" is removed
	EXPECT_EQ(ask({"reload", "--wait"}, &said), 0) << said;
	EXPECT_THAT(said, HasSubstr("issuer new is added"));
	EXPECT_NE(program.lineWith("  new   renewed"), "");
	expectToEnd(program, 70);
}

constexpr const char* leftBehind = "not all of what is removed has stopped in time: it is left behind";

constexpr Hang hangs[] = {

	{"create", fixture::hangs_in_create, Moment::atTheStart, 0, "the plugin does not return from create"},
	{"create", fixture::hangs_in_create, Moment::addedByReload, 78, "the plugin does not return from create"},
	{"create", fixture::hangs_in_create, Moment::newInReload, 78, "the plugin does not return from create"},
	{"create", fixture::hangs_in_create, Moment::newInSwap, 65, "the plugin does not return from create"},
	{"set_recorder", fixture::hangs_in_set_recorder, Moment::atTheStart, 0, "set_recorder"},
	{"set_recorder", fixture::hangs_in_set_recorder, Moment::newInSwap, 75,
		"the new one does not start: the plugin does not return from set_recorder"},
	{"start", fixture::hangs_in_start, Moment::atTheStart, 0, "ready"},
	{"start", fixture::hangs_in_start, Moment::addedByReload, 0, "issuer bad is added"},
	{"start", fixture::hangs_in_start, Moment::newInReload, 75,
		"the new one does not start: the plugin does not return from start"},
	{"start", fixture::hangs_in_start, Moment::newInSwap, 75,
		"the new one does not start: the plugin does not return from start"},
	{"start", fixture::hangs_in_start, Moment::removed, 0, leftBehind},
	{"stop", fixture::hangs_in_stop, Moment::oldInReload, 75,
		"the running one does not stop: the plugin does not return from stop"},
	{"stop", fixture::hangs_in_stop, Moment::oldInSwap, 75,
		"the running one does not stop: the plugin does not return from stop"},
	{"stop", fixture::hangs_in_stop, Moment::removed, 0, leftBehind},
	{"export", fixture::hangs_in_export, Moment::oldInSwap, 0, "goes on with"},
	{"import", fixture::hangs_in_import, Moment::newInSwap, 75,
		"the new one does not take over: the plugin does not return from import_state"},
	{"destroy", fixture::hangs_in_destroy, Moment::oldInReload, 0, "issuer bad is swapped"},
	{"destroy", fixture::hangs_in_destroy, Moment::oldInSwap, 0, "goes on with"},
	{"destroy", fixture::hangs_in_destroy, Moment::removed, 0, leftBehind},
};

std::string nameOf(const testing::TestParamInfo<Hang>& hang)
{
	constexpr const char* moments[] = {
		"AtTheStart", "AddedByReload", "NewInReload", "NewInSwap", "OldInReload", "OldInSwap", "Removed"};
	return std::string(hang.param.slot) + moments[static_cast<int>(hang.param.moment)];
}

INSTANTIATE_TEST_SUITE_P(OfASlotAtAMoment, EveryHang, testing::ValuesIn(hangs), nameOf);

TEST_F(ProgramWhosePluginHangs, InStopIsReplacedOnceThatIsKnown)
{
	configure(issuer("a", fixture::hangs_in_stop));
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("a     started"), "");
	EXPECT_EQ(ask({"swap", "a", fixture::good}), 75);
	EXPECT_EQ(ask({"swap", "a", fixture::good}), 0);
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
	Program program({"run", "--config", config, "--control", control});
	ASSERT_EQ(program.linesWith("  started  ", 1010), 1010U) << "all that can";
	std::string said;
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
