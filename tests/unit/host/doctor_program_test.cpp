#include "fault_server/dead_ports.h"
#include "fixture_plugins.h"
#include "program.h"
#include "temp_dir.h"

#include <filesystem>
#include <gmock/gmock.h>

namespace issuer {
namespace {

namespace fixture = issuer::test::fixture;
using issuer::test::Program;
using testing::HasSubstr;

class TheDoctor : public testing::Test
{
protected:
	/// Returns the output of `doctor --config` with one issuer, and its exit code.
	std::pair<std::string, int> examine(const std::string& plugin, const std::vector<std::string>& more = {}) const
	{
		const auto config =
			temp.write("host.json", R"({"issuers":[{"name":"team-a","plugin":")" + plugin + R"(","config":{}}]})");
		std::vector<std::string> arguments{"doctor", "--config", config};
		arguments.insert(arguments.end(), more.begin(), more.end());
		Program program(arguments);
		std::string said;
		const int code = program.wait(&said);
		return {said, code};
	}

	issuer::test::TempDir temp;
};

TEST_F(TheDoctor, TellsTheFutureOfTheCredentialAndTheNextStep)
{
	EXPECT_EQ(examine(fixture::foresees_an_end), std::pair(std::string("team-a  (Fixture 1.0.0)\n"
																	   "  ok       address   it answers\n"
																	   "  warning  lifetime  capped: dies on Thursday\n"
																	   "                     → use a periodic token\n"
																	   "\n"
																	   "1 issuer, 0 problems, 1 warning\n"),
													 0));
}

TEST_F(TheDoctor, TellsAProgramThatThereIsAProblem)
{
	const auto [said, code] = examine(fixture::finds_a_problem, {"--json"});
	EXPECT_EQ(code, 1);
	EXPECT_EQ(said, R"({"problems":1,"warnings":0,"issuers":[{"name":"team-a","plugin":"Fixture 1.0.0","findings":[)"
					R"({"level":"ok","topic":"address","text":"it answers","advice":""},)"
					R"({"level":"problem","topic":"lifetime","text":"capped: dies on Thursday",)"
					R"("advice":"use a periodic token"}]}]})"
					"\n");
}

TEST_F(TheDoctor, SaysWhatItCouldNotAskAPluginThatDoesNotLook)
{
	const auto [said, code] = examine(fixture::good);
	EXPECT_EQ(code, 0);
	EXPECT_THAT(said, HasSubstr("note     plugin  its configuration is accepted"));
}

TEST_F(TheDoctor, TriesALoginOnlyWhenToldToAndSaysWhereThereIsNone)
{
	const auto [said, code] = examine(fixture::foresees_an_end, {"--login"});
	EXPECT_EQ(code, 0);
	EXPECT_THAT(said, HasSubstr("  note     login     not tried: its plugin has no login to try\n"));
	EXPECT_THAT(examine(fixture::foresees_an_end).first, testing::Not(HasSubstr("login")));
}

TEST_F(TheDoctor, FindsDefectsThatAPluginWarnsOfInPassing)
{
	const auto [said, code] = examine(fixture::warns_in_passing);
	EXPECT_EQ(code, 0);
	EXPECT_THAT(said, HasSubstr("warning  tls     nothing is verified\n"));
	EXPECT_THAT(said, HasSubstr("1 issuer, 0 problems, 1 warning\n"));
}

TEST_F(TheDoctor, WarnsOfAConfigurationWithASecretThatAllUsersMayRead)
{
	namespace fs = std::filesystem;
	const fs::path folder = temp.path() / "conf.d";
	fs::create_directory(folder);
	const auto main = temp.write("host.json", R"({"include":"conf.d"})");
	for (const char* const name : {"open", "closed", "harmless"}) {
		const char* const config =
			std::string_view(name) == "harmless" ? R"({"token":{"file":"/f"}})" : R"({"token":{"value":"s.123"}})";
		const auto file = temp.write("conf.d/" + std::string(name) + ".json",
			R"({"plugin":")" + std::string(fixture::has_a_secret) + R"(","config":)" + config + '}');
		fs::permissions(file, fs::perms(std::string_view(name) == "closed" ? 0640 : 0644));
	}
	const auto examined = [&](unsigned mode) {
		fs::permissions(temp.path(), fs::perms(mode));
		std::string said;
		EXPECT_EQ(Program({"doctor", "--config", main}).wait(&said), 0);
		return said;
	};
	const std::string said = examined(0755);
	EXPECT_THAT(said, HasSubstr("warning  config  every user of this machine may read " +
								(folder / "open.json").string() + ", which holds token.value"));
	EXPECT_THAT(said, HasSubstr("3 issuers, 0 problems, 1 warning"));
	EXPECT_THAT(said, testing::Not(HasSubstr("s.123")));
	EXPECT_THAT(examined(0700), HasSubstr("0 warnings")) << "no other user reaches it";
}

TEST_F(TheDoctor, LooksAtTheFleetsEngineUnlessOneIssuerIsAskedFor)
{
	const auto endpoint = "http://127.0.0.1:" + std::to_string(issuer::test::closedPort());
	const std::string config = temp.write(
		"host.json", R"({"fleet":{"name":"prod","member":"a","etcd":{"endpoints":[")" + endpoint +
						 R"("]}},"issuers":[{"name":"team-a","plugin":")" + fixture::good + R"(","config":{}}]})");
	const auto doctor = [&](const std::vector<std::string>& more, int expected) {
		std::vector<std::string> arguments{"doctor", "--config", config};
		arguments.insert(arguments.end(), more.begin(), more.end());
		Program program(arguments);
		std::string said;
		EXPECT_EQ(program.wait(&said), expected) << said;
		return said;
	};
	const auto said = doctor({}, 1);
	EXPECT_THAT(said, testing::StartsWith("fleet prod  (etcd)\n  problem  endpoint  " + endpoint + ": "));
	EXPECT_THAT(said, HasSubstr("→ see whether etcd runs there"));
	EXPECT_THAT(said, HasSubstr("1 issuer and the fleet, 1 problem, 0 warnings\n"));
	const auto json = doctor({"--json"}, 1);
	EXPECT_THAT(json, testing::StartsWith(R"({"problems":1,"warnings":0,"issuers":[{"name":"team-a",)"));
	EXPECT_THAT(json, HasSubstr(R"("fleet":{"engine":"etcd","findings":[{"level":"problem","topic":"endpoint",)"));
	EXPECT_THAT(doctor({"team-a"}, 0), testing::Not(HasSubstr("fleet")));
}

TEST_F(TheDoctor, FindsAPluginThatIsRefusedAndAConfigurationThatIs)
{
	EXPECT_THAT(examine(fixture::missing_symbol).first, HasSubstr("problem  plugin  plugin "));
	EXPECT_EQ(examine(fixture::missing_symbol).second, 1);
	EXPECT_THAT(
		examine(fixture::create_fails).first, HasSubstr("problem  config  this fixture refuses every configuration"));
}

TEST_F(TheDoctor, LooksAtOneIssuerWhenToldWhich)
{
	EXPECT_EQ(examine(fixture::good, {"team-a"}).second, 0);
	EXPECT_EQ(examine(fixture::good, {"team-b"}).second, 78);
	EXPECT_EQ(examine(fixture::good, {"a", "b"}).second, 64);
	EXPECT_EQ(examine(fixture::good, {"--timeout", "soon"}).second, 64);
}

} // namespace
} // namespace issuer
