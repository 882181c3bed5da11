#pragma once

#include "base/http.h"
#include "base/result.h"

#include <chrono>

namespace issuer::vault::transport {

/// What ends an exchange from outside. Both hold for the whole of it: resolution, connect, proxy, handshake, request,
/// headers, body.
struct Limits
{
	std::chrono::steady_clock::time_point deadline;
	int cancelFd = -1; ///< readable means cancelled (an eventfd; never read from here); -1: cannot be cancelled
};

/// One request, one complete reply, or one reason why not. Follows at most one redirect, as its settings allow.
///
/// [thread-safe] One object serves all issuers with the same settings; each call uses a connection of its own.
/// Returns within a few milliseconds of the deadline or of the cancellation, whatever the peer does.
class Exchange
{
public:
	virtual ~Exchange() = default;

	[[nodiscard]] virtual Expected<HttpReply, ExchangeError> send(const HttpRequest& request, const Limits& limits) = 0;
};

} // namespace issuer::vault::transport
