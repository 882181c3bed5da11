#include "transport/tls_stream.h"

#include "base/wiped.h"
#include "transport/tls_error.h"

#include <algorithm>
#include <limits>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <system_error>

namespace issuer::vault::transport {
namespace {

using Kind = ExchangeError::Kind;

int clamped(std::size_t size) noexcept
{
	return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

tl::unexpected<TlsStream::Trouble> trouble(Kind kind, std::string text)
{
	return tl::unexpected(TlsStream::Trouble{kind, std::move(text)});
}

const unsigned char* bytesOf(std::string_view der) noexcept
{
	return reinterpret_cast<const unsigned char*>(der.data());
}

/// Sets the client certificate. Returns false if OpenSSL refuses it, with the reason in its queue: a key too small for
/// its security level, for example.
bool show(SSL& ssl, const ClientCertificate& client)
{
	const auto& own = client.chain.front();
	if (SSL_use_certificate_ASN1(&ssl, bytesOf(own), static_cast<int>(own.size())) != 1 ||
		SSL_use_PrivateKey_ASN1(client.keyKind, &ssl, bytesOf(client.key), static_cast<long>(client.key.size())) != 1) {
		return false;
	}
	return std::all_of(client.chain.begin() + 1, client.chain.end(), [&](const std::string& der) {
		const auto* data = bytesOf(der);
		const X509Ptr certificate(d2i_X509(nullptr, &data, static_cast<long>(der.size())));
		return certificate && SSL_add1_chain_cert(&ssl, certificate.get()) == 1;
	});
}

} // namespace

TlsStream::TlsStream(int fd, const TlsSetup& setup)
	: _context(setup.context), _client(setup.client), _socket{fd}, _verification(setup.context->source()),
	  _ssl(SSL_new(&setup.context->context()))
{
}

TlsStream::TlsResult<std::unique_ptr<TlsStream>> TlsStream::create(
	int fd, const TlsSetup& setup, const std::string& host)
{
	ERR_clear_error(); // another library's errors on this thread would be taken for ours
	std::unique_ptr<TlsStream> stream(new TlsStream(fd, setup));
	SSL* ssl = stream->_ssl.get();
	auto bio = makeSocketBio(setup.context->socketMethod(), stream->_socket);
	if (ssl == nullptr || !bio) {
		return trouble(Kind::network, "TLS cannot begin (" + takeOpensslReason() + ")");
	}
	SSL_set_bio(ssl, bio.get(), bio.get());
	static_cast<void>(bio.release());
	SSL_set_connect_state(ssl);

	const auto name = nameInCertificates(setup.serverName.empty() ? host : setup.serverName);
	bool named = isNumericAddress(name) || SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
	if (setup.context->verifies()) {
		named = stream->_verification.demand(*ssl, name) && named;
	}
	if (!named) {
		ERR_clear_error();
		return trouble(Kind::configuration, "«" + name + "» cannot be the name in a certificate");
	}
	if (setup.client && !show(*ssl, *setup.client)) {
		return trouble(Kind::configuration,
			"client certificate " + setup.client->path + " cannot be used (" + takeOpensslReason() + ")");
	}
	return stream;
}

TlsStream::~TlsStream()
{
	if (_inSession) {
		ERR_clear_error();
		SSL_shutdown(_ssl.get());
		ERR_clear_error();
	}
}

TlsStream::TlsResult<TlsStream::Step> TlsStream::handshake()
{
	ERR_clear_error();
	auto step = outcome(SSL_do_handshake(_ssl.get()));
	if (!step || step->waitFor != 0) {
		return step;
	}
	if (step->count == 0) {
		return trouble(Kind::network, "closed the connection");
	}
	// OpenSSL has verified the peer during the handshake. Checking the result as well costs nothing.
	const X509* peer = SSL_get0_peer_certificate(_ssl.get());
	if (_context->verifies() && (peer == nullptr || SSL_get_verify_result(_ssl.get()) != X509_V_OK)) {
		return trouble(Kind::tls, "certificate is not verified");
	}
	_inSession = true;
	if (_client) {
		SSL_certs_clear(_ssl.get()); // shown once; decoded, they take 9 KiB and hold the key
	}
	return step;
}

TlsStream::TlsResult<TlsStream::Step> TlsStream::send(std::string_view bytes)
{
	ERR_clear_error();
	const int sent = SSL_write(_ssl.get(), bytes.data(), clamped(bytes.size()));
	clearVectorRegisters(); // AES leaves plaintext there, and another thread may be the one that reads the reply
	return outcome(sent);
}

TlsStream::TlsResult<TlsStream::Step> TlsStream::receive(std::span<char> room)
{
	ERR_clear_error();
	const int received = SSL_read(_ssl.get(), room.data(), clamped(room.size()));
	clearVectorRegisters();
	return outcome(received);
}

bool TlsStream::hasPending() const noexcept
{
	return SSL_has_pending(_ssl.get()) == 1; // records that are not unpacked yet count, too: TLS reads ahead
}

void TlsStream::rest() noexcept
{
	// SSL_MODE_RELEASE_BUFFERS should do the same, but OpenSSL 3.0 keeps the buffer for reading.
	SSL_free_buffers(_ssl.get());
}

TlsStream::TlsResult<TlsStream::Step> TlsStream::outcome(int result)
{
	if (result > 0) {
		return Step{static_cast<std::size_t>(result), 0};
	}
	const int error = SSL_get_error(_ssl.get(), result);
	switch (error) {
	case SSL_ERROR_WANT_READ:
		return Step{0, POLLIN};
	case SSL_ERROR_WANT_WRITE:
		return Step{0, POLLOUT};
	case SSL_ERROR_ZERO_RETURN:
		return Step{};
	default:
		_inSession = false; // after such an error OpenSSL forbids a close_notify
		return tl::unexpected(troubleOf(error));
	}
}

TlsStream::Trouble TlsStream::troubleOf(int sslError)
{
	if (sslError == SSL_ERROR_SSL) {
		auto told = takeTlsError(_client != nullptr);
		switch (told.meaning) {
		case TlsError::Meaning::peerLeft:
			return {Kind::network, std::move(told.text)};
		case TlsError::Meaning::unverified:
			return {Kind::tls, _verification.complaint(*_ssl)};
		case TlsError::Meaning::other:
			return {Kind::tls, std::move(told.text)};
		}
	}
	ERR_clear_error();
	switch (_socket.error) {
	case 0:
		return {Kind::network, "closed the connection without a goodbye"};
	case ECONNRESET:
		return {Kind::network, "connection reset"};
	default:
		return {Kind::network, std::generic_category().message(_socket.error)};
	}
}

} // namespace issuer::vault::transport
