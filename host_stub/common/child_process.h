#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace issuer {

/// How a child process ended, and what it reported.
struct ChildEnd
{
	std::string report; ///< all that it wrote to childReportFd
	bool inTime = true; ///< false: it was killed
	int status = 0;     ///< as waitpid() has it

	/// Why it did not end of its own accord: «it hangs: killed after 60 s», «the process dies of SIGABRT»; empty: it
	/// did, with whatever exit code.
	[[nodiscard]] std::string trouble(std::chrono::seconds limit) const;
};

/// The descriptor at which a child reports.
inline constexpr int childReportFd = 3;

/// `issuer-host` itself, wherever it lies and even if it was replaced meanwhile.
inline constexpr const char* thisProgram = "/proc/self/exe";

/// Runs a program to its end, for `limit` at most, with no signal blocked. Its stdin is the file `input`, its stdout
/// the caller's stderr. Throws std::system_error where the system gives no process. [thread-safe]
[[nodiscard]] ChildEnd runChild(const std::string& program, const std::vector<std::string>& arguments,
	const std::string& input, std::chrono::seconds limit);

/// In such a child: makes it end with its parent, and leave no core, which may hold a credential.
void beChild();

/// In such a child: reports.
void reportToParent(const std::string& text);

} // namespace issuer
