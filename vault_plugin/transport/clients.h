#pragma once

#include "runtime/helpers.h"
#include "transport/exchange.h"
#include "transport/settings.h"
#include "transport/trust.h"

#include <map>
#include <memory>
#include <mutex>

namespace issuer::vault::transport {

class Resolver;

/// Hands out exchanges: equal settings share one, with its kept-alive connections and its TLS contexts, for as long as
/// anybody holds it. Opens nothing by itself. Exchanges may outlive it. [thread-safe]
class Clients
{
public:
	Clients();
	/// `helpers` do what may block: names and files.
	explicit Clients(std::shared_ptr<runtime::Helpers> helpers);
	/// `resolver` stands in for the system's.
	explicit Clients(std::shared_ptr<Resolver> resolver);
	~Clients();

	/// Reads the environment's proxy variables when `settings` ask for them. Settings that cannot be used give an
	/// exchange that says so each time (kind `configuration`). Dropping the last reference closes its connections.
	[[nodiscard]] std::shared_ptr<Exchange> get(const Settings& settings);

private:
	Trust _trust;
	std::shared_ptr<Resolver> _resolver;
	std::mutex _mutex;
	std::map<Settings, std::weak_ptr<Exchange>> _known;
	std::size_t _sweepAt = 64; ///< number of entries at which those that nobody holds any more are removed
};

} // namespace issuer::vault::transport
