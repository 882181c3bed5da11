#include "transport/clients.h"

#include "transport/client.h"

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

} // namespace

Clients::Clients() : Clients(std::make_shared<Resolver>()) {}

// The environment is read now, on the host's own thread: getenv() races with a host that changes it.
Clients::Clients(std::shared_ptr<Resolver> resolver)
	: _resolver(std::move(resolver)), _environment(Proxies::fromEnvironment(&std::getenv))
{
}

Clients::~Clients() = default;

std::shared_ptr<Exchange> Clients::get(const Settings& settings)
{
	const std::lock_guard lock(_mutex);
	std::erase_if(_known, [](const auto& known) { return known.second.expired(); });
	auto& known = _known[settings];
	if (auto exchange = known.lock()) {
		return exchange;
	}
	std::shared_ptr<Exchange> exchange;
	if (auto proxies = Proxies::from(settings, _environment)) {
		exchange = std::make_shared<Client>(settings, std::move(*proxies), _resolver);
	}
	else {
		exchange = std::make_shared<Refusal>(proxies.error().text);
	}
	known = exchange;
	return exchange;
}

} // namespace issuer::vault::transport
