#include "transport/tls_context.h"

#include <openssl/err.h>
#include <stdexcept>
#include <utility>

namespace issuer::vault::transport {

TlsContext::TlsContext(StorePtr roots, std::string source)
	: _context(SSL_CTX_new(TLS_client_method())), _socketMethod(makeSocketMethod()), _verifies(roots != nullptr),
	  _source(std::move(source))
{
	SSL_CTX* raw = _context.get();
	if (raw == nullptr || !_socketMethod || SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1) {
		ERR_clear_error();
		throw std::runtime_error("OpenSSL makes no TLS context");
	}
	SSL_CTX_set_options(raw, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_RENEGOTIATION);
	// After each record that is not application data OpenSSL returns to the caller, which looks at the deadline.
	SSL_CTX_clear_mode(raw, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_read_ahead(raw, 1); // else each record takes two calls of recv, one for its head
	SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
	if (roots) {
		SSL_CTX_set_cert_store(raw, roots.release());
	}
}

} // namespace issuer::vault::transport
