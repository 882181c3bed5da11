#include "temp_dir.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <optional>
#include <string_view>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace issuer::vault::credential {
namespace {

/// Why no core dump can be had here; empty where one can.
std::string obstacle()
{
	if (!std::string_view(ISSUER_SANITIZE).empty()) {
		return "sanitizers write no core dumps";
	}
	rlimit limit = {};
	if (::getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max != RLIM_INFINITY) {
		return "the hard limit of core dumps is not \"unlimited\"";
	}
	std::string pattern;
	std::ifstream("/proc/sys/kernel/core_pattern") >> pattern;
	if (pattern.empty() || pattern.find_first_of("|/") != pattern.npos) {
		return "kernel.core_pattern \"" + pattern + "\" does not put core dumps into the working directory";
	}
	return {};
}

/// Runs the program in `directory`, where its core dump goes, and returns how it ended.
int runIn(const std::filesystem::path& directory, const std::string& token, const std::string& control)
{
	const auto child = ::fork();
	if (child == 0) {
		const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
		::setrlimit(RLIMIT_CORE, &unlimited);
		if (::chdir(directory.c_str()) == 0) {
			::execl(ISSUER_TOKEN_HOLDER, ISSUER_TOKEN_HOLDER, token.c_str(), control.c_str(), nullptr);
		}
		::_exit(127);
	}
	int status = -1;
	::waitpid(child, &status, 0);
	return status;
}

std::optional<std::filesystem::path> coreIn(const std::filesystem::path& directory)
{
	for (const auto& entry : std::filesystem::directory_iterator(directory)) {
		if (entry.path().filename().string().starts_with("core")) {
			return entry.path();
		}
	}
	return std::nullopt;
}

TEST(CoreDump, HoldsTheWholeProgramButNotItsToken)
{
	if (const auto why = obstacle(); !why.empty()) {
		GTEST_SKIP() << why << "; that the pages are marked to be left out is tested in SecretPages";
	}
	// Put together here, so that neither stands in any file but its own.
	const auto token = "s.CANARY" + std::string(24, 'q');
	const auto control = "CONTROL" + std::string(24, 'z');
	constexpr int runs = 20; // what is left on the stack is there in some and overwritten in others
	for (int run = 0; run < runs; ++run) {
		const test::TempDir dir;
		const auto status = runIn(dir.path(), dir.write("token", token + "\n"), dir.write("control", control));
		ASSERT_TRUE(WIFSIGNALED(status)) << status;
		const auto core = coreIn(dir.path());
		if (!WCOREDUMP(status) || !core) {
			GTEST_SKIP() << "the kernel wrote no core dump into the working directory";
		}

		std::ifstream file(*core, std::ios::binary);
		const std::string bytes{std::istreambuf_iterator<char>(file), {}};
		ASSERT_NE(bytes.find(control), bytes.npos) << "not even what must be in it";
		ASSERT_EQ(bytes.find(token), bytes.npos) << "the token is in it, in run " << run;
		ASSERT_EQ(bytes.find("s.CANARY"), bytes.npos) << "a part of the token is in it, in run " << run;
	}
}

} // namespace
} // namespace issuer::vault::credential
