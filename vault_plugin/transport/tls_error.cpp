#include "transport/tls_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <optional>

namespace issuer::vault::transport {
namespace {

using Meaning = TlsError::Meaning;

std::string openssl(unsigned long code)
{
	const char* reason = ERR_reason_error_string(code);
	return reason != nullptr ? reason : "error " + std::to_string(code);
}

std::string aboutOurCertificate(bool shown, const std::string& refusal)
{
	return shown ? "refused the TLS handshake for our client certificate: " + refusal
				 : "refused the TLS handshake because it asks for a client certificate; set tls.client_cert";
}

/// Returns the meaning of a reason of OpenSSL's TLS part for an operator; nothing for one that is not known. An alert's
/// reason is 1000 plus its number.
std::optional<TlsError> explain(int reason, bool showsCertificate)
{
	const auto refused = [&](const std::string& refusal) {
		return TlsError{Meaning::other, aboutOurCertificate(showsCertificate, refusal)};
	};
	switch (reason) {
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		return TlsError{Meaning::peerLeft, "closed the connection without a goodbye"};
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
		return TlsError{Meaning::unverified, "certificate is not verified"};
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
	case SSL_R_BAD_RECORD_TYPE:
		return TlsError{Meaning::other, "answers, but not in TLS; is the address an http:// one?"};
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		return TlsError{Meaning::other, "offers no TLS 1.2 or later"};
	case SSL_R_TLSV1_UNRECOGNIZED_NAME:
		return TlsError{Meaning::other,
			"refused the TLS handshake because it serves no host of the name that was asked "
			"for; is the address right, or tls.server_name?"};
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
		return refused("it asks for one that is signed by another authority");
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
		return refused("it does not trust the authority that signed it, or misses an intermediate certificate in "
					   "tls.client_cert");
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
		return refused("it says that it has expired; are both clocks right?");
	case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
		return refused("it says that it was revoked");
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_NO_CERTIFICATE:
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
	case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
		return refused("it does not accept it");
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
		return TlsError{Meaning::other, showsCertificate
											? "refused the TLS handshake, perhaps for our client certificate"
											: "refused the TLS handshake, perhaps because it asks for a client "
											  "certificate (tls.client_cert) or shares no cipher with this machine"};
	default:
		return std::nullopt;
	}
}

} // namespace

TlsError takeTlsError(bool showsCertificate)
{
	// The first known error is taken as the cause. Releases differ in the errors they put on top of it, and some put
	// theirs below.
	std::optional<TlsError> known;
	unsigned long first = 0;
	while (const auto code = ERR_get_error()) {
		first = first != 0 ? first : code;
		if (!known && ERR_GET_LIB(code) == ERR_LIB_SSL) {
			known = explain(ERR_GET_REASON(code), showsCertificate);
		}
	}
	if (known) {
		return *std::move(known);
	}
	return {Meaning::other, "TLS failed: " + (first != 0 ? openssl(first) : std::string("no reason given"))};
}

std::string takeOpensslReason()
{
	const auto code = ERR_peek_last_error();
	auto reason = code != 0 ? openssl(code) : "no reason given";
	ERR_clear_error();
	return reason;
}

} // namespace issuer::vault::transport
