#include "transport/sigpipe_block.h"

#include <pthread.h>
#include <time.h>

namespace issuer::vault::transport {
namespace {

sigset_t onlySigpipe()
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	return set;
}

bool isSigpipePending()
{
	sigset_t pending;
	sigpending(&pending);
	return sigismember(&pending, SIGPIPE) == 1;
}

} // namespace

SigpipeBlock::SigpipeBlock() noexcept
{
	const auto set = onlySigpipe();
	pthread_sigmask(SIG_BLOCK, &set, &_before);
	// Pending before means somebody else's: it must survive us.
	_wasPending = sigismember(&_before, SIGPIPE) == 1 || isSigpipePending();
}

SigpipeBlock::~SigpipeBlock()
{
	if (sigismember(&_before, SIGPIPE) == 1) {
		return; // a worker: blocked for good, nothing to undo
	}
	if (!_wasPending && isSigpipePending()) {
		const auto set = onlySigpipe();
		const timespec atOnce{0, 0};
		sigtimedwait(&set, nullptr, &atOnce);
	}
	pthread_sigmask(SIG_SETMASK, &_before, nullptr);
}

} // namespace issuer::vault::transport
