#include "conformance/checks.h"
#include "conformance/process_view.h"
#include "conformance/trial.h"

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace issuer::conformance {

namespace {

/// Returns whether a signal is raised by a thread's own fault: blocked or not, it reaches that thread.
bool isSynchronous(int signal)
{
	constexpr int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGKILL, SIGSTOP};
	return std::ranges::find(synchronous, signal) != std::end(synchronous);
}

/// Returns the signals meant for the process that a thread does not block; empty: none.
std::string openSignals(pid_t thread)
{
	const std::uint64_t blocked = blockedSignals(thread);
	std::string open;
	for (int signal = 1; signal < SIGSYS; ++signal) {
		if (!isSynchronous(signal) && (blocked >> (signal - 1) & 1) == 0) {
			open += (open.empty() ? "SIG" : ", SIG") + std::string(::sigabbrev_np(signal));
		}
	}
	return open;
}

void threadsBlockSignals(const Subject& subject)
{
	const auto before = threads();
	std::mutex mutex;
	std::string open;
	Recorder recorder([&](const issuer_event&) {
		const std::lock_guard lock(mutex);
		for (const pid_t thread : threads()) { // this thread, and all others of the plugin
			if (!before.contains(thread) && open.empty()) {
				open = openSignals(thread);
			}
		}
	});
	Trial trial(subject);
	trial.instance.record(&recorder);
	trial.instance.start();
	recorder.awaitMoreThan(0);
	trial.instance.stop();
	const std::lock_guard lock(mutex);
	expect(open.empty(), "a thread of it does not block " + open);
}

/// Returns the bytes between this function's frame and the end of the current thread's stack; nothing if unknown.
std::optional<std::size_t> freeStack() noexcept
{
	pthread_attr_t attributes;
	if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) {
		return std::nullopt;
	}
	void* end = nullptr; // stacks grow down
	std::size_t size = 0;
	::pthread_attr_getstack(&attributes, &end, &size);
	::pthread_attr_destroy(&attributes);
	const char here = 0;
	return static_cast<std::size_t>(&here - static_cast<const char*>(end));
}

void callbacksHaveAStack(const Subject& subject)
{
	constexpr std::size_t promised = std::size_t{1024} * 1024;
	std::atomic<std::size_t> least = promised;
	const pthread_t control = ::pthread_self(); // the host's own thread, whose stack is not checked
	const auto measure = [&] {
		const std::size_t found =
			::pthread_equal(::pthread_self(), control) != 0 ? promised : freeStack().value_or(promised);
		for (std::size_t before = least; found < before && !least.compare_exchange_weak(before, found);) {
		}
	};
	Recorder recorder([&](const issuer_event&) { measure(); });
	Trial trial(subject);
	trial.host.onLog = measure;
	trial.instance.record(&recorder);
	trial.instance.start();
	recorder.awaitMoreThan(0);
	trial.instance.stop();
	expect(least >= promised,
		"a callback finds " + std::to_string(least / 1024) + " KiB of free stack; the contract promises 1024");
}

void filesAreCloseOnExec(const Subject& subject)
{
	const auto before = openFiles();
	std::mutex mutex;
	std::string inherited;
	const auto look = [&] {
		const std::lock_guard lock(mutex);
		for (const auto& [fd, what] : openFiles()) {
			const int flags = ::fcntl(fd, F_GETFD);
			if (!before.contains(fd) && flags >= 0 && (flags & FD_CLOEXEC) == 0) {
				inherited = what;
			}
		}
	};
	Recorder recorder([&](const issuer_event&) { look(); });
	Trial trial(subject);
	trial.instance.record(&recorder);
	trial.instance.start();
	recorder.awaitMoreThan(0);
	look();
	trial.instance.stop();
	expect(inherited.empty(), inherited + " would be inherited by the host's children: SOCK_CLOEXEC, O_CLOEXEC");
}

/// State that belongs to the process and not to a plugin.
struct ProcessState
{
	std::string directory = std::filesystem::current_path();
	mode_t umask = [] {
		const mode_t mask = ::umask(0);
		::umask(mask);
		return mask;
	}();
	std::string locale = std::setlocale(LC_ALL, nullptr);
	std::vector<std::string> environment = [] {
		std::vector<std::string> all;
		for (char** variable = environ; *variable != nullptr; ++variable) {
			all.emplace_back(*variable);
		}
		return all;
	}();
	std::vector<const void*> handlers = [] {
		std::vector<const void*> all;
		for (int signal = 1; signal < SIGSYS; ++signal) {
			struct sigaction action
			{
			};
			::sigaction(signal, nullptr, &action);
			all.push_back(reinterpret_cast<const void*>(action.sa_handler));
		}
		return all;
	}();
};

void leavesTheProcessAlone(const Subject& subject)
{
	const ProcessState before;
	{
		Trial trial(subject);
		trial.run();
		trial.instance.stop();
	}
	const ProcessState after;
	expect(after.directory == before.directory, "it changes the working directory");
	expect(after.umask == before.umask, "it changes the umask");
	expect(after.locale == before.locale, "it changes the locale");
	expect(after.environment == before.environment, "it changes the environment");
	expect(after.handlers == before.handlers, "it installs a signal handler");
}

void leavesNoFileOpen(const Subject& subject)
{
	Trial trial(subject);
	trial.run(); // files that libraries open once and keep are open from now on
	trial.instance.stop();
	const std::size_t before = openFiles().size();
	for (int round = 0; round < 5; ++round) {
		trial.instance.start();
		trial.instance.stop();
	}
	const std::size_t after = openFiles().size();
	expect(after <= before, "five starts and stops leave " + counted(after - before, "descriptor") + " open");
}

constexpr Check checks[] = {
	{"threads-block-signals", "Its threads block every signal that is the host's to take.", Needs::stopping, false,
		threadsBlockSignals},
	{"callbacks-have-a-stack", "Its callbacks find 1 MiB of free stack.", Needs::stopping, false, callbacksHaveAStack},
	{"files-are-close-on-exec", "No descriptor of it reaches a child of the host.", Needs::stopping, false,
		filesAreCloseOnExec},
	{"leaves-the-process-alone", "Handlers, environment, locale, umask and directory are the host's.", Needs::stopping,
		false, leavesTheProcessAlone},
	{"leaves-no-file-open", "stop closes all files that start has opened.", Needs::stopping, false, leavesNoFileOpen},
};

} // namespace

std::span<const Check> processChecks()
{
	return checks;
}

} // namespace issuer::conformance
