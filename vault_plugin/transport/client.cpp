#include "transport/client.h"

#include "transport/dial.h"
#include "transport/reply_parser.h"
#include "transport/request_writer.h"
#include "transport/sigpipe_block.h"

#include <utility>

namespace issuer::vault::transport {
namespace {

using Kind = ExchangeError::Kind;
using Scheme = Address::Scheme;

/// A reply that comes in one piece, however many pieces it comes in. `begun` tells afterwards whether any came.
Expected<HttpReply, ExchangeError> readReply(Connection& connection, ReplyParser& parser, const std::string& peer)
{
	for (auto state = ReplyParser::State::needMore; state != ReplyParser::State::complete;) {
		const auto received = connection.receive(parser.room());
		if (!received) {
			return tl::unexpected(received.error());
		}
		state = *received == 0 ? parser.end() : parser.feed(*received);
		if (state == ReplyParser::State::malformed) {
			const auto kind = *received == 0 ? Kind::network : Kind::malformed;
			return tl::unexpected(ExchangeError{kind, peer + ": " + parser.complaint()});
		}
	}
	return parser.take();
}

/// Asks `proxy` for a tunnel to `address`.
Expected<void, ExchangeError> openTunnel(
	Connection& connection, const Address& address, const Address& proxy, const std::string& peer)
{
	const bool isIpv6 = address.host.find(':') != address.host.npos;
	const auto target = (isIpv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
	if (auto sent = connection.send("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n"); !sent) {
		return sent;
	}
	ReplyParser parser(ReplyParser::To::connect);
	const auto reply = readReply(connection, parser, peer);
	if (!reply) {
		return tl::unexpected(reply.error());
	}
	if (reply->status >= 300) {
		return tl::unexpected(ExchangeError{Kind::network,
			peer + ": proxy " + proxy.text() + " opens no tunnel (status " + std::to_string(reply->status) + ")"});
	}
	return {};
}

/// Opening a connection may take its share of the time when other addresses wait their turn.
Limits shareOf(const Limits& limits, std::size_t addressesLeft)
{
	const auto now = std::chrono::steady_clock::now();
	return {now + (limits.deadline - now) / static_cast<std::int64_t>(addressesLeft), limits.cancelFd};
}

} // namespace

Client::Client(Settings settings, Proxies proxies, std::shared_ptr<Resolver> resolver)
	: _settings(std::move(settings)), _proxies(std::move(proxies)), _resolver(std::move(resolver)), _tls(_settings.tls)
{
}

Client::~Client()
{
	// Closing says goodbye over TLS, perhaps to nobody; and this may be a thread of the host's.
	const SigpipeBlock quiet;
	_idle.clear();
}

Expected<HttpReply, ExchangeError> Client::send(const HttpRequest& request, const Limits& limits)
{
	const SigpipeBlock quiet;
	const auto& addresses = _settings.addresses;
	const auto first = _preferred.load(std::memory_order_relaxed);
	std::string complaints;
	bool unsent = true;
	for (std::size_t turn = 0; turn < addresses.size(); ++turn) {
		const std::size_t index = turn == 0 ? first : turn <= first ? turn - 1 : turn;
		const Address& address = addresses[index];
		if (const auto wake = waitFor({}, limits, std::chrono::steady_clock::now()); wake != Wake::ready) {
			auto ended = endedBy(wake, address.text(), "about to begin");
			ended.unsent = unsent;
			return tl::unexpected(std::move(ended));
		}
		const Errand errand{request, address, address.prefix + request.path, address.text()};
		auto reply = sendTo(errand, shareOf(limits, addresses.size() - turn), limits);
		if (reply) {
			// A server that cannot do its work is no reason to fail here, but one to ask another next time.
			_preferred = reply->status < 500 ? index : (index + 1) % addresses.size();
			return isRedirect(reply->status) ? follow(std::move(*reply), errand, limits) : std::move(reply).value();
		}
		auto& [error, final] = reply.error();
		unsent = unsent && error.unsent;
		complaints += (complaints.empty() ? "" : "; ") + error.text;
		const bool isLast = turn + 1 == addresses.size();
		if (error.kind == Kind::cancelled || final || isLast) {
			_preferred = error.kind == Kind::cancelled ? first : (index + 1) % addresses.size();
			return tl::unexpected(ExchangeError{error.kind, std::move(complaints), unsent});
		}
	}
	return tl::unexpected(ExchangeError{Kind::configuration, "no address is configured", true});
}

Expected<HttpReply, Client::Failure> Client::sendTo(const Errand& errand, const Limits& opening, const Limits& limits)
{
	const Address& address = errand.address;
	const bool forwarded = address.scheme == Scheme::http && _proxies.between(address);
	const auto bytes = writeRequest(errand.request, address, errand.path, _settings.userAgent, forwarded);
	if (!bytes) {
		return tl::unexpected(Failure{{Kind::configuration, errand.peer + ": " + bytes.error().text, true}});
	}

	auto generation = address.scheme == Scheme::https ? _tls.generation() : 0;
	auto connection = _idle.take(address, generation);
	bool unsent = true;
	for (bool reused = connection != nullptr;; reused = false) {
		if (!connection) {
			auto opened = open(address, errand.peer, opening, generation);
			if (!opened) {
				Failure failure{std::move(opened).error()};
				failure.error.unsent = unsent;
				return tl::unexpected(std::move(failure));
			}
			connection = std::move(*opened);
		}
		connection->limitTo(limits);
		unsent = false;
		ReplyParser parser;
		const auto sent = connection->send(*bytes);
		auto reply = sent ? readReply(*connection, parser, errand.peer)
						  : Expected<HttpReply, ExchangeError>(tl::unexpect, sent.error());
		if (reply) {
			if (parser.keepsConnection()) {
				_idle.keep(std::move(connection), address, generation);
			}
			advise(*reply);
			return std::move(*reply);
		}
		connection.reset();
		if (!reused || !parser.untouched() || reply.error().kind != Kind::network) {
			return tl::unexpected(Failure{std::move(reply).error(), true});
		}
	}
}

Expected<HttpReply, ExchangeError> Client::follow(HttpReply redirect, const Errand& errand, const Limits& limits)
{
	auto target = redirectTarget(_settings, errand.address, redirect.location.value_or(""));
	if (!target) {
		redirect.advice.push_back(errand.peer + ": " + target.error().text);
		return redirect;
	}
	const Errand further{errand.request, target->address, std::move(target->path),
		target->address.text() + " (redirected from " + errand.peer + ")"};
	auto reply = sendTo(further, limits, limits);
	if (!reply) {
		return tl::unexpected(std::move(reply).error().error);
	}
	return std::move(*reply);
}

Expected<std::unique_ptr<Connection>, ExchangeError> Client::open(
	const Address& address, const std::string& peer, const Limits& limits, unsigned& generation)
{
	std::optional<Tls::Ready> tls;
	if (address.scheme == Scheme::https) {
		// First, as a file that cannot be read is told more usefully than a server that cannot be reached.
		auto ready = _tls.ready(address.host);
		if (!ready) {
			return tl::unexpected(ready.error());
		}
		tls = std::move(*ready);
		generation = tls->generation;
	}
	const auto proxy = _proxies.between(address);
	auto socket = connect(proxy.value_or(address), proxy ? peer + ": proxy " + proxy->text() : peer, limits);
	if (!socket) {
		return tl::unexpected(std::move(socket).error());
	}
	auto connection = std::make_unique<Connection>(std::move(*socket), peer);
	connection->limitTo(limits);
	if (tls) {
		if (proxy) {
			if (auto opened = openTunnel(*connection, address, *proxy, peer); !opened) {
				return tl::unexpected(opened.error());
			}
		}
		if (auto started = connection->startTls(*tls); !started) {
			return tl::unexpected(started.error());
		}
	}
	return connection;
}

Expected<Descriptor, ExchangeError> Client::connect(
	const Address& address, const std::string& peer, const Limits& limits)
{
	if (address.scheme == Scheme::unixSocket) {
		return dialUnix(address.socketPath, peer, limits);
	}
	const auto endpoints = _resolver->resolve(address.host, address.port, peer, limits);
	return endpoints ? dial(*endpoints, peer, limits) : tl::unexpected(endpoints.error());
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
