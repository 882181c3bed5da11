#include "core_dump.h"
#include "temp_dir.h"

#include <filesystem>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace issuer::vault::credential {
namespace {

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

TEST(CoreDump, HoldsTheWholeProgramButNotItsToken)
{
	if (const auto why = test::coreDumpObstacle(ISSUER_SANITIZE); !why.empty()) {
		GTEST_SKIP() << why << "; that the pages are marked to be left out is tested in SecretPages";
	}
	// Put together here, so that neither stands in any file but its own.
	const auto token = "s.CANARY" + std::string(24, 'q');
	const auto control = "CONTROL" + std::string(24, 'z');
	constexpr int runs = 20; // leftovers on the stack are there in some runs and overwritten in others
	for (int run = 0; run < runs; ++run) {
		const test::TempDir dir;
		const auto status = runIn(dir.path(), dir.write("token", token + "\n"), dir.write("control", control));
		ASSERT_TRUE(WIFSIGNALED(status)) << status;
		const auto core = test::coreDumpIn(dir.path());
		if (!WCOREDUMP(status) || !core) {
			GTEST_SKIP() << "the kernel wrote no core dump into the working directory";
		}

		ASSERT_NE(core->find(control), core->npos) << "not even what must be in it";
		ASSERT_EQ(core->find(token), core->npos) << "the token is in it, in run " << run;
		ASSERT_EQ(core->find("s.CANARY"), core->npos) << "a part of the token is in it, in run " << run;
	}
}

} // namespace
} // namespace issuer::vault::credential
