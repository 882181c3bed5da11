#include "child_process.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sstream>
#include <system_error>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace issuer::test {
namespace {

constexpr int cannotRun = 127;

std::vector<char*> pointersTo(std::vector<std::string>& texts)
{
	std::vector<char*> pointers;
	for (auto& text : texts) {
		pointers.push_back(text.data());
	}
	pointers.push_back(nullptr);
	return pointers;
}

std::vector<std::string> environmentWith(const std::map<std::string, std::string>& additions)
{
	std::vector<std::string> environment;
	for (char** entry = environ; *entry != nullptr; ++entry) {
		const std::string text = *entry;
		if (!additions.contains(text.substr(0, text.find('=')))) {
			environment.push_back(text);
		}
	}
	for (const auto& [name, value] : additions) {
		environment.push_back(name + "=" + value);
	}
	return environment;
}

/// Becomes the program, in the child between fork and exec: calls only functions that are safe after the fork of a
/// process with threads.
[[noreturn]] void become(
	const char* program, char* const* arguments, char* const* environment, int output, bool errorsToo)
{
	::prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigset_t none;
	::sigemptyset(&none);
	::sigprocmask(SIG_SETMASK, &none, nullptr);
	::dup2(output, STDOUT_FILENO);
	if (errorsToo) {
		::dup2(output, STDERR_FILENO);
	}
	::execve(program, arguments, environment);
	::_exit(cannotRun);
}

int exitCodeOf(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace

ChildProcess::ChildProcess(
	const std::filesystem::path& program, const std::vector<std::string>& arguments, const Options& options)
{
	std::vector<std::string> words{program.string()};
	words.insert(words.end(), arguments.begin(), arguments.end());
	auto environment = environmentWith(options.environment);
	const auto argv = pointersTo(words);
	const auto envp = pointersTo(environment);

	int output = -1;
	if (options.outputFile.empty()) {
		int ends[2];
		if (::pipe2(ends, O_CLOEXEC) != 0) {
			throw std::system_error(errno, std::generic_category(), "pipe");
		}
		_output = ends[0];
		output = ends[1];
	}
	else {
		output = ::open(options.outputFile.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	}
	_pid = ::fork();
	const int error = errno;
	if (_pid == 0) {
		become(program.c_str(), argv.data(), envp.data(), output, !options.outputFile.empty());
	}
	::close(output);
	if (_pid < 0) {
		throw std::system_error(error, std::generic_category(), "cannot start " + program.string());
	}
}

ChildProcess::~ChildProcess()
{
	signal(SIGKILL);
	wait();
	if (_output >= 0) {
		::close(_output);
	}
}

std::optional<std::string> ChildProcess::readLine()
{
	for (;;) {
		if (const auto end = _read.find('\n'); end != std::string::npos) {
			std::string line = _read.substr(0, end);
			_read.erase(0, end + 1);
			return line;
		}
		char bytes[4096];
		const auto length = ::read(_output, bytes, sizeof bytes);
		if (length > 0) {
			_read.append(bytes, static_cast<std::size_t>(length));
		}
		else if (length == 0 || errno != EINTR) {
			return {};
		}
	}
}

void ChildProcess::signal(int number) const
{
	if (!_exitCode) {
		::kill(_pid, number);
	}
}

bool ChildProcess::hasEnded()
{
	int status = 0;
	if (!_exitCode && ::waitpid(_pid, &status, WNOHANG) == _pid) {
		_exitCode = exitCodeOf(status);
	}
	return _exitCode.has_value();
}

int ChildProcess::wait()
{
	int status = 0;
	while (!_exitCode) {
		if (::waitpid(_pid, &status, 0) == _pid) {
			_exitCode = exitCodeOf(status);
		}
		else if (errno != EINTR) {
			_exitCode = cannotRun;
		}
	}
	return *_exitCode;
}

std::filesystem::path findOnPath(const std::vector<std::string>& names)
{
	const char* path = std::getenv("PATH");
	for (const auto& name : names) {
		std::istringstream folders(path == nullptr ? "" : path);
		for (std::string folder; std::getline(folders, folder, ':');) {
			const auto candidate = std::filesystem::path(folder) / name;
			if (::access(candidate.c_str(), X_OK) == 0) {
				return candidate;
			}
		}
	}
	return {};
}

} // namespace issuer::test
