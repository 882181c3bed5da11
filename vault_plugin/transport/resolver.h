#pragma once

#include "transport/exchange.h"
#include "transport/socket_address.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace issuer::vault::runtime {
class Helpers;
}

namespace issuer::vault::transport {

/// Turns names into addresses on the library's helpers: a dead name server holds a helper for ten seconds and more, but
/// no caller beyond its deadline. Simultaneous questions for one name share a lookup. An answer that comes when no
/// caller waits any more is kept for a few seconds, for the next one.
/// Destroying the Resolver waits for nothing. [thread-safe]
class Resolver
{
public:
	struct Found
	{
		std::vector<SocketAddress> addresses; ///< with port 0, the preferred one first; empty: not resolved
		std::string complaint;                ///< the reason why there are none
		bool outOfDescriptors = false;        ///< the reason is a lack of descriptors, not the name
	};
	/// Resolves a host. May block for any time; runs on a helper. Touches only objects that live as long as the
	/// process.
	using Lookup = std::function<Found(const std::string& host)>;

	/// Asks the system (getaddrinfo) on `helpers`.
	explicit Resolver(std::shared_ptr<runtime::Helpers> helpers);
	Resolver(std::shared_ptr<runtime::Helpers> helpers, Lookup lookup);
	/// Uses helpers of its own.
	Resolver();
	explicit Resolver(Lookup lookup);
	~Resolver();

	/// Returns the addresses of `host`; without any, `complaint` gives the reason. Error of kind `timeout`: no answer
	/// by `deadline`, which may be now, to begin a lookup or to check whether one has ended. Otherwise the error is
	/// `cancelled`.
	[[nodiscard]] Task<Expected<Found, ExchangeError>> resolve(
		const std::string& host, const std::string& peer, Deadline deadline);

	/// Calls getaddrinfo() with `flags` (AI_…).
	[[nodiscard]] static Found askSystem(const std::string& host, int flags);

private:
	struct Query;
	struct Queries;

	const std::shared_ptr<runtime::Helpers> _helpers;
	const std::shared_ptr<Queries> _queries; ///< shared with lookups under way, which may outlive this object
};

} // namespace issuer::vault::transport
