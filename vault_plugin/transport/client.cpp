#include "transport/client.h"

#include "transport/conversation.h"
#include "transport/dial.h"
#include "transport/request_writer.h"
#include "transport/sigpipe_block.h"
#include "transport/wait.h"

#include <algorithm>
#include <utility>

namespace issuer::vault::transport {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = ExchangeError::Kind;
using Scheme = Address::Scheme;

/// Without a descriptor, and none to give up, another is tried for that often.
constexpr auto descriptorRetry = std::chrono::milliseconds(10);

/// The proxy that gets requests to pass them on; null: none.
const Address* forwarderOf(const Pool::Place& place)
{
	return place.proxy && place.address.scheme == Scheme::http ? &*place.proxy : nullptr;
}

} // namespace

const Client::Destination& Client::Route::at(Places::PlaceId place) const
{
	const auto found = std::ranges::find(destinations, place, [](const auto& one) { return *one.place->id; });
	return found != destinations.end() ? *found : destinations.front();
}

void Client::Errand::complain(const ExchangeError& another)
{
	error.kind = another.kind;
	error.text += (error.text.empty() ? "" : "; ") + another.text;
}

Client::Client(Settings settings, Proxies proxies, std::shared_ptr<Identity> identity, std::shared_ptr<Pool> pool,
	std::shared_ptr<Resolver> resolver)
	: _settings(std::move(settings)), _proxies(std::move(proxies)), _identity(std::move(identity)),
	  _pool(std::move(pool)), _resolver(std::move(resolver))
{
	for (const auto& address : _settings.addresses) {
		const auto proxy = _proxies.proxyFor(address);
		if (!proxy) { // the other addresses are not to suffer for it
			_unusable += (_unusable.empty() ? "" : "; ") + address.text() + ": " + proxy.error().text;
			continue;
		}
		auto another = destination(address, *proxy, address.text());
		if (std::ranges::find(_route.places, *another.place->id) == _route.places.end()) {
			_route.places.push_back(*another.place->id);
			_route.destinations.push_back(std::move(another));
		}
	}
}

Client::~Client() = default;

Client::Destination Client::destination(
	const Address& address, const std::optional<Address>& proxy, std::string name) const
{
	return {address, std::move(name), _pool->place(address, proxy)};
}

const void* Client::place() const noexcept
{
	if (_route.places.empty()) {
		return this;
	}
	const auto first = _route.places.size() == 1 ? _route.places.front()
												 : _pool->first(_route.places, _identity ? *_identity->number : 0);
	return _route.at(first).place.get();
}

unsigned Client::generation() const
{
	return _identity ? _identity->tls.generation() : 0;
}

Client::Errand Client::errand(const HttpRequest& request, const Route& route, Deadline deadline) const
{
	const auto identity = _identity ? *_identity->number : 0;
	return {request, route, deadline, Pool::begin(route.places, identity, deadline, request.repeatable)};
}

Task<Outcome> Client::carry(const HttpRequest& request, Deadline deadline)
{
	if (_route.destinations.empty()) {
		co_return tl::unexpected(
			ExchangeError{Kind::configuration, _unusable.empty() ? "no address is configured" : _unusable, true});
	}
	auto errand = this->errand(request, _route, deadline);
	auto reply = co_await send(errand);
	if (reply && isRedirect(reply->status)) {
		co_return co_await follow(std::move(*reply), errand);
	}
	co_return std::move(reply);
}

