#pragma once

#include "transport/exchange.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace issuer::vault::transport {

/// A socket address, of any family.
struct Endpoint
{
	sockaddr_storage address{};
	socklen_t size = 0;

	[[nodiscard]] int family() const noexcept { return address.ss_family; }
};

/// Turns names into endpoints on helper threads that may be left behind: a dead name server holds the helper, for ten
/// seconds and more, but nobody who waits. At most 4 helpers; lookups of the same name share one, the others queue.
/// Destroying the Resolver waits for nothing. [thread-safe]
class Resolver
{
public:
	struct Found
	{
		std::vector<Endpoint> endpoints; ///< with port 0; empty: not resolved
		std::string complaint;           ///< why it is empty
	};
	/// Blocks for as long as it likes; runs on a helper. Touches nothing that ends before the process does.
	using Lookup = std::function<Found(const std::string& host)>;

	Resolver(); ///< asks the system (getaddrinfo)
	explicit Resolver(Lookup lookup);
	~Resolver();

	/// The endpoints of `host`, in the order to be tried: families alternate, the system's favourite first.
	/// Numeric addresses are answered at once. At least one endpoint, or an error that names `peer`.
	[[nodiscard]] Task<Expected<std::vector<Endpoint>, ExchangeError>> resolve(
		const std::string& host, std::uint16_t port, const std::string& peer, Deadline deadline);

private:
	struct Question;
	struct Desk;

	std::shared_ptr<Desk> _desk; ///< shared with the helpers, which may outlive us
};

} // namespace issuer::vault::transport
