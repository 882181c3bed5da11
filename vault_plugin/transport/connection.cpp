#include "transport/connection.h"

#include "transport/verification.h"
#include "transport/wait.h"

#include <Poco/Net/NetException.h>
#include <Poco/Net/SSLException.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/SecureStreamSocketImpl.h>

#include <openssl/err.h>
#include <system_error>

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

Connection::Connection(Descriptor connected, std::string peer)
	: _peer(std::move(peer)), _stream(new ByteStream(std::move(connected))), _top(_stream)
{
}

Connection::~Connection() = default;

template <class Do>
Connection::Count Connection::attempt(const char* doing, Do&& action) const
{
	const auto fail = [this](Kind kind, std::string_view text) {
		return tl::unexpected(ExchangeError{kind, _peer + ": " + std::string(text)});
	};
	ERR_clear_error(); // another library's leftovers on this thread would pass for ours
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

/// What a call waits for that gave `count`, below zero. TLS may have to read to write, and write to read.
short Connection::wanted(int count, short plain) const noexcept
{
	if (_tls.isNull()) {
		return plain;
	}
	return count == Poco::Net::SecureStreamSocket::ERR_SSL_WANT_WRITE ? POLLOUT : POLLIN;
}

Task<Expected<void, ExchangeError>> Connection::startTls(const Tls::Ready& tls, Deadline deadline)
{
	constexpr auto doing = "shaking hands over TLS";
	_tls = new TlsStream(_stream.get(), tls.context);
	if (!isNumericAddress(tls.name)) {
		_tls->setPeerHostName(tls.name);
	}
	VerificationComplaint complaint;
	Count shaken = attempt(doing, [&] {
		_tls->connectSSL();
		return Poco::Net::SecureStreamSocket::ERR_SSL_WANT_WRITE;
	});
	while (shaken && *shaken < 0) {
		const Wake wake = co_await ready(_stream->sockfd(), wanted(*shaken, 0), deadline);
		if (wake != Wake::ready) {
			co_return tl::unexpected(endedBy(wake, _peer, doing));
		}
		shaken = attempt(doing, [&] {
			const VerificationComplaint::Hearing hearing(complaint);
			const int count = _tls->completeHandshake();
			if (count == 0) {
				throw Poco::Net::SSLConnectionUnexpectedlyClosedException();
			}
			if (count > 0) {
				_tls->verifyPeerCertificate(tls.name); // a second opinion after OpenSSL's own check
			}
			return count;
		});
	}
	if (!shaken) {
		co_return tl::unexpected(
			complaint.text().empty() ? shaken.error() : ExchangeError{Kind::tls, _peer + ": " + complaint.text()});
	}
	_top = _tls;
	co_return Expected<void, ExchangeError>();
}

Task<Expected<void, ExchangeError>> Connection::send(std::string_view bytes, Deadline deadline)
{
	constexpr auto doing = "sending the request";
	while (!bytes.empty()) {
		const Count sent =
			attempt(doing, [&] { return _top->sendBytes(bytes.data(), static_cast<int>(bytes.size()), 0); });
		if (!sent) {
			co_return tl::unexpected(sent.error());
		}
		if (*sent >= 0) {
			bytes.remove_prefix(static_cast<std::size_t>(*sent));
			continue;
		}
		const Wake wake = co_await ready(_stream->sockfd(), wanted(*sent, POLLOUT), deadline);
		if (wake != Wake::ready) {
			co_return tl::unexpected(endedBy(wake, _peer, doing));
		}
	}
	co_return Expected<void, ExchangeError>();
}

Task<Expected<std::size_t, ExchangeError>> Connection::receive(std::span<char> room, Deadline deadline)
{
	constexpr auto doing = "waiting for the reply";
	// Waiting first saves a call that would come to nothing: what has come already, TLS has unpacked and holds.
	Count received = _tls.isNull() || _tls->available() == 0 ? Count(-1) : Count(0);
	for (bool waits = *received < 0;; waits = true) {
		if (waits) {
			const Wake wake = co_await ready(_stream->sockfd(), wanted(*received, POLLIN), deadline);
			if (wake != Wake::ready) {
				co_return tl::unexpected(endedBy(wake, _peer, doing));
			}
		}
		received = attempt(doing, [&] { return _top->receiveBytes(room.data(), static_cast<int>(room.size()), 0); });
		if (!received) {
			co_return tl::unexpected(received.error());
		}
		if (*received >= 0) {
			co_return static_cast<std::size_t>(*received);
		}
	}
}

} // namespace issuer::vault::transport
