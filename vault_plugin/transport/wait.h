#pragma once

#include "transport/exchange.h"

#include <poll.h>
#include <string>

/// The waits of this room.
namespace issuer::vault::transport {

/// A wait within a deadline, see ready().
struct Readiness : task::Pause
{
	Deadline deadline;

	/// Lets the deadline win over readiness: a peer that always sends one more byte cannot hold the exchange.
	[[nodiscard]] Wake await_resume() const noexcept
	{
		const Wake wake = Pause::await_resume();
		return wake == Wake::ready && std::chrono::steady_clock::now() >= deadline ? Wake::timedOut : wake;
	}
};

/// `co_await ready(…)` waits until `fd` is ready for `events` (as poll() has them), or `deadline` has come.
[[nodiscard]] Readiness ready(int fd, short events, Deadline deadline) noexcept;

/// Returns the error of an exchange whose wait ended as `wake` (not `ready`) says, while it was `doing` something with
/// `peer`.
[[nodiscard]] ExchangeError endedBy(Wake wake, const std::string& peer, const std::string& doing);

} // namespace issuer::vault::transport
