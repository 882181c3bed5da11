#pragma once

#include "base/wiped.h"
#include "transport/openssl_ptr.h"
#include "transport/socket_bio.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace issuer::vault::transport {

/// The certificate that this end presents to a server that asks for one. Immutable, shared by connections.
///
/// Kept as bytes, and decoded for each connection: decoded, the two take 7 KiB for each identity for as long as it
/// lives, and decoding adds 0.16 ms to a handshake that takes ten times as long.
struct ClientCertificate
{
	std::vector<std::string> chain; ///< in DER: the certificate itself, then those between it and its authority
	WipedString key;                ///< in DER
	int keyKind = 0;                ///< EVP_PKEY_EC, …
	std::string path;               ///< of the certificate's file, for messages
	std::chrono::system_clock::time_point end;
	std::string endText; ///< "2026-11-24 05:04 UTC"
};

/// The authorities that this end trusts, and the settings that all its connections have in common. Immutable, shared by
/// all identities with the same roots: an SSL_CTX takes 13 KiB and a system's roots 0.7 MiB, so client certificate and
/// server name are set for each connection instead.
class TlsContext
{
public:
	/// Takes over `roots`; null: no server is verified. `source` names the origin of the roots: "CA file /x.pem".
	/// Throws std::runtime_error if OpenSSL makes no context.
	TlsContext(StorePtr roots, std::string source);

	[[nodiscard]] SSL_CTX& context() const noexcept { return *_context; }
	[[nodiscard]] const BIO_METHOD& socketMethod() const noexcept { return *_socketMethod; }
	[[nodiscard]] bool verifies() const noexcept { return _verifies; }
	[[nodiscard]] const std::string& source() const noexcept { return _source; }

private:
	SslContextPtr _context;
	BioMethodPtr _socketMethod;
	bool _verifies;
	std::string _source;
};

/// Everything a handshake needs but the host's name.
struct TlsSetup
{
	std::shared_ptr<const TlsContext> context;
	std::shared_ptr<const ClientCertificate> client; ///< null: none is presented
	std::string serverName;                          ///< sent as SNI and verified; empty: the host's
	unsigned generation = 0;                         ///< of the files it was read from
};

} // namespace issuer::vault::transport
