#include "transport/client.h"

#include "transport/conversation.h"
#include "transport/dial.h"
#include "transport/wait.h"

#include <algorithm>
#include <utility>

/// Client: from a route to an open connection.
namespace issuer::vault::transport {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = ExchangeError::Kind;
using Scheme = Address::Scheme;

/// Interval of attempts to get a descriptor when none is left and no kept connection can be closed.
constexpr auto descriptorRetry = std::chrono::milliseconds(10);

} // namespace

/// Asks the resolver, and tells the pool its answer. Returns false when cancelled.
Task<bool> Client::resolve(Errand& errand, Pool::Resolve step)
{
	const auto& destination = errand.route.at(step.place);
	const auto& host = destination.place->target().host;
	const auto found = co_await _resolver->resolve(host, destination.name, step.until);
	if (!found) {
		errand.complain(found.error());
		if (found.error().kind == Kind::cancelled) {
			co_return false;
		}
		_pool->resolverIsSlow(errand.attempt, step.place);
		co_return true;
	}
	if (found->outOfDescriptors) {
		co_return co_await awaitDescriptors(errand, destination.name);
	}
	if (found->addresses.empty()) {
		errand.complain(
			{Kind::network, destination.name + ": the name " + host + " cannot be resolved: " + found->complaint});
	}
	_pool->resolved(errand.attempt, *destination.place, *found);
	co_return true;
}

/// Opens a connection to one of the step's endpoints, fit for requests. Returns null when there is none: the errand's
/// error says why, and the pool has been told of the endpoints at fault.
Task<Pool::OpenedPtr> Client::open(Errand& errand, Pool::Dial step)
{
	const auto& preferred = errand.route.at(step.order.front().place);
	TlsSetup tls;
	// First, as a file that cannot be read is a more useful error than a server that cannot be reached.
	if (_identity && !co_await prepareTls(errand, preferred.name, tls)) {
		co_return nullptr;
	}
	auto dialled = co_await dial(step.addresses, step.until);
	noteFailed(errand, step, dialled);
	if (!dialled.socket) {
		if (dialled.outOfDescriptors && dialled.wake != Wake::cancelled) {
			co_await awaitDescriptors(errand, preferred.name);
		}
		co_return nullptr;
	}
	const auto endpoint = step.order[dialled.winner];
	const auto& destination = errand.route.at(endpoint.place);
	auto connection = std::make_unique<Connection>(
		std::move(dialled.socket), destination.place->address, destination.place->address.text());
	const auto secured = co_await secure(*connection, destination, tls, _pool->openBy(errand.attempt));
	if (!secured) {
		errand.complain(secured.error());
		if (secured.error().kind == Kind::tls) {
			_pool->handshakeFailed(errand.attempt, endpoint);
		}
		else if (secured.error().kind != Kind::cancelled) {
			_pool->dialFailed(errand.attempt, endpoint);
		}
		co_return nullptr;
	}
	co_return _pool->opened(errand.attempt, endpoint, std::move(connection));
}

/// Fills in the setup that handshakes need. Returns false when it cannot be had now: the errand's error says why.
Task<bool> Client::prepareTls(Errand& errand, const std::string& name, TlsSetup& tls)
{
	auto ready = co_await _identity->identity->ready(errand.deadline);
	if (ready) {
		tls = std::move(*ready);
		co_return true;
	}
	const auto kind = ready.error().kind;
	if (kind == Kind::cancelled || kind == Kind::timeout) {
		errand.complain(ready.error());
	}
	else if (ready.error().outOfDescriptors || isOutOfDescriptors()) {
		co_await awaitDescriptors(errand, name);
	}
	else {
		errand.complain(ready.error());
		errand.isOver = true;
	}
	co_return false;
}

/// Opens the proxy's tunnel and TLS on a connected socket, as requests to `destination` need them.
Task<Expected<void, ExchangeError>> Client::secure(
	Connection& connection, const Destination& destination, const TlsSetup& tls, Deadline deadline)
{
	if (destination.address.scheme != Scheme::https) {
		co_return Expected<void, ExchangeError>();
	}
	if (const auto& proxy = destination.place->proxy) {
		const auto opened = co_await openTunnel(connection, destination.address, *proxy, destination.name, deadline);
		if (!opened) {
			co_return opened;
		}
	}
	co_return co_await connection.startTls(tls, destination.address.host, deadline);
}

/// Tells the errand and the pool which endpoints could not be connected to, and why.
void Client::noteFailed(Errand& errand, const Pool::Dial& step, const Dialled& dialled)
{
	const auto who = [&](std::size_t index) {
		const auto& destination = errand.route.at(step.order[index].place);
		const auto via = destination.place->proxy ? destination.name + ": proxy " + destination.place->proxy->text()
												  : destination.name;
		return destination.place->isNamed ? via + " (" + step.addresses[index].text() + ")" : via;
	};
	for (const auto& [index, error] : dialled.failed) {
		errand.complain({Kind::network, who(index) + ": " + connectError(error)});
		_pool->dialFailed(errand.attempt, step.order[index]);
	}
	if (dialled.wake == Wake::cancelled) {
		errand.complain(endedBy(dialled.wake, who(0), "connecting"));
	}
	else if (dialled.wake == Wake::timedOut) {
		for (std::size_t index = 0; index < dialled.begun; ++index) {
			const bool hasFailed =
				std::ranges::any_of(dialled.failed, [&](const auto& failed) { return failed.first == index; });
			if (!hasFailed) {
				errand.complain(endedBy(dialled.wake, who(index), "connecting"));
				_pool->dialFailed(errand.attempt, step.order[index]);
			}
		}
	}
}

/// Closes kept connections, or waits a moment for descriptors that other threads release. Returns false when cancelled.
Task<bool> Client::awaitDescriptors(Errand& errand, const std::string& name)
{
	if (_pool->giveUpDescriptors()) {
		co_return true;
	}
	const auto until = std::min(errand.deadline, Clock::now() + descriptorRetry);
	const Wake wake = co_await ready(-1, 0, until);
	if (wake == Wake::cancelled) {
		errand.complain(endedBy(wake, name, "waiting for a descriptor"));
		co_return false;
	}
	if (until == errand.deadline) {
		errand.complain({Kind::network, name + ": the process has no descriptor left; raise its limit (LimitNOFILE)"});
	}
	co_return true;
}

} // namespace issuer::vault::transport
