#pragma once

#include "transport/exchange.h"
#include "transport/proxy.h"
#include "transport/settings.h"
#include "transport/trust.h"

#include <map>
#include <memory>
#include <mutex>

namespace issuer::vault::runtime {
class Clock;
class Helpers;
class Scheduler;
} // namespace issuer::vault::runtime

namespace issuer::vault::transport {

class Pool;
class Resolver;
struct PooledIdentity;

/// Hands out exchanges. Equal settings share one, for as long as a reference to it exists; all share one pool of places
/// and kept connections, and settings with equal TLS identities share the content of their files. Opens nothing by
/// itself. Exchanges may outlive it. [thread-safe]
class Clients
{
public:
	/// Uses helpers of its own and no scheduler: idle connections are checked when others are used.
	Clients();
	/// `helpers` run the calls that may block: names and files.
	explicit Clients(std::shared_ptr<runtime::Helpers> helpers);
	/// `scheduler` and `clock`, which must outlive this object, are for checking idle connections.
	Clients(std::shared_ptr<runtime::Helpers> helpers, runtime::Scheduler& scheduler, const runtime::Clock& clock);
	/// `resolver` stands in for the system's.
	explicit Clients(std::shared_ptr<Resolver> resolver);
	Clients(std::shared_ptr<Resolver> resolver, runtime::Scheduler& scheduler, const runtime::Clock& clock);
	/// Stops using the scheduler. Not to be called on one of its threads.
	~Clients();
	Clients(const Clients&) = delete;
	Clients& operator=(const Clients&) = delete;

	/// Returns the exchange of `settings`. For settings that cannot be used, one that fails each time with the reason
	/// (kind `configuration`). Dropping the last reference to a place or an identity closes its connections.
	[[nodiscard]] std::shared_ptr<Exchange> get(const Settings& settings);

	/// Returns the number of kept connections. For tests and measurements.
	[[nodiscard]] std::size_t idle() const;

private:
	Clients(std::shared_ptr<runtime::Helpers> helpers, std::shared_ptr<Resolver> resolver, std::shared_ptr<Pool> pool);
	[[nodiscard]] std::shared_ptr<PooledIdentity> identityOf(const Settings& settings);
	void forgetTheGone();

	const Proxies _environment; ///< as it was when this object was made
	Trust _trust;
	const std::shared_ptr<Resolver> _resolver;
	const std::shared_ptr<Pool> _pool;
	std::mutex _mutex;
	std::map<Settings, std::weak_ptr<Exchange>> _known;
	std::map<TlsIdentity, std::weak_ptr<PooledIdentity>> _identities;
	std::size_t _forgetAt = 16; ///< number of known settings at which unused ones are removed
};

} // namespace issuer::vault::transport
