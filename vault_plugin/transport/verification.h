#pragma once

#include <openssl/ssl.h>
#include <string>

namespace issuer::vault::transport {

/// Makes `context` verify that the peer's certificate is for `name` (a host name or a numeric address) inside OpenSSL,
/// as part of the handshake, with no callback of Poco's, which would ask the process-wide SSLManager (the host's) for
/// its opinion.
void verifyName(SSL_CTX& context, const std::string& name);

/// What verification finds wrong with a peer's certificate.
class VerificationComplaint
{
public:
	/// While it lives, it is `complaint` that is told what happens on this thread. One a thread.
	class Hearing
	{
	public:
		explicit Hearing(VerificationComplaint& complaint) noexcept;
		~Hearing();
		Hearing(const Hearing&) = delete;
		Hearing& operator=(const Hearing&) = delete;
	};

	/// For people: "certificate is for other.example, not vault.example"; empty: nothing was wrong.
	[[nodiscard]] const std::string& text() const noexcept { return _text; }

private:
	static int onVerified(int ok, X509_STORE_CTX* store) noexcept;
	friend void verifyName(SSL_CTX&, const std::string&);

	std::string _text;
};

/// "2026-11-24 05:04 UTC".
[[nodiscard]] std::string dateText(const ASN1_TIME& time);

/// True for 192.0.2.1 and 2001:db8::1, false for names.
[[nodiscard]] bool isNumericAddress(const std::string& host);

} // namespace issuer::vault::transport
