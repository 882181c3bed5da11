#include "transport/verification.h"

#include "base/sanitize.h"
#include "transport/openssl_ptr.h"

#include <arpa/inet.h>
#include <ctime>
#include <openssl/x509v3.h>

namespace issuer::vault::transport {
namespace {

std::string textOf(const unsigned char* data, int size)
{
	constexpr std::size_t longest = 80;
	return sanitize({reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)}, longest);
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
			text += textOf(ASN1_STRING_get0_data(name->d.dNSName), ASN1_STRING_length(name->d.dNSName));
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

/// Returns the common name, or all of the name if it has none: «Example Root CA».
std::string quoted(const X509_NAME* name)
{
	const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	if (index >= 0) {
		unsigned char* utf8 = nullptr;
		const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
		if (size >= 0) {
			auto text = textOf(utf8, size);
			OPENSSL_free(utf8);
			return "«" + text + "»";
		}
	}
	const BioPtr all(BIO_new(BIO_s_mem()));
	unsigned char* data = nullptr;
	if (!all || X509_NAME_print_ex(all.get(), name, 0, XN_FLAG_RFC2253) < 0) {
		return "«?»";
	}
	const auto size = BIO_get_mem_data(all.get(), &data);
	return "«" + textOf(data, static_cast<int>(size)) + "»";
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

/// Returns whether the trusted certificates include one of this name.
bool holds(X509_STORE_CTX* store, const X509_NAME* name)
{
	const ChainPtr found(X509_STORE_CTX_get1_certs(store, name));
	return found && sk_X509_num(found.get()) > 0;
}

std::string signedByNobodyTrusted(
	X509_STORE_CTX* store, const X509& last, const std::string& whose, const std::string& source)
{
	const X509_NAME* issuer = X509_get_issuer_name(&last);
	if (holds(store, issuer)) {
		return whose + " is signed by " + quoted(issuer) + ", but not with the key that this authority has in " +
			   source + "; was the authority replaced?";
	}
	return whose + " is signed by " + quoted(issuer) + ", which neither the server sends nor " + source + " holds";
}

std::string describe(X509_STORE_CTX* store, const std::string& source)
{
	const int error = X509_STORE_CTX_get_error(store);
	const X509* certificate = X509_STORE_CTX_get_current_cert(store);
	if (certificate == nullptr) {
		return std::string("certificate refused: ") + X509_verify_cert_error_string(error);
	}
	const bool isServers = X509_STORE_CTX_get_error_depth(store) == 0;
	const auto whose = isServers ? std::string("certificate")
								 : "certificate of the authority " + quoted(X509_get_subject_name(certificate));
	const auto whoRenews =
		isServers ? "; it has to be renewed on the server" : "; the server needs one of a valid authority";
	const auto issuer = quoted(X509_get_issuer_name(certificate));
	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return "certificate is for " + namesOf(*certificate) + ", not " + expectedName(store) +
			   "; is the address right? tls.server_name names a server that is called otherwise";
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return whose + " expired on " + dateText(*X509_get0_notAfter(certificate)) + whoRenews;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return whose + " is not valid before " + dateText(*X509_get0_notBefore(certificate)) +
			   "; is the clock of this machine right?";
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return "certificate is self-signed and not among the trusted ones; put it into tls.ca_file if it is the right "
			   "one";
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return "certificate is signed by an authority that is not trusted: " +
			   quoted(X509_get_subject_name(certificate)) + ", which " + source + " does not hold";
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE: // an authority of the same name with another key
		return signedByNobodyTrusted(store, *certificate, whose, source);
	case X509_V_ERR_CERT_REVOKED:
		return whose + " was revoked by " + issuer + ", says the CRL in " + source + whoRenews;
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
		return "the CRL of " + issuer + " in " + source + " is not valid today; put a current one there, or none";
	case X509_V_ERR_INVALID_PURPOSE:
		return whose + " is not made for servers (extended key usage)" + whoRenews;
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
	case X509_V_ERR_CA_MD_TOO_WEAK:
		return whose + " has a key or signature that is too weak for this machine's OpenSSL" + whoRenews;
	default:
		return whose + " refused: " + X509_verify_cert_error_string(error);
	}
}

} // namespace

bool PeerVerification::demand(SSL& ssl, const std::string& name)
{
	SSL_set_app_data(&ssl, this);
	SSL_set_verify(&ssl, SSL_VERIFY_PEER, &PeerVerification::onVerified);
	if (isNumericAddress(name)) {
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(&ssl), name.c_str()) == 1;
	}
	SSL_set_hostflags(&ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return !name.empty() && SSL_set1_host(&ssl, name.c_str()) == 1; // an empty name would demand nothing
}

std::string PeerVerification::complaint(const SSL& ssl) const
{
	return !_complaint.empty()
			   ? _complaint
			   : std::string("certificate refused: ") + X509_verify_cert_error_string(SSL_get_verify_result(&ssl));
}

int PeerVerification::onVerified(int ok, X509_STORE_CTX* store) noexcept
{
	if (ok == 1) {
		return ok;
	}
	if (X509_STORE_CTX_get_error(store) == X509_V_ERR_UNABLE_TO_GET_CRL) {
		// An authority that no trusted CRL belongs to revokes nothing.
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
	auto& self = *static_cast<PeerVerification*>(SSL_get_app_data(ssl));
	try {
		if (self._complaint.empty()) {
			self._complaint = describe(store, self._source);
		}
	}
	catch (...) { // out of memory inside OpenSSL's C frames: the refusal stands, its text is lost
	}
	return ok;
}

std::string nameInCertificates(const std::string& host)
{
	auto name = host.substr(0, host.find('%'));
	if (name.size() > 1 && name.back() == '.') {
		name.pop_back();
	}
	return name;
}

bool isNumericAddress(const std::string& host)
{
	in6_addr address{};
	return ::inet_pton(AF_INET, host.c_str(), &address) == 1 || ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
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

} // namespace issuer::vault::transport
