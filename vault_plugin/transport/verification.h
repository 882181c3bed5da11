#pragma once

#include <openssl/ssl.h>
#include <string>

namespace issuer::vault::transport {

/// One connection's demand on its peer's certificate, and the fault that verification found with it.
class PeerVerification
{
public:
	/// `source` names the origin of the trusted certificates ("CA file /x.pem"). Borrowed.
	explicit PeerVerification(const std::string& source) noexcept : _source(source) {}
	PeerVerification(const PeerVerification&) = delete;
	PeerVerification& operator=(const PeerVerification&) = delete;

	/// Makes the handshake of `ssl` fail unless the peer presents a certificate for `name`, a host name or a numeric
	/// address, that is signed by a trusted authority. OpenSSL does all of it, during the handshake and not after. This
	/// object must outlive `ssl`. Returns false if `name` cannot be verified.
	[[nodiscard]] bool demand(SSL& ssl, const std::string& name);

	/// Returns the first fault, the certificate that has it and the next step, for the operator: "certificate is for
	/// other.example, not vault.example; …". Later faults follow from the first.
	[[nodiscard]] std::string complaint(const SSL& ssl) const;

private:
	static int onVerified(int ok, X509_STORE_CTX* store) noexcept;

	const std::string& _source;
	std::string _complaint;
};

/// Returns `host` as certificates and SNI have it: the dot at the end of a name tells the resolver not to search, and
/// the zone of an IPv6 address (fe80::1%eth0) has a meaning on this machine only.
[[nodiscard]] std::string nameInCertificates(const std::string& host);

/// Returns true for 192.0.2.1 and 2001:db8::1, false for names.
[[nodiscard]] bool isNumericAddress(const std::string& host);

/// Returns "2026-11-24 05:04 UTC".
[[nodiscard]] std::string dateText(const ASN1_TIME& time);

} // namespace issuer::vault::transport
