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
/// Rationale: Poco's TLS layer stood here, and was in the way three times. It gives errors as texts, which change from
/// one release of OpenSSL to the next; here they are told apart by code and reason. It verifies names in a step of its
/// own after the handshake, which Poco 1.11 skips when the handshake lasts too long; here the name is part of each
/// connection's verification, so that one context serves all names and client certificates. And it writes with
/// write(2), which raises SIGPIPE at the latest when the goodbye meets a closed socket; here a BIO of our own sends
/// with MSG_NOSIGNAL, so that no thread, the host's included, has to block that signal.
///
/// Never blocks. Not thread-safe.
class TlsStream
{
public:
	/// What a call came to.
	struct Step
	{
		std::size_t count = 0; ///< bytes; 0 of receive() and handshake(): see there
		short waitFor = 0; ///< not 0: nothing is done; call again when the socket is ready for this (POLLIN, POLLOUT)
	};
	/// Why the stream is of no use any more. `text` does not name the peer.
	struct Trouble
	{
		ExchangeError::Kind kind; ///< tls, network, configuration
		std::string text;
	};
	template <class T>
	using Outcome = Expected<T, Trouble>;

	/// Prepares a handshake with the server that `host` names, over `fd`, which is borrowed until the stream ends.
	[[nodiscard]] static Outcome<std::unique_ptr<TlsStream>> create(
		int fd, const TlsSetup& setup, const std::string& host);

	/// Says goodbye if that does not block, and if there is anything to end.
	~TlsStream();
	TlsStream(const TlsStream&) = delete;
	TlsStream& operator=(const TlsStream&) = delete;

	/// A count of 1: done, and the server is who it shall be.
	[[nodiscard]] Outcome<Step> handshake();
	[[nodiscard]] Outcome<Step> send(std::string_view bytes);
	/// A count of 0 with nothing to wait for: the peer has said goodbye.
	[[nodiscard]] Outcome<Step> receive(std::span<char> room);

	/// Whether receive() gives something without reading the socket.
	[[nodiscard]] bool hasPending() const noexcept;

	/// Gives back the buffers for records, which take 33 KiB, until the next call needs them.
	void rest() noexcept;

private:
	TlsStream(int fd, const TlsSetup& setup);

	[[nodiscard]] Outcome<Step> outcome(int result);
	[[nodiscard]] Trouble troubleOf(int sslError);

	const std::shared_ptr<const TlsContext> _context;
	const std::shared_ptr<const ClientCertificate> _client;
	BioSocket _socket;
	PeerVerification _verification;
	bool _inSession = false; ///< the handshake is done, and no error has ended the session
	SslPtr _ssl;             ///< refers to all of the above
};

} // namespace issuer::vault::transport
