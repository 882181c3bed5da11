#pragma once

#include "base/descriptor.h"

#include <memory>
#include <openssl/ssl.h>
#include <string>
#include <string_view>

namespace issuer::bench {

struct FreeSsl
{
	void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
	void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};

/// The server's end of one connection, non-blocking, plain or over TLS.
class Connection
{
public:
	/// `tls`: null for a plain one.
	Connection(vault::Descriptor fd, SSL_CTX* tls);

	/// Receives available bytes. Returns false if the peer is gone.
	[[nodiscard]] bool receive();

	/// The next complete request, body included, or nothing. Valid until the next call.
	[[nodiscard]] std::string_view nextRequest();

	/// Replies are small, and the client reads each before it asks again: they always fit.
	void send(std::string_view reply);

private:
	vault::Descriptor _fd;
	std::unique_ptr<SSL, FreeSsl> _ssl;
	std::string _received;
	std::size_t _taken = 0;
};

} // namespace issuer::bench
