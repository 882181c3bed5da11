#include "transport/client.h"

#include "transport/conversation.h"
#include "transport/request_writer.h"
#include "transport/wait.h"

#include <algorithm>
#include <utility>

namespace issuer::vault::transport {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = ExchangeError::Kind;
using Scheme = Address::Scheme;

/// Returns the proxy that requests themselves are sent to, to be passed on; null if there is none.
const Address* forwarderOf(const Pool::Place& place)
{
	return place.proxy && place.address.scheme == Scheme::http ? &*place.proxy : nullptr;
}

/// Returns whether the connection leads to a working server. A server that throttles is one.
bool isGood(const HttpRequest& request, const HttpReply& reply)
{
	return reply.status == 429 ||
		   (reply.status < 500 && (request.understands == nullptr || request.understands(reply)));
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
	isOver = another.kind == ExchangeError::Kind::cancelled;
	if (error.text.find(another.text) == error.text.npos) {
		error.text += (error.text.empty() ? "" : "; ") + another.text;
	}
}

Client::Client(Settings settings, Proxies proxies, std::shared_ptr<PooledIdentity> identity, std::shared_ptr<Pool> pool,
	std::shared_ptr<Resolver> resolver)
	: _settings(std::move(settings)), _proxies(std::move(proxies)), _identity(std::move(identity)),
	  _pool(std::move(pool)), _resolver(std::move(resolver))
{
	for (const auto& address : _settings.addresses) {
		auto another = destination(address, address.text());
		if (!another) {
			_unusable += (_unusable.empty() ? "" : "; ") + another.error().text;
		}
		else if (std::ranges::find(_route.places, *another->place->id) == _route.places.end()) {
			_route.places.push_back(*another->place->id);
			_route.destinations.push_back(std::move(*another));
		}
	}
	if (_identity) {
		_identity->identity->prepare();
	}
}

Result<Client::Destination> Client::destination(const Address& address, std::string name) const
{
	auto proxy = _proxies.proxyFor(address);
	if (!proxy) {
		return failure(name + ": " + proxy.error().text);
	}
	return Destination{address, std::move(name), _pool->place(address, *proxy)};
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
	return _identity ? _identity->identity->generation() : 0;
}

Client::Errand Client::errand(const HttpRequest& request, const Route& route, Deadline deadline) const
{
	const auto identity = _identity ? *_identity->number : 0;
	return {request, route, deadline, Pool::begin(route.places, identity, deadline, request.repeatable)};
}

Task<ExchangeResult> Client::carry(const HttpRequest& request, Deadline deadline)
{
	if (_route.destinations.empty()) {
		const auto why = _unusable.empty() ? "no address is configured" : _unusable;
		co_return tl::unexpected(ExchangeError{Kind::configuration, why, true});
	}
	if (request.readsCertificateFirst && _identity) {
		co_await _identity->identity->readCertificateAgain(deadline);
	}
	auto errand = this->errand(request, _route, deadline);
	auto reply = co_await send(errand);
	if (reply && isRedirect(reply->status)) {
		co_return co_await follow(std::move(*reply), errand);
	}
	co_return std::move(reply);
}

/// Takes steps until there is a reply, or none is left to take.
Task<ExchangeResult> Client::send(Errand& errand)
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
			if (!errand.isOver && !std::holds_alternative<Places::GiveUp>(step)) {
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
		const bool sentBefore = !std::exchange(errand.error.unsent, false);
		ReplyParser parser(ReplyParser::To::request, opened->connection->takeBuffer(), errand.request.reads,
			errand.request.bodyReader);
		Conversation conversation{*opened->connection, parser, destination.name};
		auto reply = co_await conversation.carry(*bytes, patience);
		if (reply) {
			reply->sentBefore = sentBefore;
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

/// Tells the pool the verdict that a complete reply gives on its way, and keeps its connection or closes it.
void Client::judge(
	Errand& errand, HttpReply& reply, ReplyParser& parser, Duration firstByteAfter, Pool::OpenedPtr opened)
{
	const auto endpoint = opened->way.endpoint;
	const bool isWell = isGood(errand.request, reply);
	if (isWell && parser.keepsConnection()) {
		opened->connection->keepBuffer(parser.takeBuffer());
		opened->connection->rest();
	}
	else {
		opened.reset();
	}
	bool isNameInTrouble = false;
	if (isWell) {
		isNameInTrouble = _pool->goodReply(errand.attempt, endpoint, firstByteAfter, std::move(opened));
	}
	else {
		_pool->badReply(endpoint);
	}
	advise(reply, errand.route.at(endpoint.place), isNameInTrouble);
}

Task<ExchangeResult> Client::follow(HttpReply redirect, const Errand& errand)
{
	const auto& from = errand.route.at(errand.answeredBy.place);
	const auto secret = errand.request.secret;
	const auto target =
		!secret.empty() && redirect.location.find(secret) != redirect.location.npos
			? Result<Address>(failure("the redirect's address holds the token, and is neither followed nor shown"))
			: redirectTarget(_settings, from.address, errand.request.path, redirect.location);
	const auto route = target ? routeTo(*target, target->text() + " (redirected from " + from.name + ")")
							  : tl::unexpected(target.error());
	if (!route) {
		redirect.advice.push_back(from.name + ": " + route.error().text);
		co_return std::move(redirect);
	}
	auto further = this->errand(errand.request, **route, errand.deadline);
	further.error.unsent = !redirect.sentBefore;
	auto reply = co_await send(further);
	if (reply ? !isGood(errand.request, *reply) : reply.error().kind != Kind::cancelled) {
		_pool->badReply(errand.answeredBy); // another server may know better where the leader is
	}
	co_return std::move(reply);
}

Result<std::shared_ptr<const Client::Route>> Client::routeTo(const Address& redirected, std::string name)
{
	const std::lock_guard lock(_mutex);
	const auto known = std::ranges::find_if(
		_redirected, [&](const auto& route) { return route && route->destinations.front().name == name; });
	if (known != _redirected.end()) {
		std::rotate(_redirected.begin(), known, std::next(known));
		return _redirected.front();
	}
	auto leader = destination(redirected, std::move(name));
	if (!leader) {
		return tl::unexpected(leader.error());
	}
	auto route = std::make_shared<Route>();
	route->places.push_back(*leader->place->id);
	route->destinations.push_back(std::move(*leader));
	std::rotate(_redirected.begin(), std::prev(_redirected.end()), _redirected.end());
	_redirected.front() = route;
	return _redirected.front();
}

void Client::advise(HttpReply& reply, const Destination& destination, bool isNameInTrouble) const
{
	if (_identity) {
		reply.advice = _identity->identity->advice();
		if (_settings.tls.insecureSkipVerify) {
			reply.advice.push_back("tls.insecure_skip_verify is on: anyone on the way to " +
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
