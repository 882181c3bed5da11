#pragma once

#include "base/http.h"
#include "base/result.h"
#include "base/task.h"

namespace issuer::vault::transport {

/// Blocks until `wait` has ended. Cancellation wins over readiness.
[[nodiscard]] Wake block(const Wait& wait, int cancelFd);

/// The whole of a task of this room on the calling thread, which blocks. `cancelFd` (an eventfd; never read from here)
/// becomes readable to cancel it, however far it is; -1: nobody does.
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
