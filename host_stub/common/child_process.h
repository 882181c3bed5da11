#pragma once

#include "common/result.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace issuer {

/// A program to run beside this one, with none of its descriptors and no signal blocked.
struct ChildProgram
{
	std::vector<std::string> arguments; ///< the first is the program's path
	/// «NAME=value» each, all there is; empty: the environment of this program.
	std::optional<std::vector<std::string>> environment{};
	std::string input{};                     ///< its stdin: a file in memory alone, for it may be a credential
	bool reports = false;                    ///< it gets childReportFd
	std::chrono::milliseconds limit{60'000}; ///< time that it may take
	int cancel = -1;                         ///< descriptor; once it is readable the child has `grace` left; -1: none
	std::chrono::milliseconds grace{0};
};

/// The end of a child process, and its report.
struct ChildEnd
{
	std::string report;                                   ///< all that it wrote to childReportFd
	std::optional<std::chrono::milliseconds> killedAfter; ///< empty: it ended by itself
	int status = 0;                                       ///< as waitpid() has it

	/// Returns whether it ended of its own accord, with whatever exit code.
	[[nodiscard]] bool exited() const;

	/// Returns why it did not end with exit code 0: «it hangs: killed after 1 min», «the process dies of SIGABRT», «the
	/// process ends with exit code 3»; empty: it did.
	[[nodiscard]] std::string trouble() const;
};

/// The descriptor at which a child reports.
inline constexpr int childReportFd = 3;

/// `issuer-host` itself, wherever it lies and even if it was replaced meanwhile.
inline constexpr const char* thisProgram = "/proc/self/exe";

/// Runs a program to its end, in a process group of its own, which is killed when the program has ended or its time is
/// over. Its stdout is this program's stderr. The error says why the system gives no process, and names neither
/// arguments nor environment. [thread-safe]
[[nodiscard]] Result<ChildEnd> runChild(const ChildProgram& program);

/// In a child that is this program: makes it end with its parent, and leave no core, which may hold a credential.
void beChild();

/// In such a child: reports.
void reportToParent(const std::string& text);

} // namespace issuer
