#pragma once

#include "transport/exchange.h"

#include <poll.h>
#include <span>
#include <string>

/// The one place where this room waits.
namespace issuer::vault::transport {

enum class Wake
{
	ready,
	timedOut,
	cancelled,
};

/// Waits until one of `fds` is ready (see their revents), or `limits` end the exchange, or `until` has come, which is
/// `ready` with no revents. Cancellation wins over the deadline, the deadline over readiness: a peer that always has
/// one more byte cannot hold us. At most 30 descriptors.
[[nodiscard]] Wake waitFor(std::span<pollfd> fds, const Limits& limits,
	std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max());

[[nodiscard]] Wake waitFor(int fd, short events, const Limits& limits);

/// The error of an exchange that `wake` (not `ready`) ended while it was `doing` something with `peer`.
[[nodiscard]] ExchangeError endedBy(Wake wake, const std::string& peer, const std::string& doing);

} // namespace issuer::vault::transport
