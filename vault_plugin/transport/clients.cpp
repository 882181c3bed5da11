#include "transport/clients.h"

#include "runtime/helpers.h"
#include "transport/client.h"

#include <algorithm>
#include <cstdlib>

namespace issuer::vault::transport {
namespace {

/// Stands in for a client whose settings cannot be used.
class UnusableClient final : public Exchange
{
public:
	explicit UnusableClient(std::string text) : _text(std::move(text)) {}

	Task<ExchangeResult> carry(const HttpRequest&, Deadline) override
	{
		co_return tl::unexpected(ExchangeError{ExchangeError::Kind::configuration, _text});
	}

private:
	const std::string _text;
};

} // namespace

Clients::Clients() : Clients(std::make_shared<runtime::Helpers>()) {}

Clients::Clients(std::shared_ptr<runtime::Helpers> helpers)
	: Clients(helpers, std::make_shared<Resolver>(helpers), std::make_shared<Pool>(nullptr, nullptr))
{
}

Clients::Clients(std::shared_ptr<runtime::Helpers> helpers, runtime::Scheduler& scheduler, const runtime::Clock& clock)
	: Clients(helpers, std::make_shared<Resolver>(helpers), std::make_shared<Pool>(&scheduler, &clock))
{
}

Clients::Clients(std::shared_ptr<Resolver> resolver)
	: Clients(std::make_shared<runtime::Helpers>(), std::move(resolver), std::make_shared<Pool>(nullptr, nullptr))
{
}

Clients::Clients(std::shared_ptr<Resolver> resolver, runtime::Scheduler& scheduler, const runtime::Clock& clock)
	: Clients(std::make_shared<runtime::Helpers>(), std::move(resolver), std::make_shared<Pool>(&scheduler, &clock))
{
}

// The environment is read here, on the host's own thread: getenv() races with a host that changes it.
Clients::Clients(
	std::shared_ptr<runtime::Helpers> helpers, std::shared_ptr<Resolver> resolver, std::shared_ptr<Pool> pool)
	: _environment(Proxies::fromEnvironment(&std::getenv)), _trust(std::move(helpers)), _resolver(std::move(resolver)),
	  _pool(std::move(pool))
{
}

Clients::~Clients()
{
	_pool->stopLooking();
}

std::shared_ptr<Exchange> Clients::get(const Settings& settings)
{
	const std::lock_guard lock(_mutex);
	forgetTheGone();
	auto& known = _known[settings];
	if (auto exchange = known.lock()) {
		return exchange;
	}
	std::shared_ptr<Exchange> exchange;
	if (auto proxies = Proxies::from(settings, _environment)) {
		exchange = std::make_shared<Client>(settings, std::move(*proxies), identityOf(settings), _pool, _resolver);
	}
	else {
		exchange = std::make_shared<UnusableClient>(proxies.error().text);
	}
	known = exchange;
	return exchange;
}

std::shared_ptr<PooledIdentity> Clients::identityOf(const Settings& settings)
{
	const bool usesTls = std::ranges::any_of(
		settings.addresses, [](const Address& address) { return address.scheme == Address::Scheme::https; });
	if (!usesTls) {
		return nullptr;
	}
	auto& known = _identities[settings.tls];
	auto identity = known.lock();
	if (!identity) {
		identity =
			std::make_shared<PooledIdentity>(PooledIdentity{_trust.identity(settings.tls), _pool->newIdentity()});
		known = identity;
	}
	return identity;
}

/// Removes settings that no exchange uses any more. Not on each call: that would be quadratic where no two are equal.
void Clients::forgetTheGone()
{
	if (_known.size() < _forgetAt) {
		return;
	}
	const auto isGone = [](const auto& known) { return known.second.expired(); };
	std::erase_if(_known, isGone);
	std::erase_if(_identities, isGone);
	_forgetAt = 2 * _known.size() + 16;
}

std::size_t Clients::idle() const
{
	return _pool->idle();
}

} // namespace issuer::vault::transport
