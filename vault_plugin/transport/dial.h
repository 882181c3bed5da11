#pragma once

#include "base/descriptor.h"
#include "transport/exchange.h"
#include "transport/socket_address.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace issuer::vault::transport {

/// The result of connecting to several addresses.
struct Dialled
{
	/// connected, non-blocking, close-on-exec; invalid: see the fields below.
	Descriptor socket;
	std::size_t winner = 0;                          ///< index of its address
	std::vector<std::pair<std::size_t, int>> failed; ///< index and errno of those that failed meanwhile
	std::size_t begun = 0;                           ///< number of addresses that were tried, from the first one on
	/// The process had none left for the next address, which is not that address's fault.
	bool outOfDescriptors = false;
	Wake wake = Wake::ready; ///< timedOut or cancelled, if it ended without a socket
};

/// Connects to whichever of `addresses` answers first: the next one is tried when one has failed, or when 250 ms have
/// passed without an answer, beside those still under way (RFC 8305). Never blocks the thread.
[[nodiscard]] Task<Dialled> dial(const std::vector<SocketAddress>& addresses, Deadline deadline);

/// Returns whether the process can open no further descriptor now. Tests it by opening one: some calls, getaddrinfo()
/// and OpenSSL's among them, do not report this cause.
[[nodiscard]] bool isOutOfDescriptors() noexcept;

/// Returns the text of an errno: "connection refused".
[[nodiscard]] std::string connectError(int error);

} // namespace issuer::vault::transport
