#include "transport/connection.h"

#include "transport/verification.h"

#include <Poco/Net/NetException.h>
#include <Poco/Net/SSLException.h>
#include <Poco/Net/SecureStreamSocketImpl.h>

#include <openssl/err.h>
#include <system_error>

namespace issuer::vault::transport {
namespace {

using Kind = ExchangeError::Kind;

/// Poco's TLS layer, with the handshake begun by us instead of by connect().
class TlsSocket final : public Poco::Net::SecureStreamSocketImpl
{
public:
	TlsSocket(Poco::Net::StreamSocketImpl* socket, const Poco::Net::Context::Ptr& context)
		: SecureStreamSocketImpl(socket, context)
	{
		// Not lazy, Poco 1.11 takes a handshake that lasts too long for a verified one.
		setLazyHandshake(true);
	}

	using SecureStreamSocketImpl::connectSSL;

private:
	~TlsSocket() override = default;
};

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

Connection::Connection(Descriptor connected, std::string peer)
	: _peer(std::move(peer)), _socket(new DeadlineSocket(std::move(connected))), _top(_socket)
{
}

Connection::~Connection() = default;

template <class Do>
Expected<std::size_t, ExchangeError> Connection::guarded(const char* doing, Do&& action)
{
	const auto fail = [this](Kind kind, std::string_view text) {
		return tl::unexpected(ExchangeError{kind, _peer + ": " + std::string(text)});
	};
	ERR_clear_error(); // another library's leftovers on this thread would pass for ours
	try {
		return action();
	}
	catch (const Poco::TimeoutException&) {
		return tl::unexpected(endedBy(_socket->wake() == Wake::ready ? Wake::timedOut : _socket->wake(), _peer, doing));
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

Expected<void, ExchangeError> Connection::startTls(const Tls::Ready& tls)
{
	Poco::AutoPtr<TlsSocket> secure(new TlsSocket(_socket.get(), tls.context));
	if (!isNumericAddress(tls.name)) {
		secure->setPeerHostName(tls.name);
	}
	const VerificationComplaint complaint;
	auto shaken = guarded("shaking hands over TLS", [&]() -> Expected<std::size_t, ExchangeError> {
		secure->connectSSL();
		if (secure->completeHandshake() != 1) {
			throw Poco::Net::SSLConnectionUnexpectedlyClosedException();
		}
		secure->verifyPeerCertificate(tls.name); // a second opinion after OpenSSL's own check
		return 0;
	});
	if (!shaken) {
		if (!complaint.text().empty()) {
			return tl::unexpected(ExchangeError{Kind::tls, _peer + ": " + complaint.text()});
		}
		return tl::unexpected(shaken.error());
	}
	_top = secure;
	return {};
}

Expected<void, ExchangeError> Connection::send(std::string_view bytes)
{
	while (!bytes.empty()) {
		const auto sent = guarded("sending the request", [&]() -> Expected<std::size_t, ExchangeError> {
			return static_cast<std::size_t>(_top->sendBytes(bytes.data(), static_cast<int>(bytes.size()), 0));
		});
		if (!sent) {
			return tl::unexpected(sent.error());
		}
		bytes.remove_prefix(*sent);
	}
	return {};
}

Expected<std::size_t, ExchangeError> Connection::receive(std::span<char> room)
{
	return guarded("waiting for the reply", [&]() -> Expected<std::size_t, ExchangeError> {
		const int received = _top->receiveBytes(room.data(), static_cast<int>(room.size()), 0);
		if (received < 0) {
			throw Poco::Net::SSLConnectionUnexpectedlyClosedException();
		}
		return static_cast<std::size_t>(received);
	});
}

} // namespace issuer::vault::transport
