#pragma once

#include "base/http.h"
#include "base/result.h"
#include "base/task.h"

#include <chrono>

namespace issuer::vault::transport {

/// The time by which an exchange has to have ended: resolution, connect, proxy, handshake, request, headers, body.
using Deadline = std::chrono::steady_clock::time_point;

/// One complete reply, or one reason why there is none.
using ExchangeResult = Expected<HttpReply, ExchangeError>;

/// Carries requests to servers and brings their replies.
///
/// [thread-safe] One object serves all issuers with the same settings; each task uses a connection of its own.
class Exchange
{
public:
	virtual ~Exchange() = default;

	/// Carries one request and returns one reply. Follows at most one redirect, as its settings allow. No peer
	/// can make it last beyond the deadline, or beyond its first step after a cancellation. The request is borrowed
	/// until then. Raises no SIGPIPE on any thread. A request with a BodyReader has its body read while it comes; the
	/// deadline ends that as well, and the reply comes after the body's end.
	[[nodiscard]] virtual Task<ExchangeResult> carry(const HttpRequest& request, Deadline deadline) = 0;

	/// Returns the place (scheme, host, port or socket, proxy) that a request would begin with now, as an opaque id:
	/// equal for all exchanges that begin with the same place, also with other tokens, namespaces, certificates or
	/// paths. Jobs with equal ids may hang on the same server. Compared, never dereferenced. [thread-safe]
	[[nodiscard]] virtual const void* place() const noexcept { return this; }
};

} // namespace issuer::vault::transport
