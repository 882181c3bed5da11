#include "common/child_command.h"

#include "common/descriptor.h"
#include "common/duration.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" { // which glibc 2.36 leaves to its users
#include <sys/pidfd.h>
}

namespace issuer {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// The actions of posix_spawn in the child.
class Spawning
{
public:
	explicit Spawning(int input)
	{
		::posix_spawn_file_actions_init(&_actions);
		::posix_spawn_file_actions_adddup2(&_actions, input, STDIN_FILENO);
		::posix_spawn_file_actions_adddup2(&_actions, STDERR_FILENO, STDOUT_FILENO);
		::posix_spawn_file_actions_addclosefrom_np(&_actions, STDERR_FILENO + 1);
		sigset_t none;
		sigset_t all;
		::sigemptyset(&none);
		::sigfillset(&all);
		::posix_spawnattr_init(&_attributes);
		::posix_spawnattr_setsigmask(&_attributes, &none);
		::posix_spawnattr_setsigdefault(&_attributes, &all);
		::posix_spawnattr_setpgroup(&_attributes, 0);
		::posix_spawnattr_setflags(
			&_attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	}
	~Spawning()
	{
		::posix_spawn_file_actions_destroy(&_actions);
		::posix_spawnattr_destroy(&_attributes);
	}
	Spawning(const Spawning&) = delete;
	Spawning& operator=(const Spawning&) = delete;

	[[nodiscard]] Result<pid_t> run(const ChildCommand& command) const
	{
		const std::vector<char*> arguments = pointers(command.arguments);
		const std::vector<char*> environment = pointers(command.environment);
		pid_t pid = 0;
		const int error = ::posix_spawn(
			&pid, command.arguments.front().c_str(), &_actions, &_attributes, arguments.data(), environment.data());
		return error == 0 ? Result<pid_t>(pid) : failure(std::string("it cannot be started: ") + std::strerror(error));
	}

private:
	static std::vector<char*> pointers(const std::vector<std::string>& texts)
	{
		std::vector<char*> all;
		for (const std::string& text : texts) {
			all.push_back(const_cast<char*>(text.c_str())); // posix_spawn only reads
		}
		all.push_back(nullptr);
		return all;
	}

	posix_spawn_file_actions_t _actions{};
	posix_spawnattr_t _attributes{};
};

/// A pipe that holds all of `text`, to read from. An empty pipe takes 64 KiB at once.
Result<Descriptor> pipeWith(const std::string& text)
{
	std::array<int, 2> ends{};
	if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
		return failure(std::string("it cannot be given its input: ") + std::strerror(errno));
	}
	Descriptor out(ends[0]);
	const Descriptor in(ends[1]);
	const bool whole = ::fcntl(in.get(), F_SETFL, O_NONBLOCK) == 0 &&
					   ::write(in.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
	return whole ? Result<Descriptor>(std::move(out))
				 : failure("it cannot be given its input: a pipe does not take it");
}

/// Waits until the child has ended. False: it was to be killed first.
bool ended(int child, Clock::time_point deadline, int cancel, milliseconds grace)
{
	std::array<pollfd, 2> events{{{child, POLLIN, 0}, {cancel, POLLIN, 0}}};
	for (;;) {
		const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
		const int ready =
			::poll(events.data(), events.size(), static_cast<int>(std::max(left, milliseconds(0)).count()));
		if (events[0].revents != 0) {
			return true;
		}
		if (ready == 0) {
			return false;
		}
		if (events[1].revents != 0) { // once: from here on only the child and the time count
			events[1] = {-1, 0, 0};
			deadline = std::min(deadline, Clock::now() + grace);
		}
	}
}

Result<void> resultOf(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		return {};
	}
	return failure(WIFEXITED(status) ? "it ended with exit code " + std::to_string(WEXITSTATUS(status))
									 : "it was ended by signal " + std::to_string(WTERMSIG(status)));
}

} // namespace

Result<void> runChild(const ChildCommand& command, milliseconds limit, int cancel, milliseconds grace)
{
	const Clock::time_point deadline = Clock::now() + limit;
	const Result<Descriptor> input = pipeWith(command.input);
	if (!input) {
		return tl::unexpected(input.error());
	}
	const Result<pid_t> pid = Spawning(input->get()).run(command);
	if (!pid) {
		return tl::unexpected(pid.error());
	}
	const Descriptor child(::pidfd_open(*pid, 0));
	const bool inTime = child.valid() && ended(child.get(), deadline, cancel, grace);
	::kill(-*pid, SIGKILL); // before it is reaped, as long as the number is its own
	int status = 0;
	while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
	}
	return inTime ? resultOf(status) : failure("it was killed, having not ended in time, " + inWords(limit));
}

} // namespace issuer
