#pragma once

#include "base/http.h"
#include "base/result.h"
#include "transport/tls_context.h"
#include "transport/verification.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace issuer::vault::transport {

/// TLS over a connected non-blocking socket, by OpenSSL's own calls.
///
/// Rationale: three properties of Poco's TLS layer are in the way. It gives errors as texts, which change from one
/// release of OpenSSL to the next; here they are told apart by code and reason. It verifies names in a step of its own
/// after the handshake, which Poco 1.11 skips when the handshake lasts too long; here the name is part of each
/// connection's verification, so that one context serves all names and client certificates. And it writes with
/// write(2), which raises SIGPIPE at the latest when the close_notify meets a closed socket; here a BIO of our own
/// sends with MSG_NOSIGNAL, so that no thread, the host's included, has to block that signal.
///
/// Never blocks. Not thread-safe.
class TlsStream
{
public:
	/// The result of a call.
	struct Step
	{
		std::size_t count = 0; ///< bytes; for the meaning of 0 see receive() and handshake()
		short waitFor = 0; ///< not 0: nothing was done; call again when the socket is ready for this (POLLIN, POLLOUT)
	};
	/// The reason why the stream cannot be used any more. `text` does not name the peer.
	struct Trouble
	{
		ExchangeError::Kind kind; ///< tls, network, configuration
		std::string text;
	};
	template <class T>
	using TlsResult = Expected<T, Trouble>;

	/// Prepares a handshake with the server that `host` names, over `fd`, which is borrowed until the stream ends.
	[[nodiscard]] static TlsResult<std::unique_ptr<TlsStream>> create(
		int fd, const TlsSetup& setup, const std::string& host);

	/// Sends a close_notify if that does not block and the session is open.
	~TlsStream();
	TlsStream(const TlsStream&) = delete;
	TlsStream& operator=(const TlsStream&) = delete;

	/// Continues the handshake. A count of 1: it is done, and the server is verified.
	[[nodiscard]] TlsResult<Step> handshake();
	[[nodiscard]] TlsResult<Step> send(std::string_view bytes);
	/// Receives into `room`. A count of 0 with nothing to wait for: the peer has sent its close_notify.
	[[nodiscard]] TlsResult<Step> receive(std::span<char> room);

	/// Returns whether bytes of the peer were read ahead: receive() may give some without reading the socket.
	[[nodiscard]] bool hasPending() const noexcept;

	/// Releases the buffers for records, 33 KiB, until the next call needs them.
	void rest() noexcept;

private:
	TlsStream(int fd, const TlsSetup& setup);

	[[nodiscard]] TlsResult<Step> outcome(int result);
	[[nodiscard]] Trouble troubleOf(int sslError);

	const std::shared_ptr<const TlsContext> _context;
	const std::shared_ptr<const ClientCertificate> _client;
	BioSocket _socket;
	PeerVerification _verification;
	bool _inSession = false; ///< the handshake is done, and no error has ended the session
	SslPtr _ssl;             ///< refers to all of the above
};

} // namespace issuer::vault::transport
