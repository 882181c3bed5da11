#include "transport/connection.h"

#include "transport/verification.h"
#include "transport/wait.h"

#include <Poco/Net/NetException.h>
#include <Poco/Net/SSLException.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/SecureStreamSocketImpl.h>

#include <openssl/err.h>
#include <utility>

namespace issuer::vault::transport {
namespace {

using Kind = ExchangeError::Kind;

bool mentions(const std::string& text, std::string_view part)
{
	return text.find(part) != text.npos;
}

/// What OpenSSL's words mean for an operator.
std::string tlsTrouble(const std::string& openssl)
{
	if (mentions(openssl, "wrong version number") || mentions(openssl, "http request") ||
		mentions(openssl, "packet length too long")) {
		return "answers, but not in TLS; is the address an http:// one?";
	}
	if (mentions(openssl, "unsupported protocol") || mentions(openssl, "protocol version")) {
		return "offers no TLS 1.2 or later";
	}
	if (mentions(openssl, "certificate required") || mentions(openssl, "alert bad certificate") ||
		mentions(openssl, "alert handshake failure") || mentions(openssl, "alert unknown ca") ||
		mentions(openssl, "alert certificate expired")) {
		return "refused the TLS handshake, probably for the client certificate: it asks for one, or does not accept "
			   "ours (" +
			   openssl + ")";
	}
	return openssl;
}

} // namespace

/// Poco's TLS layer, with the handshake begun by us instead of by connect().
class Connection::TlsStream final : public Poco::Net::SecureStreamSocketImpl
{
public:
	TlsStream(Poco::Net::StreamSocketImpl* socket, const Poco::Net::Context::Ptr& context)
		: SecureStreamSocketImpl(socket, context)
	{
		// Not lazy, Poco 1.11 takes a handshake that lasts too long for a verified one.
		setLazyHandshake(true);
	}

	using SecureStreamSocketImpl::connectSSL;

private:
	~TlsStream() override = default;
};

Connection::Connection(Descriptor connected, Address address, std::string peer)
	: _address(std::move(address)), _peer(std::move(peer)), _stream(new ByteStream(std::move(connected)))
{
}

Connection::~Connection() = default;

template <class Do>
Connection::Count Connection::attempt(const char* doing, Do&& action) const
{
	const auto fail = [this](Kind kind, std::string_view text) {
		return tl::unexpected(ExchangeError{kind, _peer + ": " + std::string(text)});
	};
	if (!_tls.isNull()) {
		ERR_clear_error(); // another library's leftovers on this thread would pass for ours
	}
	try {
		return action();
	}
	catch (const Poco::Net::SSLConnectionUnexpectedlyClosedException&) {
		return fail(Kind::network, std::string("closed the connection while ") + doing);
	}
	catch (const Poco::Net::ConnectionResetException&) {
		return fail(Kind::network, std::string("connection reset while ") + doing);
	}
	catch (const Poco::Net::SSLException& error) {
		if (mentions(error.message(), "unexpected eof")) {
			return fail(Kind::network, std::string("closed the connection without a goodbye while ") + doing);
		}
		return fail(Kind::tls, tlsTrouble(error.message()));
	}
	catch (const Poco::Exception& error) {
		return fail(Kind::network, error.displayText() + " while " + doing);
	}
}

/// What requests go through.
Poco::Net::StreamSocketImpl& Connection::top()
{
	if (_tls.isNull()) {
		return *_stream;
	}
	return *_tls;
}

/// What a call waits for that gave `count`, below zero. TLS may have to read to write, and write to read.
short Connection::wanted(int count, short usual) const noexcept
{
	if (_tls.isNull()) {
		return usual;
	}
	return count == Poco::Net::SecureStreamSocket::ERR_SSL_WANT_WRITE ? POLLOUT : POLLIN;
}

/// `action`, again and again until it need not wait any more, for `usual` where the stream is plain.
template <class Do>
Task<Expected<std::size_t, ExchangeError>> Connection::perform(
	const char* doing, short usual, bool waitFirst, Deadline deadline, Do action)
{
	constexpr int reading = Poco::Net::SecureStreamSocket::ERR_SSL_WANT_READ;
	Count count = waitFirst ? Count(reading) : attempt(doing, action);
	while (count && *count < 0) {
		const Wake wake = co_await ready(_stream->sockfd(), wanted(*count, usual), deadline);
		if (wake != Wake::ready) {
			co_return tl::unexpected(endedBy(wake, _peer, doing));
		}
		count = attempt(doing, action);
	}
	if (!count) {
		co_return tl::unexpected(std::move(count).error());
	}
	co_return static_cast<std::size_t>(*count);
}

Task<Expected<void, ExchangeError>> Connection::startTls(const Tls::Ready& tls, Deadline deadline)
{
	_tls = new TlsStream(_stream.get(), tls.context);
	_generation = tls.generation;
	if (!isNumericAddress(tls.name)) {
		_tls->setPeerHostName(tls.name);
	}
	VerificationComplaint complaint;
	bool begun = false;
	const auto shaken = co_await perform("shaking hands over TLS", POLLOUT, false, deadline, [&] {
		const VerificationComplaint::Hearing hearing(complaint);
		if (!std::exchange(begun, true)) {
			_tls->connectSSL();
		}
		const int count = _tls->completeHandshake();
		if (count == 0) {
			throw Poco::Net::SSLConnectionUnexpectedlyClosedException();
		}
		if (count > 0) {
			_tls->verifyPeerCertificate(tls.name); // a second opinion after OpenSSL's own check
		}
		return count;
	});
	if (!shaken) {
		co_return tl::unexpected(
			complaint.text().empty() ? shaken.error() : ExchangeError{Kind::tls, _peer + ": " + complaint.text()});
	}
	co_return Expected<void, ExchangeError>();
}

Task<Expected<std::size_t, ExchangeError>> Connection::send(std::string_view bytes, Deadline deadline)
{
	return perform("sending the request", POLLOUT, false, deadline,
		[this, bytes] { return top().sendBytes(bytes.data(), static_cast<int>(bytes.size()), 0); });
}

Task<Expected<std::size_t, ExchangeError>> Connection::receive(std::span<char> room, Deadline deadline)
{
	// Waiting first saves a call that would come to nothing: what has come already, TLS has unpacked and holds.
	const bool waitFirst = _tls.isNull() || _tls->available() == 0;
	return perform("waiting for the reply", POLLIN, waitFirst, deadline,
		[this, room] { return top().receiveBytes(room.data(), static_cast<int>(room.size()), 0); });
}

} // namespace issuer::vault::transport
