#include "transport/connection.h"

#include "transport/wait.h"

#include <Poco/Net/NetException.h>

#include <utility>

namespace issuer::vault::transport {
namespace {

using Kind = ExchangeError::Kind;
using Trouble = TlsStream::Trouble;

/// Runs `call`, a call on a plain stream. Its -1 means that the socket has to become ready for `awaited` first.
template <class Call>
Expected<TlsStream::Step, Trouble> plainly(short awaited, Call&& call)
{
	try {
		const int count = call();
		return count < 0 ? TlsStream::Step{0, awaited} : TlsStream::Step{static_cast<std::size_t>(count), 0};
	}
	catch (const Poco::Net::ConnectionResetException&) {
		return tl::unexpected(Trouble{Kind::network, "connection reset"});
	}
	catch (const Poco::Exception& error) {
		return tl::unexpected(Trouble{Kind::network, error.displayText()});
	}
}

} // namespace

Connection::Connection(Descriptor connected, Address address, std::string peer)
	: _address(std::move(address)), _peer(std::move(peer)), _stream(new ByteStream(std::move(connected)))
{
}

Connection::~Connection() = default;

Expected<Connection::Step, Trouble> Connection::sendSome(std::string_view bytes)
{
	if (_tls) {
		return _tls->send(bytes);
	}
	return plainly(POLLOUT, [&] { return _stream->sendBytes(bytes.data(), static_cast<int>(bytes.size()), 0); });
}

Expected<Connection::Step, Trouble> Connection::receiveSome(std::span<char> room)
{
	if (_tls) {
		return _tls->receive(room);
	}
	return plainly(POLLIN, [&] { return _stream->receiveBytes(room.data(), static_cast<int>(room.size()), 0); });
}

/// Runs `action` again and again until it need not wait any more. TLS may have to read in order to write, and the other
/// way round. `first`: readiness to wait for before the first try.
template <class Do>
Task<Expected<std::size_t, ExchangeError>> Connection::perform(
	const char* doing, Step first, Deadline deadline, Do action)
{
	Expected<Step, Trouble> step = first.waitFor != 0 ? first : action();
	while (step && step->waitFor != 0) {
		const Wake wake = co_await ready(_stream->sockfd(), step->waitFor, deadline);
		if (wake != Wake::ready) {
			co_return tl::unexpected(endedBy(wake, _peer, doing));
		}
		step = action();
	}
	if (!step) {
		auto& [kind, text] = step.error();
		const auto during = kind == Kind::network ? std::string(" while ") + doing : std::string();
		co_return tl::unexpected(ExchangeError{kind, _peer + ": " + text + during});
	}
	co_return step->count;
}

Task<Expected<void, ExchangeError>> Connection::startTls(
	const TlsSetup& setup, const std::string& host, Deadline deadline)
{
	auto created = TlsStream::create(_stream->sockfd(), setup, host);
	if (!created) {
		co_return tl::unexpected(ExchangeError{created.error().kind, _peer + ": " + created.error().text});
	}
	_tls = std::move(*created);
	_generation = setup.generation;
	const auto shaken =
		co_await perform("shaking hands over TLS", {}, deadline, [tls = _tls.get()] { return tls->handshake(); });
	if (!shaken) {
		co_return tl::unexpected(shaken.error());
	}
	co_return Expected<void, ExchangeError>();
}

Task<Expected<std::size_t, ExchangeError>> Connection::send(std::string_view bytes, Deadline deadline)
{
	return perform("sending the request", {}, deadline, [this, bytes] { return sendSome(bytes); });
}

Task<Expected<std::size_t, ExchangeError>> Connection::receive(std::span<char> room, Deadline deadline)
{
	// Waits before the first read, which would find nothing, unless TLS holds bytes that it has read ahead.
	const Step first{0, _tls && _tls->hasPending() ? short{0} : short{POLLIN}};
	return perform("waiting for the reply", first, deadline, [this, room] { return receiveSome(room); });
}

} // namespace issuer::vault::transport
