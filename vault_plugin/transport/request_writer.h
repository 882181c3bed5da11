#pragma once

#include "base/http.h"
#include "base/result.h"
#include "transport/settings.h"

namespace issuer::vault::transport {

/// Returns the bytes of `request` for the server at `address`, in memory that is wiped. `forwarder`: the proxy that
/// they are sent to, which demands the address before the path, and its own authorization; null: none. Fails when a
/// blank or control character would end a line early and let a header, or the token, become another.
[[nodiscard]] Result<WipedString> writeRequest(
	const HttpRequest& request, const Address& address, std::string_view userAgent, const Address* forwarder);

/// Returns the bytes that ask `proxy` for a tunnel to the server at `address`.
[[nodiscard]] WipedString writeConnect(const Address& address, const Address& proxy);

/// Returns "host:port" as in a Host header; the port only where it is not the scheme's own. Without a zone, which has a
/// meaning on this machine only, and without the dot behind a complete name.
[[nodiscard]] std::string hostHeader(const Address& address);

} // namespace issuer::vault::transport
