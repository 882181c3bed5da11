#include "conformance/checks.h"
#include "conformance/process_view.h"
#include "conformance/trial.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <memory>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace issuer::conformance {

namespace {

bool isMeantToStay(const Library& library)
{
	return (library.table().descriptor->flags & ISSUER_F_NEVER_UNLOAD) != 0;
}

/// Returns whether the plugin leaves the memory after its dlclose. A thread that a system call kept at work beyond the
/// stop may hold it a moment longer; once that thread has ended, the next dlclose has the loader unmap it.
bool leavesMemory(const Subject& subject)
{
	constexpr std::chrono::seconds longest{2};
	constexpr std::chrono::milliseconds pause{1};
	const auto until = std::chrono::steady_clock::now() + longest;
	while (isInMaps(subject.plugin)) {
		if (std::chrono::steady_clock::now() > until) {
			return false;
		}
		std::this_thread::sleep_for(pause);
		if (void* const again = ::dlopen(subject.plugin.c_str(), RTLD_LAZY | RTLD_NOLOAD); again != nullptr) {
			::dlclose(again);
		}
	}
	return true;
}

/// Loads, uses and unloads the plugin, as much as the check's configuration allows.
void liveOnce(const Subject& subject)
{
	Trial trial(subject);
	trial.instance.record(&trial.recorder);
	trial.instance.start();
	trial.instance.stop();
	trial.instance.destroy();
}

void unloads(const Subject& subject)
{
	{
		Trial trial(subject);
		if (isMeantToStay(trial.library)) {
			warn("it says ISSUER_F_NEVER_UNLOAD: each version stays in memory until the host ends");
		}
		trial.run();
		trial.instance.stop();
		trial.instance.destroy();
	}
	expect(leavesMemory(subject), "it is still in memory after dlclose; what it exports, a UNIQUE symbol, a "
								  "thread_local with a destructor or a thread keeps it");
}

void livesOftenWithoutATrace(const Subject& subject)
{
	if (isMeantToStay(Library(subject))) {
		skip("it says ISSUER_F_NEVER_UNLOAD");
	}
	constexpr int warmUp = 5;
	constexpr int cycles = 50;
	for (int cycle = 0; cycle < warmUp; ++cycle) {
		liveOnce(subject);
	}
	const std::size_t files = openFiles().size();
	const std::size_t threadsBefore = threads().size();
	const std::int64_t memory = residentKib();
	for (int cycle = 0; cycle < cycles; ++cycle) {
		liveOnce(subject);
		expect(leavesMemory(subject), "it is still in memory after cycle " + std::to_string(cycle + 1));
	}
	const std::string after = " after " + std::to_string(cycles) + " lives";
	expect(openFiles().size() <= files, counted(openFiles().size() - files, "more descriptor") + after);
	expect(threads().size() <= threadsBefore, counted(threads().size() - threadsBefore, "more thread") + after);
	constexpr std::int64_t bearable = 1024;
	if (const std::int64_t grown = residentKib() - memory; grown > bearable) {
		warn(std::to_string(grown) + " KiB more memory" + after);
	}
}

/// Returns how a host ends that does `life` and returns from main, in the words of wait(); empty: cleanly.
std::string endOfAHostAfter(const std::function<void()>& life)
{
	const pid_t host = ::fork(); // safe: this process has one thread yet
	if (host == 0) {
		::prctl(PR_SET_PDEATHSIG, SIGKILL);
		life();
		std::exit(EXIT_SUCCESS);
	}
	int status = 0;
	::waitpid(host, &status, 0);
	return status == 0           ? std::string()
		   : WIFSIGNALED(status) ? std::string("dies of SIG") + ::sigabbrev_np(WTERMSIG(status))
								 : "ends with exit code " + std::to_string(WEXITSTATUS(status));
}

/// Starts an instance that is never stopped.
Trial& startForEver(const Subject& subject)
{
	static Trial* forEver = nullptr; // never destroyed, and reachable: no leak
	forEver = new Trial(subject);
	forEver->run();
	return *forEver;
}

constexpr int hosts = 20;

void exitsWithoutStop(const Subject& subject)
{
	for (int host = 1; host <= hosts; ++host) {
		const std::string end = endOfAHostAfter([&] { startForEver(subject); });
		expect(end.empty(), "host " + std::to_string(host) + " of " + std::to_string(hosts) + " " + end);
	}
}

void survivesCloseWithoutStop(const Subject& subject)
{
	for (int host = 1; host <= hosts; ++host) {
		const std::string end = endOfAHostAfter([&] { startForEver(subject).library.close(); });
		if (!end.empty()) {
			warn("host " + std::to_string(host) + " of " + std::to_string(hosts) + " " + end +
				 "; the contract asks for stop first, a kind plugin pins itself while it runs");
		}
	}
}

constexpr Check checks[] = {
	{"unloads", "After the last destroy it can be unloaded, and is gone.", Needs::stopping, false, unloads},
	{"lives-often-without-a-trace", "Fifty lives from load to unload leave no thread, descriptor or memory behind.",
		Needs::stopping, false, livesOftenWithoutATrace},
	{"exits-without-stop", "Twenty hosts that end without stopping it end cleanly.", Needs::stopping, false,
		exitsWithoutStop},
	{"survives-close-without-stop", "Twenty hosts that close it without stopping it end cleanly.", Needs::stopping,
		false, survivesCloseWithoutStop},
};

} // namespace

std::span<const Check> unloadChecks()
{
	return checks;
}

} // namespace issuer::conformance
