#pragma once

#include "base/descriptor.h"
#include "transport/resolver.h"

#include <string>
#include <vector>

namespace issuer::vault::transport {

/// Connects to whichever of `endpoints` answers first: the next is tried when one has failed or 250 ms have passed
/// without an answer, beside those still under way (RFC 8305). Non-blocking, close-on-exec.
[[nodiscard]] Task<Expected<Descriptor, ExchangeError>> dial(
	const std::vector<Endpoint>& endpoints, const std::string& peer, Deadline deadline);

/// Connects to a unix socket.
[[nodiscard]] Task<Expected<Descriptor, ExchangeError>> dialUnix(
	const std::string& path, const std::string& peer, Deadline deadline);

} // namespace issuer::vault::transport
