#include "test_pki.h"

#include <cstdio>
#include <stdexcept>
#include <string_view>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace issuer::test {
namespace {

template <auto free>
struct Free
{
	template <class T>
	void operator()(T* object) const
	{
		free(object);
	}
};

using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using RevocationList = std::unique_ptr<X509_CRL, Free<X509_CRL_free>>;
using Time = std::unique_ptr<ASN1_TIME, Free<ASN1_TIME_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using File = std::unique_ptr<std::FILE, Free<std::fclose>>;

void require(bool done, std::string_view step)
{
	if (!done) {
		throw std::runtime_error("test PKI: " + std::string(step) + " failed");
	}
}

Key makeKey()
{
	Key key(EVP_EC_gen("P-256"));
	require(key != nullptr, "making a key");
	return key;
}

Certificate makeCertificate(
	const std::string& commonName, EVP_PKEY* key, long serial, std::chrono::seconds from, std::chrono::seconds to)
{
	Certificate certificate(X509_new());
	require(certificate != nullptr, "making a certificate");
	X509* x509 = certificate.get();
	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), serial);
	X509_gmtime_adj(X509_getm_notBefore(x509), from.count());
	X509_gmtime_adj(X509_getm_notAfter(x509), to.count());
	X509_set_pubkey(x509, key);
	const auto shown = commonName.empty() ? std::string("Issuer Tests") : commonName;
	const auto* text = reinterpret_cast<const unsigned char*>(shown.data());
	const auto length = static_cast<int>(shown.size());
	require(X509_NAME_add_entry_by_NID(X509_get_subject_name(x509),
				commonName.empty() ? NID_organizationName : NID_commonName, MBSTRING_UTF8, text, length, -1, 0) == 1,
		"naming a certificate");
	return certificate;
}

void extend(X509* certificate, X509* issuer, int id, const std::string& value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
	const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
	require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "adding " + value);
}

std::string alternativeNames(const CertificateWish& wish)
{
	std::string names;
	for (const auto& name : wish.dnsNames) {
		names += (names.empty() ? "DNS:" : ",DNS:") + name;
	}
	for (const auto& address : wish.addresses) {
		names += (names.empty() ? "IP:" : ",IP:") + address;
	}
	return names;
}

File open(const std::filesystem::path& path)
{
	File file(std::fopen(path.c_str(), "w"));
	require(file != nullptr, "writing " + path.string());
	return file;
}

void writeCertificate(const std::filesystem::path& path, X509* certificate)
{
	require(PEM_write_X509(open(path).get(), certificate) == 1, "writing " + path.string());
}

void writeKey(const std::filesystem::path& path, EVP_PKEY* key)
{
	require(PEM_write_PrivateKey(open(path).get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
		"writing " + path.string());
}

} // namespace

struct TestPki::Authority
{
	Key key = makeKey();
	Certificate certificate;
};

TestPki::TestPki(std::filesystem::path directory, const std::string& commonName)
	: TestPki(std::move(directory), nullptr, commonName, std::chrono::hours(48))
{
}

TestPki::TestPki(
	const TestPki& parent, std::filesystem::path directory, const std::string& commonName, std::chrono::seconds validTo)
	: TestPki(std::move(directory), parent._authority.get(), commonName, validTo)
{
}

