/// A host that ends in an unusual way while instances run. The argument says which. Exit code 0 if it ended well.
#include "held_library.h"

#include <atomic>
#include <cstdlib>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

// Keeps the sanitizers from two things at the end: waiting a second for late races, and looking for leaks in a forked
// child, whose allocator may have been locked by a thread that does not exist there.
extern "C" {
__attribute__((visibility("default"))) const char* __tsan_default_options()
{
	return "atexit_sleep_ms=0";
}
__attribute__((visibility("default"))) const char* __asan_default_options()
{
	return "detect_leaks=0";
}
}

namespace {

using namespace issuer::vault::runtime;
using issuer::vault::Instant;

SharedRuntime& library()
{
	static SharedRuntime one;
	return one;
}

/// Forks while a thread holds the scheduler's lock more often than not: in the child it will never give it back.
int exitInForkedChild(test::ForgottenInstances& instances)
{
	std::latch running(1);
	Scheduler& scheduler = instances.runtime().scheduler();
	const Instant now = instances.runtime().clock().now().boot;
	Job& armed = instances.add([] {});
	// It continues when this frame is gone: after the first line it may only use objects that outlive it.
	static std::atomic<bool> forked = false;
	Job& busy = instances.add([&running, &scheduler, &armed, now] {
		running.count_down();
		while (!forked) {
			for (int i = 0; i < 1000; ++i) {
				scheduler.arm(armed, now + std::chrono::hours(i + 1), now);
			}
		}
	});
	scheduler.arm(busy, now, Instant::min());
	running.wait();
	const pid_t child = ::fork();
	if (child == 0) {
		std::exit(
			0); // as a program does whose exec has failed; not _exit: it runs the destructors, without the threads
	}
	forked = true;
	int status = -1;
	return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

void exitInsideAJob(test::ForgottenInstances& instances)
{
	const Instant now = instances.runtime().clock().now().boot;
	instances.runtime().scheduler().arm(instances.add([] { std::exit(0); }), now, Instant::min());
	for (;;) {
		::pause();
	}
}

} // namespace

int main(int count, char** arguments)
{
	::alarm(60); // a hang is a failure
	const std::string_view how = count > 1 ? arguments[1] : "";
	static auto& instances = *new test::ForgottenInstances(library()); // never deleted; reachable, so not a leak
	if (how == "return") {
		return 0;
	}
	if (how == "exit") {
		std::exit(0);
	}
	if (how == "exit-inside-a-job") {
		exitInsideAJob(instances);
	}
	if (how == "exit-in-forked-child") {
		return exitInForkedChild(instances);
	}
	return 2;
}
