#pragma once

#include "transport/openssl_ptr.h"

#include <openssl/bio.h>

namespace issuer::vault::transport {

/// The socket of one connection, for its BIO.
struct BioSocket
{
	int fd = -1;
	int error = 0;      ///< errno of the last call that failed for a reason other than blocking
	bool atEnd = false; ///< the peer has closed its side
};

using BioMethodPtr = std::unique_ptr<BIO_METHOD, Release<BIO_meth_free>>;

/// Returns the method by which OpenSSL reads and writes our sockets: as its own BIO for sockets does, but with
/// MSG_NOSIGNAL, so that no write to a closed connection raises SIGPIPE. Must outlive the BIOs made by it. Null: out of
/// memory.
[[nodiscard]] BioMethodPtr makeSocketMethod() noexcept;

/// Returns a BIO over `socket`, which must outlive it. Null: out of memory.
[[nodiscard]] BioPtr makeSocketBio(const BIO_METHOD& method, BioSocket& socket) noexcept;

} // namespace issuer::vault::transport
