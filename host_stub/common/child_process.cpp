#include "common/child_process.h"

#include "common/descriptor.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace issuer {

namespace {

constexpr std::size_t longestReport = std::size_t{64} << 20;

pid_t spawn(const std::string& program, const std::vector<std::string>& arguments, const std::string& input, int report)
{
	posix_spawn_file_actions_t actions;
	::posix_spawn_file_actions_init(&actions);
	::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
	::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	::posix_spawn_file_actions_adddup2(&actions, report, childReportFd);
	posix_spawnattr_t attributes;
	sigset_t none;
	::sigemptyset(&none);
	::posix_spawnattr_init(&attributes);
	::posix_spawnattr_setsigmask(&attributes, &none);
	::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	std::vector<char*> argv{const_cast<char*>(program.c_str())};
	for (const std::string& argument : arguments) {
		argv.push_back(const_cast<char*>(argument.c_str()));
	}
	argv.push_back(nullptr);
	pid_t pid = -1;
	const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), environ);
	::posix_spawnattr_destroy(&attributes);
	::posix_spawn_file_actions_destroy(&actions);
	if (error != 0) {
		throw std::system_error(error, std::generic_category(), program);
	}
	return pid;
}

/// Reads until the pipe is closed, which a process does at its end. False: it is not by `deadline`.
bool readReport(int pipe, std::string& report, std::chrono::steady_clock::time_point deadline)
{
	for (;;) {
		const auto left =
			std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
		pollfd event{pipe, POLLIN, 0};
		if (left.count() <= 0 || ::poll(&event, 1, static_cast<int>(left.count())) == 0) {
			return false;
		}
		std::array<char, 4096> block;
		const ssize_t size = ::read(pipe, block.data(), block.size());
		if (size == 0 || (size < 0 && errno != EINTR)) {
			return true;
		}
		report.append(block.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
		if (report.size() > longestReport) {
			return false;
		}
	}
}

} // namespace

std::string ChildEnd::trouble(std::chrono::seconds limit) const
{
	if (!inTime) {
		return "it hangs: killed after " + std::to_string(limit.count()) + " s";
	}
	return WIFSIGNALED(status) ? std::string("the process dies of SIG") + ::sigabbrev_np(WTERMSIG(status))
							   : std::string();
}

ChildEnd runChild(const std::string& program, const std::vector<std::string>& arguments, const std::string& input,
	std::chrono::seconds limit)
{
	std::array<int, 2> ends{};
	if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
		throw std::system_error(errno, std::generic_category(), "pipe");
	}
	const Descriptor reading(ends[0]);
	ChildEnd end;
	pid_t pid = -1;
	{
		const Descriptor writing(ends[1]);
		pid = spawn(program, arguments, input, writing.get());
	}
	end.inTime = readReport(reading.get(), end.report, std::chrono::steady_clock::now() + limit);
	if (!end.inTime) {
		::kill(pid, SIGKILL);
	}
	while (::waitpid(pid, &end.status, 0) < 0 && errno == EINTR) {
	}
	return end;
}

void beChild()
{
	constexpr rlimit none{0, 0};
	::prctl(PR_SET_PDEATHSIG, SIGKILL); // it may be in the middle of anything when its parent is interrupted
	::prctl(PR_SET_DUMPABLE, 0);
	::setrlimit(RLIMIT_CORE, &none);
}

void reportToParent(const std::string& text)
{
	for (std::size_t sent = 0; sent < text.size();) {
		const ssize_t count = ::write(childReportFd, text.data() + sent, text.size() - sent);
		if (count <= 0) {
			return;
		}
		sent += static_cast<std::size_t>(count);
	}
}

} // namespace issuer
