#pragma once

#include <cstdint>
#include <string>

namespace issuer::vault::transport {

/// An error of OpenSSL, told apart by its codes: its texts change from one release to the next.
struct TlsError
{
	enum class Meaning : std::uint8_t
	{
		peerLeft,   ///< the peer closed the connection without a close_notify
		unverified, ///< this end refused the peer's certificate
		other,
	};

	Meaning meaning;
	std::string text; ///< for the operator; does not name the peer
};

/// Takes the errors of the calling thread out of OpenSSL's queue. `showsCertificate`: whether a client certificate
/// could be presented.
[[nodiscard]] TlsError takeTlsError(bool showsCertificate);

/// Takes the last reason out of the same queue, in OpenSSL's words, for errors that need not be told apart.
[[nodiscard]] std::string takeOpensslReason();

} // namespace issuer::vault::transport
