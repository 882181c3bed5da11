#pragma once

#include "base/descriptor.h"
#include "transport/exchange.h"
#include "transport/socket_address.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace issuer::vault::transport {

/// What came of connecting to several addresses.
struct Dialled
{
	Descriptor socket;                               ///< connected, non-blocking, close-on-exec; none: see below
	std::size_t winner = 0;                          ///< index of its address
	std::vector<std::pair<std::size_t, int>> failed; ///< index and errno of those that failed meanwhile
	std::size_t begun = 0;                           ///< number of addresses that were tried, from the first on
	bool outOfDescriptors = false; ///< the process had none left for the next one, which is not its fault
	Wake wake = Wake::ready;       ///< timedOut or cancelled: an end without a socket
};

/// Connects to whichever of `addresses` answers first: the next is tried when one has failed or 250 ms have passed
/// without an answer, beside those still under way (RFC 8305). Never blocks the thread.
[[nodiscard]] Task<Dialled> dial(const std::vector<SocketAddress>& addresses, Deadline deadline);

/// The process can have no further descriptor now. Tries it out: some calls, getaddrinfo() and OpenSSL's among them, do
/// not say that this is why they fail.
[[nodiscard]] bool isOutOfDescriptors() noexcept;

/// "connection refused", for people.
[[nodiscard]] std::string connectError(int error);

} // namespace issuer::vault::transport
