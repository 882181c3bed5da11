#include "common/child_process.h"

#include "common/descriptor.h"
#include "common/duration.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" { // which glibc 2.36 leaves to its users
#include <sys/pidfd.h>
}

namespace issuer {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t longestReport = std::size_t{64} << 20;

/// The actions and attributes of posix_spawn.
class Spawning
{
public:
	/// `report` is -1 for a child that does not report.
	Spawning(const std::string& input, int report)
	{
		::posix_spawn_file_actions_init(&_actions);
		::posix_spawn_file_actions_addopen(&_actions, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
		::posix_spawn_file_actions_adddup2(&_actions, STDERR_FILENO, STDOUT_FILENO);
		if (report >= 0) {
			::posix_spawn_file_actions_adddup2(&_actions, report, childReportFd);
		}
		::posix_spawn_file_actions_addclosefrom_np(&_actions, report >= 0 ? childReportFd + 1 : childReportFd);
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

	[[nodiscard]] Result<pid_t> run(const ChildProgram& program) const
	{
		const std::vector<char*> arguments = pointers(program.arguments);
		std::vector<char*> own;
		if (program.environment) {
			own = pointers(*program.environment);
		}
		pid_t pid = 0;
		const int error = ::posix_spawn(&pid, program.arguments.front().c_str(), &_actions, &_attributes,
			arguments.data(), program.environment ? own.data() : environ);
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

/// Returns a file with that text, in memory alone.
Result<Descriptor> fileInMemory(std::string_view text)
{
	Descriptor file(::memfd_create("input", MFD_CLOEXEC));
	if (!file.valid() || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
		return failure(std::string("it cannot be given its input: ") + std::strerror(errno));
	}
	return file;
}

/// Reads what the pipe holds now. Returns false once it is closed, or more came than a child has to say.
bool readReport(int pipe, std::string& report)
{
	std::array<char, 4096> block;
	for (;;) {
		const ssize_t size = ::read(pipe, block.data(), block.size());
		if (size > 0) {
			report.append(block.data(), static_cast<std::size_t>(size));
		}
		else if (size == 0 || errno != EINTR) {
			return size != 0 && errno == EAGAIN;
		}
		if (report.size() > longestReport) {
			return false;
		}
	}
}

/// Waits until the child has ended, and reads its report meanwhile. Returns false if it is to be killed.
bool awaitEnd(int child, int pipe, const ChildProgram& program, std::string& report)
{
	Clock::time_point deadline = Clock::now() + program.limit;
	std::array<pollfd, 3> events{{{child, POLLIN, 0}, {pipe, POLLIN, 0}, {program.cancel, POLLIN, 0}}};
	for (;;) {
		const auto left = std::max(std::chrono::ceil<milliseconds>(deadline - Clock::now()), milliseconds(0));
		const int ready = ::poll(events.data(), events.size(), static_cast<int>(left.count()));
		if (ready < 0) {
			continue; // interrupted
		}
		if (events[1].revents != 0 && !readReport(pipe, report)) {
			events[1].fd = -1;
		}
		if (events[0].revents != 0) {
			return true;
		}
		if (ready == 0 || report.size() > longestReport) {
			return false;
		}
		if (events[2].revents != 0) { // from here on only the child and the time count
			events[2].fd = -1;
			deadline = std::min(deadline, Clock::now() + program.grace);
		}
	}
}

} // namespace

bool ChildEnd::exited() const
{
	return !killedAfter && WIFEXITED(status);
}

std::string ChildEnd::trouble() const
{
	if (killedAfter) {
		return "it hangs: killed after " + inWords(*killedAfter);
	}
	if (WIFSIGNALED(status)) {
		return std::string("the process dies of SIG") + ::sigabbrev_np(WTERMSIG(status));
	}
	return WEXITSTATUS(status) == 0 ? "" : "the process ends with exit code " + std::to_string(WEXITSTATUS(status));
}

Result<ChildEnd> runChild(const ChildProgram& program)
{
	const Clock::time_point begin = Clock::now();
	const Result<Descriptor> input = fileInMemory(program.input);
	if (!input) {
		return tl::unexpected(input.error());
	}
	std::array<int, 2> ends{-1, -1};
	if (program.reports && (::pipe2(ends.data(), O_CLOEXEC) != 0 || ::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)) {
		return failure(std::string("it cannot be started: it gets no pipe: ") + std::strerror(errno));
	}
	const Descriptor reading(ends[0]);
	Descriptor writing(ends[1]);
	// The path is that of the child: it opens the file before it begins its program.
	const Spawning spawning("/proc/self/fd/" + std::to_string(input->get()), writing.get());
	const Result<pid_t> pid = spawning.run(program);
	if (!pid) {
		return tl::unexpected(pid.error());
	}
	writing = Descriptor(); // so that the child's is the last one
	const Descriptor child(::pidfd_open(*pid, 0));
	const int error = errno;
	ChildEnd end;
	if (child.valid() && !awaitEnd(child.get(), reading.get(), program, end.report)) {
		end.killedAfter = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
	}
	::kill(-*pid, SIGKILL); // before it is reaped, as long as the number is its own
	while (::waitpid(*pid, &end.status, 0) < 0 && errno == EINTR) {
	}
	if (!child.valid()) {
		return failure(std::string("it cannot be watched: ") + std::strerror(error));
	}
	if (reading.valid()) {
		readReport(reading.get(), end.report);
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
