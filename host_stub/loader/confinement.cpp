#include "loader/confinement.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <memory>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace issuer::loader {

namespace {

/// System calls that a library needs when it is loaded, and that change nothing outside of the process. Those that a
/// machine does not have are no rule there.
constexpr int harmless[] = {SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(lseek), SCMP_SYS(mmap), SCMP_SYS(mprotect),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(uname),
	SCMP_SYS(sysinfo), SCMP_SYS(getcwd), SCMP_SYS(getdents64), SCMP_SYS(set_robust_list), SCMP_SYS(set_tid_address),
	SCMP_SYS(rseq), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(pause), SCMP_SYS(restart_syscall), SCMP_SYS(eventfd2),
	SCMP_SYS(pipe2), SCMP_SYS(membarrier), SCMP_SYS(arch_prctl), SCMP_SYS(exit), SCMP_SYS(exit_group)};

/// Limits this process to harmless system calls; every other fails with EPERM. Returns 0, or a negative errno.
int setFilter()
{
	const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(
		::seccomp_init(SCMP_ACT_ERRNO(EPERM)), ::seccomp_release);
	if (filter == nullptr) {
		return -ENOSYS;
	}
	int result = 0;
	const auto add = [&](std::uint32_t action, int call, const std::vector<scmp_arg_cmp>& arguments = {}) {
		const int added = ::seccomp_rule_add_array(
			filter.get(), action, call, static_cast<unsigned>(arguments.size()), arguments.data());
		result = result == 0 ? added : result;
	};
	for (const int call : harmless) {
		add(SCMP_ACT_ALLOW, call);
	}
	// Also abort() needs it: a crash is to look like one.
	add(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), {{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid()), 0}});
	add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3)); // its flags cannot be looked at; libraries go on with clone
	add(SCMP_ACT_ALLOW, SCMP_SYS(clone), {{0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD}});
	constexpr scmp_datum_t opensForMore = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
	add(SCMP_ACT_ALLOW, SCMP_SYS(openat), {{2, SCMP_CMP_MASKED_EQ, opensForMore, 0}});
	add(SCMP_ACT_ALLOW, SCMP_SYS(open), {{1, SCMP_CMP_MASKED_EQ, opensForMore, 0}});
	return result == 0 ? ::seccomp_load(filter.get()) : result; // which sets no_new_privs
}

/// Changes root's process to the unprivileged user 65534, without groups and capabilities. Does nothing if the system
/// forbids it: the filter binds root as well.
void dropUser()
{
	constexpr uid_t nobody = 65534;
	static_cast<void>(::geteuid() == 0 && ::setgroups(0, nullptr) == 0 && ::setresgid(nobody, nobody, nobody) == 0 &&
					  ::setresuid(nobody, nobody, nobody) == 0);
}

/// Has the standard descriptors lead nowhere, and closes all others but `first` to `last`.
bool closeDescriptors(int first, int last)
{
	const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
	bool done = nowhere >= 0;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
		done = done && ::dup2(nowhere, fd) == fd;
	}
	const auto before = static_cast<unsigned>(first) - 1;
	return done && (before == STDERR_FILENO || ::close_range(STDERR_FILENO + 1, before, 0) == 0) &&
		   ::close_range(static_cast<unsigned>(last) + 1, ~0U, 0) == 0;
}

} // namespace

Result<void> confine(int first, int last)
{
	constexpr rlimit none{0, 0};
	constexpr rlimit seconds{10, 10};
	::prctl(PR_SET_PDEATHSIG, SIGKILL);
	::setrlimit(RLIMIT_CORE, &none);
	::setrlimit(RLIMIT_CPU, &seconds);
	::clearenv(); // it may hold a token
	if (!closeDescriptors(first, last)) {
		return failure(std::string("no descriptor may be left to its code: ") + std::strerror(errno));
	}
	dropUser();
	const int error = setFilter();
	return error == 0
			   ? Result<void>()
			   : failure(std::string("its code cannot be tried without the caller's rights: ") + std::strerror(-error));
}

} // namespace issuer::loader
