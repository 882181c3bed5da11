#include "loader/confinement.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <initializer_list>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace issuer::loader {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t architecture = 0; ///< not known: without a filter
#endif

/// System calls that a library needs when it is loaded, and that change nothing outside of the process.
constexpr long harmless[] = {SYS_read, SYS_pread64, SYS_write, SYS_close, SYS_fstat, SYS_newfstatat, SYS_statx,
	SYS_faccessat, SYS_faccessat2, SYS_readlinkat, SYS_lseek, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_mremap,
	SYS_madvise, SYS_brk, SYS_futex, SYS_getrandom, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
	SYS_sigaltstack, SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_nanosleep, SYS_clock_nanosleep,
	SYS_sched_yield, SYS_sched_getaffinity, SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid,
	SYS_getegid, SYS_uname, SYS_sysinfo, SYS_getcwd, SYS_getdents64, SYS_set_robust_list, SYS_set_tid_address, SYS_rseq,
	SYS_ppoll, SYS_restart_syscall, SYS_eventfd2, SYS_pipe2, SYS_membarrier, SYS_exit, SYS_exit_group,
#ifdef __x86_64__
	SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_poll, SYS_time, SYS_pause, SYS_arch_prctl
#endif
};

constexpr std::uint32_t offsetOfArgument(int index)
{
	return static_cast<std::uint32_t>(
		offsetof(seccomp_data, args) + sizeof(std::uint64_t) * static_cast<unsigned>(index));
}

/// Returns a filter for this process that allows what is harmless, and answers everything else with EPERM.
std::vector<sock_filter> makeFilter()
{
	constexpr std::uint32_t allow = SECCOMP_RET_ALLOW;
	constexpr std::uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
	constexpr std::uint32_t unknown = SECCOMP_RET_ERRNO | ENOSYS;
	constexpr std::uint32_t opensForMore = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
	const auto load = [](std::size_t offset) {
		return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
	};
	const auto ifEqual = [](std::uint32_t value, std::uint8_t then, std::uint8_t otherwise) {
		return sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise);
	};
	const auto ifAnyBit = [](std::uint32_t bits, std::uint8_t then, std::uint8_t otherwise) {
		return sock_filter BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, then, otherwise);
	};
	const auto answer = [](std::uint32_t value) { return sock_filter BPF_STMT(BPF_RET | BPF_K, value); };

	std::vector<sock_filter> filter{load(offsetof(seccomp_data, arch)), ifEqual(architecture, 1, 0),
		answer(SECCOMP_RET_KILL_PROCESS), load(offsetof(seccomp_data, nr))};
	const auto add = [&](std::initializer_list<sock_filter> steps) { filter.insert(filter.end(), steps); };
	for (const long call : harmless) {
		add({ifEqual(static_cast<std::uint32_t>(call), 0, 1), answer(allow)});
	}
	// Also abort() needs it: a crash is to look like one.
	add({ifEqual(SYS_tgkill, 0, 4), load(offsetOfArgument(0)), ifEqual(static_cast<std::uint32_t>(::getpid()), 0, 1),
		answer(allow), answer(refuse)});
	add({ifEqual(SYS_clone3, 0, 1), answer(unknown)}); // its flags cannot be looked at; libraries go on with clone
	add({ifEqual(SYS_clone, 0, 4), load(offsetOfArgument(0)), ifAnyBit(CLONE_THREAD, 0, 1), answer(allow),
		answer(refuse)});
	add({ifEqual(SYS_openat, 0, 4), load(offsetOfArgument(2)), ifAnyBit(opensForMore, 1, 0), answer(allow),
		answer(refuse)});
#ifdef __x86_64__
	add({ifEqual(SYS_open, 0, 4), load(offsetOfArgument(1)), ifAnyBit(opensForMore, 1, 0), answer(allow),
		answer(refuse)});
#endif
	add({answer(refuse)});
	return filter;
}

/// Switches from root to the user nobody, without groups and capabilities. Returns whether that worked, or was not
/// needed.
bool dropUser()
{
	constexpr uid_t nobody = 65534;
	return ::geteuid() != 0 || (::setgroups(0, nullptr) == 0 && ::setresgid(nobody, nobody, nobody) == 0 &&
								   ::setresuid(nobody, nobody, nobody) == 0);
}

bool setFilter()
{
	std::vector<sock_filter> filter = makeFilter();
	const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
	return architecture != 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
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
	const bool closed = closeDescriptors(first, last);
	const bool isNobody = dropUser();
	const bool bound = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && setFilter();
	if (closed && (bound || (isNobody && architecture == 0))) {
		return {};
	}
	return failure(std::string("its code cannot be tried without the caller's rights: ") + std::strerror(errno));
}

} // namespace issuer::loader
