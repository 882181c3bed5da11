#pragma once

#include "transport/exchange.h"
#include "transport/pool.h"
#include "transport/proxy.h"
#include "transport/redirect.h"
#include "transport/resolver.h"
#include "transport/settings.h"
#include "transport/trust.h"

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace issuer::vault::transport {

class ReplyParser;
struct Dialled;

/// An identity and its number in the pool, shared by all settings with the same TLS part.
struct PooledIdentity
{
	const std::shared_ptr<Identity> identity;
	const Pool::IdentityRef number;
};

/// The exchange over real sockets: takes the steps that the pool's Places decides, until one server has got the
/// request. Once that is on the wire of a fresh connection its outcome is this exchange's; the verdict on the servers
/// decides where the next exchange begins. [thread-safe]
class Client final : public Exchange
{
public:
	/// `identity`: that of the settings' https addresses; null: there are none.
	Client(Settings settings, Proxies proxies, std::shared_ptr<PooledIdentity> identity, std::shared_ptr<Pool> pool,
		std::shared_ptr<Resolver> resolver);

	[[nodiscard]] Task<ExchangeResult> carry(const HttpRequest& request, Deadline deadline) override;
	[[nodiscard]] const void* place() const noexcept override;

private:
	/// A server as named by the settings or by a redirect.
	struct Destination
	{
		Address address;
		std::string name; ///< for log lines and errors
		Pool::PlaceRef place;
	};
	/// All destinations that may serve a request.
	struct Route
	{
		std::vector<Destination> destinations;
		std::vector<Places::PlaceId> places; ///< the places of the destinations, in their order

		[[nodiscard]] const Destination& at(Places::PlaceId place) const;
	};
	/// A request and the state of its exchange.
	struct Errand
	{
		const HttpRequest& request;
		const Route& route;
		const Deadline deadline;
		Places::Attempt attempt;
		/// The reasons of all steps that have failed so far.
		ExchangeError error{ExchangeError::Kind::timeout, {}, true};
		Places::EndpointId answeredBy{};
		bool isOver = false; ///< no step is left to take

		void complain(const ExchangeError& another);
	};

	[[nodiscard]] Errand errand(const HttpRequest& request, const Route& route, Deadline deadline) const;
	[[nodiscard]] Task<ExchangeResult> send(Errand& errand);
	[[nodiscard]] Task<ExchangeResult> follow(HttpReply redirect, const Errand& errand);
	[[nodiscard]] Task<bool> resolve(Errand& errand, Pool::Resolve step);
	[[nodiscard]] Task<Pool::OpenedPtr> open(Errand& errand, Pool::Dial step);
	[[nodiscard]] Task<bool> prepareTls(Errand& errand, const std::string& name, TlsSetup& tls);
	[[nodiscard]] Task<Expected<void, ExchangeError>> secure(
		Connection& connection, const Destination& destination, const TlsSetup& tls, Deadline deadline);
	[[nodiscard]] Task<bool> awaitDescriptors(Errand& errand, const std::string& name);
	void noteFailed(Errand& errand, const Pool::Dial& step, const Dialled& dialled);
	void judge(Errand& errand, HttpReply& reply, ReplyParser& parser, Duration firstByteAfter, Pool::OpenedPtr opened);
	void advise(HttpReply& reply, const Destination& destination, bool isNameInTrouble) const;
	[[nodiscard]] unsigned generation() const;
	[[nodiscard]] Result<Destination> destination(const Address& address, std::string name) const;
	[[nodiscard]] Result<std::shared_ptr<const Route>> routeTo(const Address& redirected, std::string name);

	const Settings _settings;
	const Proxies _proxies;
	const std::shared_ptr<PooledIdentity> _identity;
	const std::shared_ptr<Pool> _pool;
	const std::shared_ptr<Resolver> _resolver;
	Route _route;          ///< the configured addresses; constant from here on
	std::string _unusable; ///< configured addresses behind a proxy that cannot be used, with the reason; constant

	/// Targets of redirects, the latest first, so that the connections to them are kept. Bounded, because a redirecting
	/// server chooses them and must not choose how much memory they take.
	std::mutex _mutex;
	std::array<std::shared_ptr<const Route>, 4> _redirected;
};

} // namespace issuer::vault::transport