/// Steps until there is a reply, or no further way.
Task<Outcome> Client::send(Errand& errand)
{
	for (;;) {
		auto step = _pool->next(errand.attempt, generation());
		Pool::OpenedPtr opened;
		Patience patience{errand.deadline, errand.deadline};
		bool reused = false;
		if (auto* const kept = std::get_if<Pool::Kept>(&step)) {
			opened = std::move(kept->opened);
			patience.firstByte = std::min(errand.deadline, Clock::now() + kept->patience);
			reused = true;
		}
		else if (auto* const dial = std::get_if<Pool::Dial>(&step)) {
			opened = co_await open(errand, std::move(*dial));
		}
		else if (const auto* const name = std::get_if<Pool::Resolve>(&step)) {
			if (co_await resolve(errand, *name)) {
				continue;
			}
		}
		if (!opened) {
			const bool isOver = errand.error.kind == Kind::cancelled || errand.error.kind == Kind::configuration ||
								std::holds_alternative<Places::GiveUp>(step);
			if (!isOver) {
				continue;
			}
			if (errand.error.text.empty()) {
				auto ended = endedBy(Wake::timedOut, errand.route.destinations.front().name, "about to begin");
				ended.unsent = true;
				co_return tl::unexpected(std::move(ended));
			}
			co_return tl::unexpected(std::move(errand.error));
		}

		const auto endpoint = opened->way.endpoint;
		const auto& destination = errand.route.at(endpoint.place);
		const auto bytes =
			writeRequest(errand.request, destination.address, _settings.userAgent, forwarderOf(*destination.place));
		if (!bytes) {
			co_return tl::unexpected(
				ExchangeError{Kind::configuration, destination.name + ": " + bytes.error().text, errand.error.unsent});
		}
		errand.error.unsent = false;
		ReplyParser parser(ReplyParser::To::request, opened->connection->takeBuffer(), errand.request.reads);
		Conversation conversation{*opened->connection, parser, destination.name};
		auto reply = co_await conversation.carry(*bytes, patience);
		if (reply) {
			errand.answeredBy = endpoint;
			judge(errand, *reply, parser, conversation.firstByteAfter, std::move(opened));
			co_return std::move(reply);
		}

		opened.reset();
		const auto& error = reply.error();
		const bool again =
			reused && parser.untouched() && error.kind != Kind::cancelled && Clock::now() < errand.deadline;
		if (!again) {
			errand.complain(error);
			if (error.kind != Kind::cancelled) {
				_pool->badReply(endpoint);
			}
			co_return tl::unexpected(std::move(errand.error));
		}
		if (error.kind == Kind::timeout) {
			errand.complain({Kind::timeout, destination.name + ": no answer over a connection that was kept"});
			_pool->keptSilent(errand.attempt, endpoint);
		}
		else {
			errand.complain(error);
			_pool->keptClosed(errand.attempt);
		}
	}
}

/// What a complete reply says of the way that it came.
void Client::judge(
	Errand& errand, HttpReply& reply, ReplyParser& parser, Duration firstByteAfter, Pool::OpenedPtr opened)
{
	const auto endpoint = opened->way.endpoint;
	const auto understands = errand.request.understands;
	const bool isThrottled = reply.status == 429; // the server is well, whoever says it
	const bool isGood = isThrottled || (reply.status < 500 && (understands == nullptr || understands(reply)));
	if (isGood && parser.keepsConnection()) {
		opened->connection->keepBuffer(parser.takeBuffer());
	}
	else {
		opened.reset();
	}
	bool isNameInTrouble = false;
	if (isGood) {
		isNameInTrouble = _pool->goodReply(errand.attempt, endpoint, firstByteAfter, std::move(opened));
	}
	else {
		_pool->badReply(endpoint);
	}
	advise(reply, errand.route.at(endpoint.place), isNameInTrouble);
}

Task<Outcome> Client::follow(HttpReply redirect, const Errand& errand)
{
	const auto& from = errand.route.at(errand.answeredBy.place);
	const auto secret = errand.request.secret;
	const auto target = !secret.empty() && redirect.location.find(secret) != redirect.location.npos
							? failure("the redirect's address holds the token, and is neither followed nor shown")
							: redirectTarget(_settings, from.address, errand.request.path, redirect.location);
	const auto route = target.and_then(
		[&](const Address& to) { return routeTo(to, to.text() + " (redirected from " + from.name + ")"); });
	if (!route) {
		redirect.advice.push_back(from.name + ": " + route.error().text);
		co_return std::move(redirect);
	}
	auto further = this->errand(errand.request, **route, errand.deadline);
	auto reply = co_await send(further);
	if (reply ? reply->status >= 500 : reply.error().kind != Kind::cancelled) {
		_pool->badReply(errand.answeredBy); // another server may know better where the leader is
	}
	co_return std::move(reply);
}

