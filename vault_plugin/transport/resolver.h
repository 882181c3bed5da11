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
		std::vector<SocketAddress> addresses; ///< with port 0, the favourite first; empty: not resolved
		std::string complaint;                ///< why it is empty
		bool outOfDescriptors = false;        ///< that is why: no fault of the name's
	};
	/// Blocks for as long as it likes; runs on a helper. Touches nothing that ends before the process does.
	using Lookup = std::function<Found(const std::string& host)>;

	/// Asks the system (getaddrinfo) on `helpers`.
	explicit Resolver(std::shared_ptr<runtime::Helpers> helpers);
	Resolver(std::shared_ptr<runtime::Helpers> helpers, Lookup lookup);
	/// On helpers of its own.
	Resolver();
	explicit Resolver(Lookup lookup);
	~Resolver();

	/// The addresses of `host`; without any, `complaint` says why. Kind `timeout`: no answer by `deadline`, which may
	/// be now, to begin a lookup or to see whether one has ended. Otherwise the error is `cancelled`.
	[[nodiscard]] Task<Expected<Found, ExchangeError>> resolve(
		const std::string& host, const std::string& peer, Deadline deadline);

	/// getaddrinfo() with `flags` (AI_…).
	[[nodiscard]] static Found askSystem(const std::string& host, int flags);

private:
	struct Question;
	struct Desk;

	const std::shared_ptr<runtime::Helpers> _helpers;
	const std::shared_ptr<Desk> _desk; ///< shared with work under way, which may outlive us
};

} // namespace issuer::vault::transport
