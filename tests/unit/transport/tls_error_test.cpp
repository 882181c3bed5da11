#include "transport/tls_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace issuer::vault::transport {
namespace {

using testing::HasSubstr;
using Meaning = TlsError::Meaning;

/// Returns the text for one error of OpenSSL's TLS part, independent of this release's words for it.
TlsError toldOf(int reason, bool showsCertificate = false)
{
	ERR_clear_error();
	ERR_raise(ERR_LIB_SSL, reason);
	return takeTlsError(showsCertificate);
}

TEST(TlsError, APeerThatSpeaksAnotherProtocolIsKnownByEveryCodeThatReleasesHaveForIt)
{
	for (const int reason : {SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST,
			 SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_BAD_RECORD_TYPE}) {
		EXPECT_THAT(toldOf(reason).text, HasSubstr("not in TLS")) << reason;
	}
}

TEST(TlsError, APeerThatIsTooOldIsKnownByItsAnswerAndByItsAlert)
{
	for (const int reason : {SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION}) {
		EXPECT_THAT(toldOf(reason).text, HasSubstr("no TLS 1.2 or later")) << reason;
	}
}

TEST(TlsError, AnEndWithoutAGoodbyeIsNoFailureOfTls)
{
	EXPECT_EQ(toldOf(SSL_R_UNEXPECTED_EOF_WHILE_READING).meaning, Meaning::peerLeft);
	EXPECT_EQ(toldOf(SSL_R_CERTIFICATE_VERIFY_FAILED).meaning, Meaning::unverified);
	EXPECT_EQ(toldOf(SSL_R_BAD_EXTENSION).meaning, Meaning::other);
}

TEST(TlsError, ARefusedClientCertificateIsToldApartFromAMissingOne)
{
	for (const int reason :
		{SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, SSL_R_TLSV1_ALERT_UNKNOWN_CA, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
			SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
			SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
			SSL_R_SSLV3_ALERT_NO_CERTIFICATE, SSL_R_TLSV1_ALERT_ACCESS_DENIED, SSL_R_TLSV1_ALERT_DECRYPT_ERROR}) {
		EXPECT_THAT(toldOf(reason, false).text, HasSubstr("asks for a client certificate")) << reason;
		EXPECT_THAT(toldOf(reason, true).text, HasSubstr("for our client certificate")) << reason;
	}
	EXPECT_THAT(toldOf(SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE).text, HasSubstr("perhaps because it asks"));
}

TEST(TlsError, TheErrorThatIsKnownCountsWhereverItLiesInTheQueue)
{
	ERR_clear_error();
	ERR_raise(ERR_LIB_X509, 1);
	ERR_raise(ERR_LIB_SSL, SSL_R_HTTP_REQUEST);
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_EXTENSION); // as OpenSSL 3.2 and later put one of their own on top
	EXPECT_THAT(takeTlsError(false).text, HasSubstr("not in TLS"));
	EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(TlsError, TheFirstOfUnknownErrorsIsTold)
{
	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr);
	ERR_clear_error();
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_EXTENSION);
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
	const std::string reason = ERR_reason_error_string(ERR_peek_error());
	EXPECT_EQ(takeTlsError(false).text, "TLS failed: " + reason);
	EXPECT_EQ(takeTlsError(false).text, "TLS failed: no reason given");
}

} // namespace
} // namespace issuer::vault::transport
