#include "transport/client.h"

#include "transport/dial.h"
#include "transport/reply_parser.h"
#include "transport/request_writer.h"
#include "transport/sigpipe_block.h"
#include "transport/wait.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

namespace issuer::vault::transport {
namespace {

using Kind = ExchangeError::Kind;
using Scheme = Address::Scheme;

/// Sends `request`, and gives the reply in one piece, however many pieces it comes in. `parser` tells afterwards
/// whether any came.
Task<Outcome> converse(
	Connection& connection, std::string_view request, ReplyParser& parser, const std::string& peer, Deadline deadline)
{
	while (!request.empty()) {
		const auto sent = co_await connection.send(request, deadline);
		if (!sent) {
			co_return tl::unexpected(sent.error());
		}
		request.remove_prefix(*sent);
	}
	for (auto state = ReplyParser::State::needMore; state != ReplyParser::State::complete;) {
		const auto received = co_await connection.receive(parser.room(), deadline);
		if (!received) {
			co_return tl::unexpected(received.error());
		}
		state = *received == 0 ? parser.end() : parser.feed(*received);
		if (state == ReplyParser::State::malformed) {
			const auto kind = *received == 0 ? Kind::network : Kind::malformed;
			co_return tl::unexpected(ExchangeError{kind, peer + ": " + parser.complaint()});
		}
	}
	co_return parser.take();
}

/// Asks `proxy` for a tunnel to `address`.
Task<Expected<void, ExchangeError>> openTunnel(
	Connection& connection, const Address& address, const Address& proxy, const std::string& peer, Deadline deadline)
{
	const auto request = writeConnect(address, proxy);
	ReplyParser parser(ReplyParser::To::connect);
	const auto reply = co_await converse(connection, request, parser, peer, deadline);
	if (!reply) {
		co_return tl::unexpected(reply.error());
	}
	if (reply->status >= 300) {
		co_return tl::unexpected(ExchangeError{Kind::network,
			peer + ": proxy " + proxy.text() + " opens no tunnel (status " + std::to_string(reply->status) + ")"});
	}
	co_return Expected<void, ExchangeError>();
}

/// Whether the next request on the same connection can be better answered. A server that throttles is well.
bool leadsToServer(const HttpRequest& request, const HttpReply& reply)
{
	return reply.status == 429 ||
		   (reply.status < 500 && (request.understands == nullptr || request.understands(reply)));
}

/// Opening a connection may take its share of the time when other addresses wait their turn.
Deadline shareOf(Deadline deadline, Deadline now, std::size_t addressesLeft)
{
	return now + (deadline - now) / static_cast<std::int64_t>(addressesLeft);
}

std::vector<std::string> namesOf(const std::vector<Address>& addresses)
{
	std::vector<std::string> names;
	std::transform(addresses.begin(), addresses.end(), std::back_inserter(names), std::mem_fn(&Address::text));
	return names;
}

} // namespace

Client::Client(Settings settings, Proxies proxies, std::shared_ptr<Resolver> resolver)
	: _settings(std::move(settings)), _names(namesOf(_settings.addresses)), _proxies(std::move(proxies)),
	  _resolver(std::move(resolver)), _tls(_settings.tls)
{
}

Client::~Client()
{
	// Closing says goodbye over TLS, perhaps to nobody; and this may be a thread of the host's.
	const SigpipeBlock quiet;
	_idle.clear();
}

Task<Outcome> Client::carry(const HttpRequest& request, Deadline deadline)
{
	const auto& addresses = _settings.addresses;
	const auto first = _preferred.load(std::memory_order_relaxed);
	std::string complaints;
	bool unsent = true;
	for (std::size_t turn = 0; turn < addresses.size(); ++turn) {
		const std::size_t index = turn == 0 ? first : turn <= first ? turn - 1 : turn;
		const auto now = std::chrono::steady_clock::now();
		if (now >= deadline) {
			auto ended = endedBy(Wake::timedOut, _names[index], "about to begin");
			ended.unsent = unsent;
			co_return tl::unexpected(std::move(ended));
		}
		const Errand errand{request, addresses[index], _names[index]};
		auto reply = co_await sendTo(errand, shareOf(deadline, now, addresses.size() - turn), deadline);
		if (reply) {
			// A server that cannot do its work is no reason to fail here, but one to ask another next time.
			_preferred = reply->status < 500 ? index : (index + 1) % addresses.size();
			if (isRedirect(reply->status)) {
				co_return co_await follow(std::move(*reply), errand, deadline);
			}
			co_return std::move(*reply);
		}
		auto& [error, final] = reply.error();
		unsent = unsent && error.unsent;
		complaints += (complaints.empty() ? "" : "; ") + error.text;
		const bool isLast = turn + 1 == addresses.size();
		if (error.kind == Kind::cancelled || final || isLast) {
			_preferred = error.kind == Kind::cancelled ? first : (index + 1) % addresses.size();
			co_return tl::unexpected(ExchangeError{error.kind, std::move(complaints), unsent});
		}
	}
	co_return tl::unexpected(ExchangeError{Kind::configuration, "no address is configured", true});
}

Task<Expected<HttpReply, Client::Failure>> Client::sendTo(const Errand& errand, Deadline opening, Deadline deadline)
{
	const Address& address = errand.address;
	const auto proxy = _proxies.proxyFor(address);
	if (!proxy) {
		co_return tl::unexpected(Failure{{Kind::configuration, errand.peer + ": " + proxy.error().text, true}});
	}
	const auto* const forwarder = address.scheme == Scheme::http && *proxy ? &**proxy : nullptr;
	const auto bytes = writeRequest(errand.request, address, _settings.userAgent, forwarder);
	if (!bytes) {
		co_return tl::unexpected(Failure{{Kind::configuration, errand.peer + ": " + bytes.error().text, true}});
	}

	const auto generation = address.scheme == Scheme::https ? _tls.generation() : 0;
	auto connection = _idle.take(address, generation, std::chrono::steady_clock::now());
	bool unsent = true;
	for (bool reused = connection != nullptr;; reused = false) {
		if (!connection) {
			auto opened = co_await open(address, *proxy, errand.peer, opening);
			if (!opened) {
				Failure failure{std::move(opened).error()};
				failure.error.unsent = unsent;
				co_return tl::unexpected(std::move(failure));
			}
			connection = std::move(*opened);
		}
		unsent = false;
		ReplyParser parser(ReplyParser::To::request, connection->takeBuffer(), errand.request.reads);
		auto reply = co_await converse(*connection, *bytes, parser, errand.peer, deadline);
		if (reply) {
			if (parser.keepsConnection() && leadsToServer(errand.request, *reply)) {
				connection->keepBuffer(parser.takeBuffer());
				_idle.keep(std::move(connection), std::chrono::steady_clock::now());
			}
			advise(*reply);
			co_return std::move(*reply);
		}
		connection.reset();
		if (!reused || !parser.untouched() || reply.error().kind != Kind::network) {
			co_return tl::unexpected(Failure{std::move(reply).error(), true});
		}
	}
}

Task<Outcome> Client::follow(HttpReply redirect, const Errand& errand, Deadline deadline)
{
	const auto secret = errand.request.secret;
	const auto target =
		!secret.empty() && redirect.location.find(secret) != redirect.location.npos
			? Result<Address>(failure("the redirect's address holds the token, and is neither followed nor shown"))
			: redirectTarget(_settings, errand.address, errand.request.path, redirect.location);
	if (!target) {
		redirect.advice.push_back(errand.peer + ": " + target.error().text);
		co_return std::move(redirect);
	}
	const auto peer = target->text() + " (redirected from " + errand.peer + ")";
	const Errand further{errand.request, *target, peer};
	auto reply = co_await sendTo(further, deadline, deadline);
	if (!reply) {
		co_return tl::unexpected(std::move(reply).error().error);
	}
	co_return std::move(*reply);
}

Task<Expected<std::unique_ptr<Connection>, ExchangeError>> Client::open(
	const Address& address, const std::optional<Address>& proxy, const std::string& peer, Deadline deadline)
{
	std::optional<Tls::Ready> tls;
	if (address.scheme == Scheme::https) {
		// First, as a file that cannot be read is told more usefully than a server that cannot be reached.
		auto ready = _tls.ready(address.host);
		if (!ready) {
			co_return tl::unexpected(ready.error());
		}
		tls = std::move(*ready);
	}
	const auto via = proxy ? peer + ": proxy " + proxy->text() : peer;
	auto socket = co_await connect(proxy ? *proxy : address, via, deadline);
	if (!socket) {
		co_return tl::unexpected(std::move(socket).error());
	}
	auto connection = std::make_unique<Connection>(std::move(*socket), address, peer);
	if (tls) {
		if (proxy) {
			const auto opened = co_await openTunnel(*connection, address, *proxy, peer, deadline);
			if (!opened) {
				co_return tl::unexpected(opened.error());
			}
		}
		const auto started = co_await connection->startTls(*tls, deadline);
		if (!started) {
			co_return tl::unexpected(started.error());
		}
	}
	co_return std::move(connection);
}

Task<Expected<Descriptor, ExchangeError>> Client::connect(
	const Address& address, const std::string& peer, Deadline deadline)
{
	if (address.scheme == Scheme::unixSocket) {
		co_return co_await dialUnix(address.socketPath, peer, deadline);
	}
	const auto endpoints = co_await _resolver->resolve(address.host, address.port, peer, deadline);
	if (!endpoints) {
		co_return tl::unexpected(endpoints.error());
	}
	co_return co_await dial(*endpoints, peer, deadline);
}

void Client::advise(HttpReply& reply)
{
	bool usesTls = false;
	for (const auto& address : _settings.addresses) {
		usesTls = usesTls || address.scheme == Scheme::https;
	}
	if (!usesTls) {
		return;
	}
	reply.advice = _tls.advice();
	if (_settings.tls.insecureSkipVerify) {
		reply.advice.push_back("tls.insecure_skip_verify is on: whoever is on the way to " +
							   _settings.addresses.front().text() + " can read and use the token");
	}
}

} // namespace issuer::vault::transport
