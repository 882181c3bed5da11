#include "eventually.h"
#include "threads.h"

#include <algorithm>
#include <array>
#include <dlfcn.h>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace issuer::vault::runtime {
namespace {

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

bool isHelperThere()
{
	return std::ranges::any_of(
		test::issuerThreads(), [](const auto& thread) { return thread.name == "issuer-helper"; });
}

TEST(AHelperLeftBehind, KeepsItsLibraryMappedUntilItHasEnded)
{
	std::array<int, 2> mayEnd{};
	ASSERT_EQ(::pipe(mayEnd.data()), 0);
	void* const module = ::dlopen(ISSUER_HELPER_MODULE, RTLD_NOW | RTLD_LOCAL);
	ASSERT_NE(module, nullptr) << ::dlerror();
	auto* const leaveAtWork = reinterpret_cast<bool (*)(int)>(::dlsym(module, "leaveAtWork"));
	ASSERT_NE(leaveAtWork, nullptr);
	ASSERT_TRUE(leaveAtWork(mayEnd[0]));
	ASSERT_EQ(::dlclose(module), 0);
	// Else the helper finds no code to go on with, and takes this process with it.
	ASSERT_TRUE(isMapped(ISSUER_HELPER_MODULE));
	ASSERT_EQ(::write(mayEnd[1], "x", 1), 1);
	EXPECT_TRUE(test::eventually([] { return !isHelperThere(); }));
	::close(mayEnd[1]); // the other end stays open: nothing orders its close after the helper's read
}

} // namespace
} // namespace issuer::vault::runtime
