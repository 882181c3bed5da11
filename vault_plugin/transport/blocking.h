#pragma once

#include "base/http.h"
#include "base/result.h"
#include "base/task.h"

namespace issuer::vault::transport {

/// Blocks until `wait` has ended. Cancellation wins over readiness.
[[nodiscard]] Wake block(const Wait& wait, int cancelFd);

/// Runs a whole task of this room on the calling thread, and blocks until it has ended. `cancelFd` (an eventfd, never
/// read here) becomes readable to cancel it in whatever phase it is; -1: it is never cancelled.
template <class Value>
[[nodiscard]] Expected<Value, ExchangeError> blockingly(Task<Expected<Value, ExchangeError>> task, int cancelFd = -1)
{
	if (block({-1, 0, Duration::zero()}, cancelFd) == Wake::cancelled) {
		return tl::unexpected(ExchangeError{ExchangeError::Kind::cancelled, "stopped before it began", true});
	}
	Wake wake = Wake::ready;
	while (const auto wait = task.resume(wake)) {
		wake = block(*wait, cancelFd);
	}
	return task.take();
}

} // namespace issuer::vault::transport
