#pragma once

#include "transport/exchange.h"
#include "transport/idle_connections.h"
#include "transport/proxy.h"
#include "transport/redirect.h"
#include "transport/resolver.h"
#include "transport/settings.h"
#include "transport/tls.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace issuer::vault::transport {

/// The exchange over real sockets.
///
/// A request goes to the configured addresses in turn, the last good one first, until one has got it: once it is on
/// the wire its outcome is this exchange's, and another address gets the next. The one exception is a kept-alive
/// connection that fails before a byte of an answer: the server has most likely closed it in its sleep, and the request
/// is sent once more over a fresh one. Should there be none, the error does not claim that nothing was sent.
class Client final : public Exchange
{
public:
	Client(Settings settings, Proxies proxies, std::shared_ptr<Resolver> resolver);
	~Client() override;

	[[nodiscard]] Task<Outcome> carry(const HttpRequest& request, Deadline deadline) override;

private:
	/// A failed exchange with one server.
	struct Failure
	{
		ExchangeError error;
		bool final = false; ///< another address shall not get the request
	};
	/// One request on its way to one server.
	struct Errand
	{
		const HttpRequest& request;
		const Address& address;
		const std::string& peer; ///< for people
	};

	[[nodiscard]] Task<Expected<HttpReply, Failure>> sendTo(const Errand& errand, Deadline opening, Deadline deadline);
	[[nodiscard]] Task<Outcome> follow(HttpReply redirect, const Errand& errand, Deadline deadline);
	[[nodiscard]] Task<Expected<std::unique_ptr<Connection>, ExchangeError>> open(
		const Address& address, const std::optional<Address>& proxy, const std::string& peer, Deadline deadline);
	[[nodiscard]] Task<Expected<Descriptor, ExchangeError>> connect(
		const Address& address, const std::string& peer, Deadline deadline);
	void advise(HttpReply& reply);

	const Settings _settings;
	const std::vector<std::string> _names; ///< of the addresses, for people
	const Proxies _proxies;
	const std::shared_ptr<Resolver> _resolver;
	Tls _tls;
	IdleConnections _idle;
	std::atomic<std::size_t> _preferred = 0; ///< the address to begin with
};

} // namespace issuer::vault::transport
