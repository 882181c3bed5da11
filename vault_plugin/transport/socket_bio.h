#pragma once

#include "transport/openssl_ptr.h"

#include <openssl/bio.h>

namespace issuer::vault::transport {

/// One connection's socket, as its BIO sees it.
struct BioSocket
{
	int fd = -1;
	int error = 0;      ///< errno of the last call that failed for good
	bool atEnd = false; ///< the peer has closed its side
};

using BioMethodPtr = std::unique_ptr<BIO_METHOD, Release<BIO_meth_free>>;

/// Returns how OpenSSL reads and writes our sockets: as its own BIO for sockets does, but for MSG_NOSIGNAL, so that no
/// write to a closed connection raises SIGPIPE. Must outlive the BIOs made by it. Null: out of memory.
[[nodiscard]] BioMethodPtr makeSocketMethod() noexcept;

/// Returns a BIO over `socket`, which must outlive it. Null: out of memory.
[[nodiscard]] BioPtr makeSocketBio(const BIO_METHOD& method, BioSocket& socket) noexcept;

} // namespace issuer::vault::transport
