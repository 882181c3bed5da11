#include "conformance/runner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace issuer::conformance {

namespace {

constexpr int reportFd = 3; ///< number of the pipe's descriptor in the child
constexpr std::chrono::seconds limit{60};
constexpr std::array verdicts{Verdict::pass, Verdict::warn, Verdict::skip, Verdict::fail};

/// A child that runs one check and reports through a pipe.
class Child
{
public:
	Child(const std::string& program, const std::vector<std::string>& arguments, const std::string& input)
	{
		std::array<int, 2> pipe{};
		if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
			throw std::system_error(errno, std::generic_category(), "pipe");
		}
		_report = pipe[0];
		posix_spawn_file_actions_t actions;
		::posix_spawn_file_actions_init(&actions);
		::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
		::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
		::posix_spawn_file_actions_adddup2(&actions, pipe[1], reportFd);
		std::vector<char*> argv{const_cast<char*>(program.c_str())};
		for (const std::string& argument : arguments) {
			argv.push_back(const_cast<char*>(argument.c_str()));
		}
		argv.push_back(nullptr);
		const int error = ::posix_spawn(&_pid, program.c_str(), &actions, nullptr, argv.data(), environ);
		::posix_spawn_file_actions_destroy(&actions);
		::close(pipe[1]);
		if (error != 0) {
			::close(_report);
			throw std::system_error(error, std::generic_category(), program);
		}
	}
	~Child() { ::close(_report); }
	Child(const Child&) = delete;
	Child& operator=(const Child&) = delete;

	/// Reads the report until the child closes the pipe, which a process does at its end.
	[[nodiscard]] bool readReport(std::string& report) const
	{
		const auto deadline = std::chrono::steady_clock::now() + limit;
		for (;;) {
			const auto left =
				std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
			pollfd event{_report, POLLIN, 0};
			if (left.count() <= 0 || ::poll(&event, 1, static_cast<int>(left.count())) == 0) {
				return false;
			}
			std::array<char, 4096> block;
			const ssize_t size = ::read(_report, block.data(), block.size());
			if (size == 0 || (size < 0 && errno != EINTR)) {
				return true;
			}
			report.append(block.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
		}
	}

	[[nodiscard]] int wait() const
	{
		int status = 0;
		while (::waitpid(_pid, &status, 0) < 0 && errno == EINTR) {
		}
		return status;
	}

	void kill() const { ::kill(_pid, SIGKILL); }

private:
	int _report = -1;
	pid_t _pid = -1;
};

Outcome decode(const std::string& report)
{
	for (const Verdict verdict : verdicts) {
		const std::string name = verdictName(verdict);
		if (report.starts_with(name + ' ')) {
			return {verdict, report.substr(name.size() + 1)};
		}
	}
	return {Verdict::fail, "the check ended without a verdict"};
}

} // namespace

std::string verdictName(Verdict verdict)
{
	switch (verdict) {
	case Verdict::pass:
		return "pass";
	case Verdict::warn:
		return "warn";
	case Verdict::skip:
		return "skip";
	case Verdict::fail:
		return "fail";
	}
	return {};
}

std::vector<CheckResult> runChecks(std::span<const Check> checks, const std::string& only, const RunOne& runOne,
	const std::function<void(const CheckResult&)>& onResult)
{
	std::vector<CheckResult> results;
	const Check* closedGate = nullptr;
	for (const Check& check : checks) {
		if (!only.empty() && only != check.name) {
			continue;
		}
		const bool barred = closedGate != nullptr && check.needs > closedGate->needs;
		results.push_back(
			{&check, barred ? Outcome{Verdict::skip, std::string("see ") + closedGate->name} : runOne(check)});
		if (check.gate && !barred && closedGate == nullptr && results.back().outcome.verdict != Verdict::pass) {
			closedGate = &check;
		}
		onResult(results.back());
	}
	return results;
}

Outcome runInChild(const std::string& program, const std::vector<std::string>& arguments, const std::string& input)
{
	const Child child(program, arguments, input);
	std::string report;
	const bool inTime = child.readReport(report);
	if (!inTime) {
		child.kill();
	}
	const int status = child.wait();
	if (!inTime) {
		return {Verdict::fail, "it hangs: killed after " + std::to_string(limit.count()) + " s"};
	}
	if (WIFSIGNALED(status)) {
		return {Verdict::fail, std::string("the process dies of SIG") + ::sigabbrev_np(WTERMSIG(status))};
	}
	const Outcome outcome = decode(report);
	const bool wellEnded = WEXITSTATUS(status) == 0 || outcome.verdict == Verdict::fail;
	return wellEnded ? outcome
					 : Outcome{Verdict::fail, "the process ends with exit code " + std::to_string(WEXITSTATUS(status))};
}

void reportOutcome(const Outcome& outcome)
{
	const std::string report = verdictName(outcome.verdict) + ' ' + outcome.text;
	[[maybe_unused]] const auto written = ::write(reportFd, report.data(), report.size());
}

} // namespace issuer::conformance
