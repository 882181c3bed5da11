#include "fake_vault/client_certificate.h"

#include <chrono>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/pem.h>
#include <openssl/x509.h>

namespace issuer::test {
namespace {

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;

X509Ptr parsed(const std::string& pem)
{
	const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
	X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
	if (!certificate) {
		throw std::invalid_argument("fake Vault: not a certificate in PEM");
	}
	return certificate;
}

std::time_t secondsOf(ServerTime time)
{
	return static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

std::string textOf(std::time_t time)
{
	std::tm parts{};
	::gmtime_r(&time, &parts);
	char text[32];
	std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
	return text;
}

std::time_t timeOf(const ASN1_TIME* time)
{
	std::tm parts{};
	ASN1_TIME_to_tm(time, &parts);
	return ::timegm(&parts);
}

} // namespace

bool ClientCertificate::isSignedBy(const std::string& authorityPem) const
{
	const auto authority = parsed(authorityPem);
	return X509_verify(parsed(pem).get(), X509_get0_pubkey(authority.get())) == 1;
}

std::string ClientCertificate::notValid(ServerTime now) const
{
	const auto certificate = parsed(pem);
	const auto at = secondsOf(now);
	const auto from = timeOf(X509_get0_notBefore(certificate.get()));
	const auto to = timeOf(X509_get0_notAfter(certificate.get()));
	if (from <= at && at <= to) {
		return "";
	}
	return "failed to verify client's certificate: x509: certificate has expired or is not yet valid: current time " +
		   textOf(at) + (at > to ? " is after " + textOf(to) : " is before " + textOf(from));
}

std::string ClientCertificate::commonName() const
{
	char name[256] = "";
	const auto certificate = parsed(pem);
	X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
	return name;
}

std::string ClientCertificate::serialNumber() const
{
	const auto certificate = parsed(pem);
	return std::to_string(ASN1_INTEGER_get(X509_get0_serialNumber(certificate.get())));
}

} // namespace issuer::test
