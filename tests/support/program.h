#pragma once

#include <csignal>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace issuer::test {

/// A program that runs as long as the object lives, and is then ended.
class Program
{
public:
	explicit Program(std::vector<std::string> commandLine)
	{
		std::vector<char*> arguments;
		for (auto& argument : commandLine) {
			arguments.push_back(argument.data());
		}
		arguments.push_back(nullptr);
		if (::posix_spawnp(&_pid, arguments.front(), nullptr, nullptr, arguments.data(), environ) != 0) {
			throw std::runtime_error("cannot run " + commandLine.front());
		}
	}

	~Program()
	{
		if (!ended()) {
			::kill(_pid, SIGTERM);
			::waitpid(_pid, nullptr, 0);
		}
	}
	Program(const Program&) = delete;
	Program& operator=(const Program&) = delete;

	[[nodiscard]] bool ended()
	{
		_ended = _ended || ::waitpid(_pid, nullptr, WNOHANG) == _pid;
		return _ended;
	}

private:
	pid_t _pid = -1;
	bool _ended = false;
};

/// Whether a program of that name can be run from here, /usr/sbin included.
inline bool isInstalled(const std::string& name)
{
	for (const char* folder : {"/usr/bin/", "/usr/sbin/", "/usr/local/bin/"}) {
		if (::access((folder + name).c_str(), X_OK) == 0) {
			return true;
		}
	}
	return false;
}

} // namespace issuer::test