/// Fails where the proxy on the way cannot be used.
Result<std::shared_ptr<const Client::Route>> Client::routeTo(const Address& redirected, std::string name)
{
	const auto proxy = _proxies.proxyFor(redirected);
	if (!proxy) {
		return tl::unexpected(proxy.error());
	}
	const std::lock_guard lock(_mutex);
	const auto known = std::ranges::find_if(
		_redirected, [&](const auto& route) { return route && route->destinations.front().name == name; });
	if (known != _redirected.end()) {
		std::rotate(_redirected.begin(), known, std::next(known));
		return _redirected.front();
	}
	auto route = std::make_shared<Route>();
	route->destinations.push_back(destination(redirected, *proxy, std::move(name)));
	route->places.push_back(*route->destinations.front().place->id);
	std::rotate(_redirected.begin(), std::prev(_redirected.end()), _redirected.end());
	_redirected.front() = route;
	return route;
}

/// False: cancelled.
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

/// Null: the errand's error says why, and the endpoints at fault have been told.
Task<Pool::OpenedPtr> Client::open(Errand& errand, Pool::Dial step)
{
	const auto& preferred = errand.route.at(step.order.front().place);
	if (preferred.address.scheme == Scheme::https) {
		// First, as a file that cannot be read is told more usefully than a server that cannot be reached.
		const auto ready = _identity->tls.ready(preferred.address.host);
		if (!ready && isOutOfDescriptors()) {
			co_await awaitDescriptors(errand, preferred.name);
			co_return nullptr;
		}
		if (!ready) {
			errand.complain(ready.error());
			co_return nullptr;
		}
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
	const auto secured = co_await secure(*connection, destination, _pool->openBy(errand.attempt));
	if (!secured) {
		errand.complain(secured.error());
		if (secured.error().kind == Kind::tls) {
			_pool->handshakeFailed(errand.attempt, endpoint);
		}
		else if (secured.error().kind != Kind::cancelled && secured.error().kind != Kind::configuration) {
			_pool->dialFailed(errand.attempt, endpoint);
		}
		co_return nullptr;
	}
	co_return _pool->opened(errand.attempt, endpoint, std::move(connection));
}

/// Makes a connected socket fit for requests to `destination`.
Task<Expected<void, ExchangeError>> Client::secure(
	Connection& connection, const Destination& destination, Deadline deadline)
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
	const auto ready = _identity->tls.ready(destination.address.host);
	if (!ready) {
		co_return tl::unexpected(ready.error());
	}
	co_return co_await connection.startTls(*ready, deadline);
}

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

/// Gives up kept connections, or waits a moment for somebody else's end. False: cancelled.
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

void Client::advise(HttpReply& reply, const Destination& destination, bool isNameInTrouble) const
{
	if (_identity) {
		reply.advice = _identity->tls.advice();
		if (_settings.tls.insecureSkipVerify) {
			reply.advice.push_back("tls.insecure_skip_verify is on: whoever is on the way to " +
								   _settings.addresses.front().text() + " can read and use the token");
		}
	}
	if (!_unusable.empty()) {
		reply.advice.push_back(_unusable);
	}
	if (isNameInTrouble) {
		const bool plain = destination.address.scheme == Scheme::http;
		reply.advice.push_back(destination.name + ": the name " + destination.place->target().host +
							   " cannot be resolved now; the addresses it had are used on" +
							   (plain ? ", and over plain http nothing proves that they are still its own" : ""));
	}
}

} // namespace issuer::vault::transport
