#pragma once

#include "base/http.h"
#include "base/result.h"
#include "transport/settings.h"

namespace issuer::vault::transport {

/// The bytes of `request` for the server at `address`, in memory that is wiped. `throughProxy`: with the address before
/// the path, as a forwarding proxy wants it.
/// Fails when a blank or control character would end a line early and let a header, or the token, become another.
[[nodiscard]] Result<WipedString> writeRequest(
	const HttpRequest& request, const Address& address, std::string_view userAgent, bool throughProxy);

/// "host:port" as in a Host header; the port only where it is not the scheme's own.
[[nodiscard]] std::string hostHeader(const Address& address);

} // namespace issuer::vault::transport
