#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include <sys/resource.h>

/// Core dumps of programs that crash in their working directory, for tests that search them.
namespace issuer::test {

/// Returns why no core dump can be had here; empty where one can. `sanitizers`: that the program is built with.
inline std::string coreDumpObstacle(std::string_view sanitizers)
{
	if (!sanitizers.empty()) {
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

/// The bytes of the core dump in `directory`; nothing: there is none.
inline std::optional<std::string> coreDumpIn(const std::filesystem::path& directory)
{
	for (const auto& entry : std::filesystem::directory_iterator(directory)) {
		if (entry.path().filename().string().starts_with("core")) {
			std::ifstream file(entry.path(), std::ios::binary);
			return std::string{std::istreambuf_iterator<char>(file), {}};
		}
	}
	return std::nullopt;
}

} // namespace issuer::test
