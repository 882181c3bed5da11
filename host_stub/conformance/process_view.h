#pragma once

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <sys/types.h>

namespace issuer::conformance {

/// This process as /proc shows it.
[[nodiscard]] std::set<pid_t> threads();
[[nodiscard]] std::map<int, std::string> openFiles(); ///< descriptor → target, «socket:[1234]»
[[nodiscard]] bool isInMaps(const std::filesystem::path& file);
[[nodiscard]] std::int64_t residentKib();

/// Returns the signals that a thread blocks, bit n − 1 for signal n.
[[nodiscard]] std::uint64_t blockedSignals(pid_t thread);

/// Returns «2 threads», «1 thread».
[[nodiscard]] std::string counted(std::size_t count, const std::string& what);

} // namespace issuer::conformance
