#include "eventually.h"
#include "threads.h"

#include <array>
#include <dlfcn.h>
#include <fstream>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace issuer::vault::runtime {
namespace {

constexpr int rounds = 50;

/// Of the program that ends without stop; -1 if a signal ended it.
int exitCode(const char* how)
{
	std::string program = ISSUER_EXITS_WITHOUT_STOP;
	std::string argument = how;
	const std::array<char*, 3> arguments{program.data(), argument.data(), nullptr};
	pid_t child = 0;
	if (::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ) != 0) {
		return -1;
	}
	int status = 0;
	::waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool isMapped(const std::string& file)
{
	std::ifstream maps("/proc/self/maps");
	for (std::string line; std::getline(maps, line);) {
		if (line.find(file) != std::string::npos) {
			return true;
		}
	}
	return false;
}

class AHostThatNeverStops : public testing::TestWithParam<const char*>
{
};

TEST_P(AHostThatNeverStops, EndsCleanlyAllTheSame)
{
	for (int round = 0; round < rounds; ++round) {
		ASSERT_EQ(exitCode(GetParam()), 0) << "round " << round;
	}
}

INSTANTIATE_TEST_SUITE_P(
	Exit, AHostThatNeverStops, testing::Values("return", "exit", "exit-inside-a-job", "exit-in-forked-child"));

TEST(AHostThatUnloadsWithoutStop, IsLeftWithNoThreadAndNoMapping)
{
	static auto& forgotten = *new std::vector<void*>; // reachable to the very end: forgotten, not leaked
	for (int round = 0; round < 10; ++round) {
		void* module = ::dlopen(ISSUER_FORGOTTEN_MODULE, RTLD_NOW | RTLD_LOCAL);
		ASSERT_NE(module, nullptr) << ::dlerror();
		auto* startAndForget = reinterpret_cast<void* (*)()>(::dlsym(module, "startAndForget"));
		ASSERT_NE(startAndForget, nullptr);
		forgotten.push_back(startAndForget());
		ASSERT_EQ(::dlclose(module), 0);
		ASSERT_TRUE(test::eventually([] { return test::issuerThreads().empty(); }));
		ASSERT_FALSE(isMapped(ISSUER_FORGOTTEN_MODULE));
	}
}

} // namespace
} // namespace issuer::vault::runtime
