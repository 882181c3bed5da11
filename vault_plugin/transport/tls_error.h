#pragma once

#include <cstdint>
#include <string>

namespace issuer::vault::transport {

/// What OpenSSL says of a failed call, told apart by its codes: its texts change from one release to the next.
struct TlsError
{
	enum class Meaning : std::uint8_t
	{
		peerLeft,   ///< the peer closed the connection without a goodbye
		unverified, ///< the peer's certificate was refused by us
		other,
	};

	Meaning meaning;
	std::string text; ///< for people; does not name the peer
};

/// Takes the errors of the calling thread out of OpenSSL's queue. `showsCertificate`: whether a client certificate was
/// there to be shown.
[[nodiscard]] TlsError takeTlsError(bool showsCertificate);

/// Takes the same queue's last reason, in OpenSSL's words, for errors that nobody needs to tell apart.
[[nodiscard]] std::string takeOpensslReason();

} // namespace issuer::vault::transport
