#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace issuer::vault::runtime::test {

/// The status of a thread of this process in /proc.
struct ThreadStatus
{
	std::string name;
	std::uint64_t blockedSignals = 0;

	[[nodiscard]] bool blocks(int signal) const { return (blockedSignals >> (signal - 1) & 1U) != 0; }
};

/// The threads of this process that are named "issuer-…".
inline std::vector<ThreadStatus> issuerThreads()
{
	std::vector<ThreadStatus> threads;
	for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
		std::ifstream status(task.path() / "status"); // empty if the thread has ended since
		ThreadStatus thread;
		for (std::string key; status >> key;) {
			if (key == "Name:") {
				status >> thread.name;
			}
			else if (key == "SigBlk:") {
				status >> std::hex >> thread.blockedSignals >> std::dec;
			}
		}
		if (thread.name.starts_with("issuer-")) {
			threads.push_back(thread);
		}
	}
	return threads;
}

} // namespace issuer::vault::runtime::test
