#pragma once

#include "fake_vault/clock.h"

#include <string>
#include <vector>

namespace issuer::test {

/// The client certificate of a TLS connection, which the server has taken without judging it, as a real one does.
struct ClientCertificate
{
	std::string pem;

	/// Returns whether an authority, given as PEM, has signed it.
	[[nodiscard]] bool isSignedBy(const std::string& authorityPem) const;

	/// Returns the words with which a server refuses it at `now`; empty: it is valid.
	[[nodiscard]] std::string notValid(ServerTime now) const;

	[[nodiscard]] std::string commonName() const;
	[[nodiscard]] std::string serialNumber() const; ///< decimal
};

} // namespace issuer::test