TestPki::TestPki(std::filesystem::path directory, const Authority* parent, const std::string& commonName,
	std::chrono::seconds validTo)
	: _directory(std::move(directory)), _caFile(_directory / "ca.pem"), _authority(std::make_unique<Authority>())
{
	EVP_PKEY* key = _authority->key.get();
	// The root is number 1 of its own certificates; a name of an intermediate gives a number that is far from those.
	const long serial =
		parent == nullptr ? _serial : 1'000'000 + static_cast<long>(std::hash<std::string>{}(commonName) % 1'000'000);
	_authority->certificate = makeCertificate(commonName, key, serial, -std::chrono::hours(2), validTo);
	X509* own = _authority->certificate.get();
	X509* issuer = parent != nullptr ? parent->certificate.get() : own;
	X509_set_issuer_name(own, X509_get_subject_name(issuer));
	extend(own, issuer, NID_basic_constraints, "critical,CA:TRUE");
	extend(own, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	extend(own, issuer, NID_subject_key_identifier, "hash");
	extend(own, issuer, NID_authority_key_identifier, "keyid");
	require(X509_sign(own, parent != nullptr ? parent->key.get() : key, EVP_sha256()) > 0, "signing the CA");
	writeCertificate(_caFile, own);
}

TestPki::~TestPki() = default;

Identity TestPki::issue(const std::string& name, const CertificateWish& wish)
{
	const Key key = makeKey();
	const Certificate certificate =
		makeCertificate(wish.commonName, key.get(), ++_serial, wish.validFrom, wish.validTo);
	X509* leaf = certificate.get();
	X509* issuer = wish.selfSigned ? leaf : _authority->certificate.get();
	X509_set_issuer_name(leaf, X509_get_subject_name(issuer));
	extend(leaf, issuer, NID_basic_constraints, "critical,CA:FALSE");
	extend(leaf, issuer, NID_key_usage, "critical,digitalSignature");
	extend(leaf, issuer, NID_subject_key_identifier, "hash");
	extend(leaf, issuer, NID_authority_key_identifier, "keyid");
	extend(leaf, issuer, NID_ext_key_usage,
		!wish.usages.empty() ? wish.usages
		: wish.forClient     ? "clientAuth"
							 : "serverAuth");
	if (const auto names = alternativeNames(wish); !names.empty()) {
		extend(leaf, issuer, NID_subject_alt_name, names);
	}
	EVP_PKEY* signer = wish.selfSigned ? key.get() : _authority->key.get();
	require(X509_sign(leaf, signer, EVP_sha256()) > 0, "signing " + name);

	Identity identity{_directory / (name + ".pem"), _directory / (name + ".key")};
	writeCertificate(identity.certificate, leaf);
	writeKey(identity.key, key.get());
	return identity;
}

std::string TestPki::crl(const std::vector<std::filesystem::path>& revoked, std::chrono::seconds validTo) const
{
	const RevocationList list(X509_CRL_new());
	require(list != nullptr, "making a CRL");
	X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(_authority->certificate.get()));
	const Time from(X509_gmtime_adj(nullptr, -std::chrono::seconds(std::chrono::hours(1)).count()));
	const Time to(X509_gmtime_adj(nullptr, validTo.count()));
	X509_CRL_set1_lastUpdate(list.get(), from.get());
	X509_CRL_set1_nextUpdate(list.get(), to.get());
	for (const auto& path : revoked) {
		const File file(std::fopen(path.c_str(), "r"));
		const Certificate certificate(PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
		require(certificate != nullptr, "reading " + path.string());
		X509_REVOKED* entry = X509_REVOKED_new();
		X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate.get()));
		X509_REVOKED_set_revocationDate(entry, from.get());
		require(X509_CRL_add0_revoked(list.get(), entry) == 1, "revoking " + path.string());
	}
	require(X509_CRL_sign(list.get(), _authority->key.get(), EVP_sha256()) > 0, "signing a CRL");
	const Bio text(BIO_new(BIO_s_mem()));
	require(PEM_write_bio_X509_CRL(text.get(), list.get()) == 1, "writing a CRL");
	char* data = nullptr;
	const auto size = BIO_get_mem_data(text.get(), &data);
	return {data, static_cast<std::size_t>(size)};
}

Identity TestPki::client(const std::string& commonName)
{
	return issue("client", {.commonName = commonName, .dnsNames = {}, .addresses = {}, .forClient = true});
}

Identity TestPki::wrongHostServer()
{
	return issue("wrong-host", {.commonName = "elsewhere.example", .dnsNames = {"elsewhere.example"}, .addresses = {}});
}

Identity TestPki::expiredServer()
{
	return issue("expired", {.validFrom = -std::chrono::hours(48), .validTo = -std::chrono::hours(24)});
}

Identity TestPki::selfSignedServer()
{
	return issue("self-signed", {.selfSigned = true});
}

} // namespace issuer::test
