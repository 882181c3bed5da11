/// A module that leaves a helper at work behind, for a host that unloads it.
#include "runtime/helpers.h"

#include <latch>
#include <unistd.h>

/// Returns when the helper is at work and its owner gone; the work ends when a byte can be read from `mayEnd`.
extern "C" __attribute__((visibility("default"))) bool leaveAtWork(int mayEnd)
{
	static std::latch entered(1);
	issuer::vault::runtime::Helpers helpers;
	const bool taken = helpers.submit("a file system that hangs", [mayEnd] {
		entered.count_down();
		char byte = 0;
		while (::read(mayEnd, &byte, 1) < 0) {
		}
	});
	if (taken) {
		entered.wait();
	}
	return taken;
}
