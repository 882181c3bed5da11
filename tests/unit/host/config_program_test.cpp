#include "fixture_plugins.h"
#include "program_issuers.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace issuer {
namespace {

namespace fs = std::filesystem;
namespace fixture = issuer::test::fixture;
using issuer::test::Program;
using testing::AllOf;
using testing::HasSubstr;

/// The program with a folder of issuers.
class ProgramWithIncludedIssuers : public issuer::test::ProgramWithIssuers
{
protected:
	ProgramWithIncludedIssuers()
	{
		fs::create_directory(folder);
		std::ofstream(config) << "{\n  // one file an issuer\n  \"include\": \"conf.d\", \"stop_timeout\": \"1s\"\n}\n";
	}

	static std::string text(const std::string& plugin)
	{
		return "{ /* since May */ \"plugin\": \"" + plugin + "\", // the build of the team\n  \"config\": {} }\n";
	}

	void write(const std::string& name, const std::string& content) const
	{
		std::ofstream(folder / (name + ".next")) << content;
		fs::rename(folder / (name + ".next"), folder / name);
	}

	const fs::path folder = temp.path() / "conf.d";
};

TEST_F(ProgramWithIncludedIssuers, FollowsTheFolderAtAReload)
{
	write("a.json", text(fixture::good));
	write("b.json", text(fixture::good));
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("a     started", "b     started"), "");
	fs::remove(folder / "a.json");
	write("b.json", text(fixture::good_next));
	write("c.json", text(fixture::good));
	std::string said;
	EXPECT_EQ(ask({"reload", "--wait"}, &said), 0);
	EXPECT_THAT(said, AllOf(HasSubstr("issuer a is removed\n"), HasSubstr("issuer b is swapped: another plugin"),
						  HasSubstr("issuer c is added")));
	write("d.json", "{\n  \"plugin\": \"vault\",\n  \"config\": []\n}");
	EXPECT_EQ(ask({"reload"}, &said), 78);
	EXPECT_THAT(said, HasSubstr((folder / "d.json").string() + ": line 3, column 13: config: an object is wanted"));
	EXPECT_EQ(run({"check", "--config", config}, &said), 78);
	EXPECT_THAT(said, HasSubstr((folder / "d.json").string() + ": line 3, column 13: config: an object is wanted"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);

	Program again({"run", "--config", config}); // one wrong file costs the others nothing
	EXPECT_THAT(again.lineWith("d.json", "b     started"), HasSubstr("left out, mend it and reload"));
	again.signal(SIGTERM);
	EXPECT_EQ(again.wait(), 0);
}

/// Starts a program that may leave a core in `folder`.
pid_t launchWithCore(const fs::path& folder, std::vector<const char*> arguments)
{
	arguments.push_back(nullptr);
	const pid_t child = ::fork();
	if (child == 0) {
		const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
		const int null = ::open("/dev/null", O_RDWR);
		::setrlimit(RLIMIT_CORE, &all);
		if (::chdir(folder.c_str()) == 0 && ::dup2(null, STDOUT_FILENO) >= 0) {
			::execvp(arguments[0], const_cast<char* const*>(arguments.data()));
		}
		::_exit(127);
	}
	return child;
}

bool leavesCore(pid_t child)
{
	int status = 0;
	EXPECT_EQ(::waitpid(child, &status, 0), child);
	EXPECT_TRUE(WIFSIGNALED(status));
	return WCOREDUMP(status);
}

TEST_F(ProgramWithIncludedIssuers, LeavesNoCoreForItsConfigurationMayHoldAToken)
{
	write("a.json", R"({"plugin":")" + std::string(fixture::good) + R"(","config":{"token":{"value":"hvs.x"}}})");
	const pid_t host =
		launchWithCore(temp.path(), {ISSUER_HOST, "run", "--config", config.c_str(), "--control", control.c_str()});
	while (ask({"status"}) != 0) { // from when it listens on
		ASSERT_EQ(::waitpid(host, nullptr, WNOHANG), 0);
	}
	::kill(host, SIGABRT);
	EXPECT_FALSE(leavesCore(host));
	if (!leavesCore(launchWithCore(temp.path(), {"sh", "-c", "kill -ABRT $$"}))) {
		GTEST_SKIP() << "this machine writes no cores";
	}
}

TEST_F(ProgramWithIncludedIssuers, SavesASwapsChoiceInTheIssuersFile)
{
	write("a.json", text(fixture::good));
	write("b.json", text(fixture::good));
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("a     started", "b     started"), "");
	std::string said;
	EXPECT_EQ(ask({"swap", "b", fixture::good_next, "--save", config}, &said), 0) << said;
	const auto contentOf = [](const fs::path& file) {
		std::ostringstream content;
		content << std::ifstream(file).rdbuf();
		return content.str();
	};
	EXPECT_EQ(contentOf(folder / "b.json"), text(fixture::good_next));
	EXPECT_EQ(contentOf(folder / "a.json"), text(fixture::good));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

/// The dynamic linker tells each load: with 10,000 issuers, one for each takes minutes.
TEST_F(ProgramWithIncludedIssuers, OfOnePluginLoadItOnceForACheck)
{
	for (const char* name : {"a.json", "b.json", "c.json"}) {
		write(name, text(fixture::good));
	}
	Program program(
		{"check", "--config", config}, {{"LD_DEBUG", "files"}, {"LD_DEBUG_OUTPUT", temp.path() / "linker"}});
	EXPECT_EQ(program.wait(), 0);
	const std::string library = '/' + fs::path(fixture::good).filename().string();
	int loads = 0;
	for (const auto& entry : fs::directory_iterator(temp.path())) {
		if (entry.path().stem() == "linker") { // one of each process
			std::ifstream told(entry.path());
			for (std::string line; std::getline(told, line);) {
				loads += line.find("calling init: ") != std::string::npos && line.ends_with(library) ? 1 : 0;
			}
		}
	}
	EXPECT_EQ(loads, 1);
}

TEST_F(ProgramWithIncludedIssuers, MayBeTenThousandFiles)
{
	for (int i = 0; i < 10'000; ++i) {
		std::ofstream(folder / ("issuer-" + std::to_string(i) + ".json")) << text(fixture::good);
	}
	std::string said;
	EXPECT_EQ(run({"check", "--config", config}, &said), 0) << said;
	EXPECT_THAT(said, HasSubstr("10000 issuers"));
}

} // namespace
} // namespace issuer
