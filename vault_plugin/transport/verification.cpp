#include "transport/verification.h"

#include <arpa/inet.h>
#include <cstdio>
#include <ctime>
#include <openssl/x509v3.h>

namespace issuer::vault::transport {
namespace {

// A plain pointer: a thread_local with a destructor would keep the library mapped for as long as a host thread lives.
thread_local std::string* complaintOfThisThread = nullptr;

/// Printable, and no longer than a log line bears: the text is the peer's.
std::string readable(const unsigned char* data, int size)
{
	constexpr int longest = 80;
	std::string text;
	for (int i = 0; i < size && i < longest; ++i) {
		text += data[i] > ' ' && data[i] < 0x7f ? static_cast<char>(data[i]) : '?';
	}
	return text;
}

std::string addressText(const unsigned char* data, int size)
{
	char text[INET6_ADDRSTRLEN] = "?";
	::inet_ntop(size == 4 ? AF_INET : AF_INET6, data, text, sizeof(text));
	return text;
}

std::string namesOf(const X509& certificate)
{
	constexpr int mostNames = 3;
	auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
	if (names == nullptr) {
		return "no name at all";
	}
	std::string text;
	const int count = sk_GENERAL_NAME_num(names);
	for (int i = 0; i < count && i < mostNames; ++i) {
		const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
		text += text.empty() ? "" : ", ";
		if (name->type == GEN_DNS) {
			text += readable(ASN1_STRING_get0_data(name->d.dNSName), ASN1_STRING_length(name->d.dNSName));
		}
		else if (name->type == GEN_IPADD &&
				 (ASN1_STRING_length(name->d.iPAddress) == 4 || ASN1_STRING_length(name->d.iPAddress) == 16)) {
			text += addressText(ASN1_STRING_get0_data(name->d.iPAddress), ASN1_STRING_length(name->d.iPAddress));
		}
		else {
			text += "something else";
		}
	}
	GENERAL_NAMES_free(names);
	return text + (count > mostNames ? ", …" : "");
}

std::string expectedName(X509_STORE_CTX* store)
{
	X509_VERIFY_PARAM* wanted = X509_STORE_CTX_get0_param(store);
	if (const char* host = X509_VERIFY_PARAM_get0_host(wanted, 0)) {
		return host;
	}
	char* address = X509_VERIFY_PARAM_get1_ip_asc(wanted);
	std::string text = address != nullptr ? address : "the name asked for";
	OPENSSL_free(address);
	return text;
}

std::string describe(X509_STORE_CTX* store)
{
	const int error = X509_STORE_CTX_get_error(store);
	const X509* certificate = X509_STORE_CTX_get_current_cert(store);
	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return "certificate is for " + (certificate != nullptr ? namesOf(*certificate) : "another name") + ", not " +
			   expectedName(store);
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "certificate expired" +
			   (certificate != nullptr ? " on " + dateText(*X509_get0_notAfter(certificate)) : std::string());
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "certificate is not valid before " +
			   (certificate != nullptr ? dateText(*X509_get0_notBefore(certificate)) : "a later date") +
			   "; is the clock of this machine right?";
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return "certificate is self-signed and not among the trusted ones";
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE: // an authority of the same name with another key
		return "certificate is signed by an authority that is not trusted here";
	default:
		return std::string("certificate refused: ") + X509_verify_cert_error_string(error);
	}
}

} // namespace

VerificationComplaint::Hearing::Hearing(VerificationComplaint& complaint) noexcept
{
	complaintOfThisThread = &complaint._text;
}

VerificationComplaint::Hearing::~Hearing()
{
	complaintOfThisThread = nullptr;
}

int VerificationComplaint::onVerified(int ok, X509_STORE_CTX* store) noexcept
{
	if (ok != 1 && complaintOfThisThread != nullptr && complaintOfThisThread->empty()) {
		try {
			*complaintOfThisThread = describe(store);
		}
		catch (...) { // out of memory inside OpenSSL's C frames: the refusal stands, its text is lost
		}
	}
	return ok;
}

void verifyName(SSL_CTX& context, const std::string& name)
{
	X509_VERIFY_PARAM* wanted = SSL_CTX_get0_param(&context);
	if (isNumericAddress(name)) {
		X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str());
	}
	else {
		X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		X509_VERIFY_PARAM_set1_host(wanted, name.c_str(), name.size());
	}
	SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, &VerificationComplaint::onVerified);
}

std::string dateText(const ASN1_TIME& time)
{
	std::tm parts{};
	if (ASN1_TIME_to_tm(&time, &parts) != 1) {
		return "an unreadable date";
	}
	char text[32];
	std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &parts);
	return text;
}

bool isNumericAddress(const std::string& host)
{
	in6_addr address{};
	return ::inet_pton(AF_INET, host.c_str(), &address) == 1 || ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

} // namespace issuer::vault::transport
