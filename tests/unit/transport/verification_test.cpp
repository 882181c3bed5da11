#include "transport/verification.h"

#include <gtest/gtest.h>
#include <memory>

namespace issuer::vault::transport {
namespace {

TEST(Verification, ADotAtTheEndAndAZoneAreNoPartOfTheName)
{
	EXPECT_EQ(nameInCertificates("vault.example"), "vault.example");
	EXPECT_EQ(nameInCertificates("vault.example."), "vault.example");
	EXPECT_EQ(nameInCertificates("fe80::1%eth0"), "fe80::1");
	EXPECT_EQ(nameInCertificates("192.0.2.1"), "192.0.2.1");
	EXPECT_EQ(nameInCertificates("."), ".");
	EXPECT_TRUE(isNumericAddress(nameInCertificates("fe80::1%eth0")));
	EXPECT_FALSE(isNumericAddress(nameInCertificates("vault.example.")));
}

TEST(Verification, ANameThatWouldDemandNothingIsRefused)
{
	const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
	const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
	const std::string source = "a test";
	PeerVerification verification(source);
	EXPECT_FALSE(verification.demand(*ssl, ""));
	EXPECT_TRUE(verification.demand(*ssl, "vault.example"));
}

} // namespace
} // namespace issuer::vault::transport
