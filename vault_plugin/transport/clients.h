#pragma once

#include "transport/exchange.h"
#include "transport/proxy.h"
#include "transport/settings.h"

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
	/// `resolver` stands in for the system's.
	explicit Clients(std::shared_ptr<Resolver> resolver);
	~Clients();

	/// Settings that cannot be used give an exchange that says so each time (kind `configuration`). Dropping the last
	/// reference closes its connections.
	[[nodiscard]] std::shared_ptr<Exchange> get(const Settings& settings);

private:
	const std::shared_ptr<Resolver> _resolver;
	const Proxies _environment; ///< as it was when this was made
	std::mutex _mutex;
	std::map<Settings, std::weak_ptr<Exchange>> _known;
};

} // namespace issuer::vault::transport
