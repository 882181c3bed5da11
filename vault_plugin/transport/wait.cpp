#include "transport/wait.h"

#include <algorithm>

namespace issuer::vault::transport {

Readiness ready(int fd, short events, Deadline deadline) noexcept
{
	const auto left = std::chrono::ceil<Duration>(deadline - std::chrono::steady_clock::now());
	return {{{fd, events, std::max(left, Duration::zero())}}, deadline};
}

ExchangeError endedBy(Wake wake, const std::string& peer, const std::string& doing)
{
	if (wake == Wake::cancelled) {
		return {ExchangeError::Kind::cancelled, peer + ": stopped while " + doing};
	}
	return {ExchangeError::Kind::timeout, peer + ": no time left while " + doing};
}

} // namespace issuer::vault::transport
