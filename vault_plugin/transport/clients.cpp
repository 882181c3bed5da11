#include "transport/clients.h"

#include "transport/client.h"

#include <algorithm>
#include <cstdlib>

namespace issuer::vault::transport {
namespace {

/// Stands where a client would if its settings could be used.
class Refusal final : public Exchange
{
public:
	explicit Refusal(std::string text) : _text(std::move(text)) {}

	Task<Outcome> carry(const HttpRequest&, Deadline) override
	{
		co_return tl::unexpected(ExchangeError{ExchangeError::Kind::configuration, _text});
	}

private:
	const std::string _text;
};

std::optional<std::string> environment(const char* name)
{
	const char* value = std::getenv(name);
	return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

} // namespace

Clients::Clients() : Clients(std::make_shared<runtime::Helpers>()) {}

Clients::Clients(std::shared_ptr<runtime::Helpers> helpers)
	: _trust(std::move(helpers)), _resolver(std::make_shared<Resolver>())
{
}

Clients::Clients(std::shared_ptr<Resolver> resolver)
	: _trust(std::make_shared<runtime::Helpers>()), _resolver(std::move(resolver))
{
}

Clients::~Clients() = default;

std::shared_ptr<Exchange> Clients::get(const Settings& settings)
{
	const std::lock_guard lock(_mutex);
	if (_known.size() >= _sweepAt) {
		std::erase_if(_known, [](const auto& known) { return known.second.expired(); });
		_sweepAt = std::max<std::size_t>(64, 2 * _known.size());
	}
	auto& known = _known[settings];
	if (auto exchange = known.lock()) {
		return exchange;
	}
	std::shared_ptr<Exchange> exchange;
	if (auto proxies = Proxies::from(settings.proxy, &environment)) {
		exchange = std::make_shared<Client>(settings, std::move(*proxies), _resolver, _trust.identity(settings.tls));
	}
	else {
		exchange = std::make_shared<Refusal>(proxies.error().text);
	}
	known = exchange;
	return exchange;
}

} // namespace issuer::vault::transport
