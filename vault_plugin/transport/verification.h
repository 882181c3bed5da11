#pragma once

#include <openssl/ssl.h>
#include <string>

namespace issuer::vault::transport {

/// One connection's demand on its peer's certificate, and what verification found wrong with it.
class PeerVerification
{
public:
	/// `source` names where the trusted certificates come from ("CA file /x.pem"). Borrowed.
	explicit PeerVerification(const std::string& source) noexcept : _source(source) {}
	PeerVerification(const PeerVerification&) = delete;
	PeerVerification& operator=(const PeerVerification&) = delete;

	/// Makes the handshake of `ssl` fail unless the peer shows a certificate for `name`, a host name or a numeric
	/// address, that is signed by somebody trusted. OpenSSL does all of it, on the way and not after. This object must
	/// outlive `ssl`. False: `name` cannot be verified.
	[[nodiscard]] bool demand(SSL& ssl, const std::string& name);

	/// What was wrong, whose certificate it was and what to do, for people: "certificate is for other.example, not
	/// vault.example; …". The first thing that was, as the rest follows from it.
	[[nodiscard]] std::string complaint(const SSL& ssl) const;

private:
	static int onVerified(int ok, X509_STORE_CTX* store) noexcept;

	const std::string& _source;
	std::string _complaint;
};

/// Returns `host` as certificates and SNI have it: the dot at the end of a name tells the resolver not to search, and
/// the zone of an IPv6 address (fe80::1%eth0) is this machine's own business.
[[nodiscard]] std::string nameInCertificates(const std::string& host);

/// True for 192.0.2.1 and 2001:db8::1, false for names.
[[nodiscard]] bool isNumericAddress(const std::string& host);

/// "2026-11-24 05:04 UTC".
[[nodiscard]] std::string dateText(const ASN1_TIME& time);

} // namespace issuer::vault::transport
