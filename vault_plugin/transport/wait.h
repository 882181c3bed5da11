#pragma once

#include "transport/exchange.h"

#include <poll.h>
#include <string>

/// How this room waits.
namespace issuer::vault::transport {

/// A wait within a deadline, see ready().
struct Readiness : task::Pause
{
	Deadline deadline;

	/// A peer that always has one more byte cannot hold us: the deadline wins over readiness.
	[[nodiscard]] Wake await_resume() const noexcept
	{
		const Wake wake = Pause::await_resume();
		return wake == Wake::ready && std::chrono::steady_clock::now() >= deadline ? Wake::timedOut : wake;
	}
};

/// `co_await ready(…)`: until `fd` is ready for `events` (as poll() has them), or `deadline` has come.
[[nodiscard]] Readiness ready(int fd, short events, Deadline deadline) noexcept;

/// The error of an exchange that `wake` (not `ready`) ended while it was `doing` something with `peer`.
[[nodiscard]] ExchangeError endedBy(Wake wake, const std::string& peer, const std::string& doing);

} // namespace issuer::vault::transport
