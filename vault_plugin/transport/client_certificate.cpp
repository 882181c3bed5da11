#include "transport/client_certificate.h"

#include "transport/pem.h"
#include "transport/tls_error.h"
#include "transport/verification.h"

#include <ctime>
#include <filesystem>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace issuer::vault::transport {
namespace {

constexpr auto warnBeforeEnd = std::chrono::hours(24 * 30);
constexpr auto certificateIs = "client certificate";
constexpr auto keyIs = "client key";

std::chrono::system_clock::time_point endOf(const X509& certificate)
{
	std::tm parts{};
	if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts) != 1) {
		return std::chrono::system_clock::time_point::max();
	}
	return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

/// Decodes a certificate. Returns null if it is damaged.
X509Ptr decoded(const PemBlock& block)
{
	const auto* data = reinterpret_cast<const unsigned char*>(block.der.data());
	const auto size = static_cast<long>(block.der.size());
	const bool isTrusted = block.label == PEM_STRING_X509_TRUSTED; // followed by OpenSSL's own trust settings
	return X509Ptr(isTrusted ? d2i_X509_AUX(nullptr, &data, size) : d2i_X509(nullptr, &data, size));
}

std::string encoded(const X509& certificate)
{
	unsigned char* der = nullptr;
	const int size = i2d_X509(&certificate, &der);
	std::string bytes(reinterpret_cast<const char*>(der), size > 0 ? static_cast<std::size_t>(size) : 0);
	OPENSSL_free(der);
	return bytes;
}

bool isCertificate(std::string_view label)
{
	return label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD || label == PEM_STRING_X509_TRUSTED;
}

/// Stores the key in DER. Returns false if OpenSSL cannot write it.
bool keep(ClientCertificate& client, const EVP_PKEY& key)
{
	unsigned char* der = nullptr;
	const int size = i2d_PrivateKey(&key, &der);
	if (size > 0) {
		client.key.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
		client.keyKind = EVP_PKEY_get_base_id(&key);
	}
	OPENSSL_clear_free(der, size > 0 ? static_cast<std::size_t>(size) : 0);
	return size > 0;
}

} // namespace

std::string ClientCertificateSource::key() const
{
	return std::filesystem::path(_certificate).parent_path().string();
}

std::vector<FileStamp> ClientCertificateSource::stamps(Reading& reading) const
{
	reading.at(name());
	const auto certificate = FileStamp::of(_certificate);
	reading.at(std::string(keyIs) + " " + _key);
	return {certificate, FileStamp::of(_key)};
}

FileResult<std::shared_ptr<const ClientCertificate>> ClientCertificateSource::read(Reading& reading) const
{
	auto client = std::make_shared<ClientCertificate>();
	client->path = _certificate;
	reading.at(name());
	const auto chain = readFile(certificateIs, _certificate);
	if (!chain) {
		return tl::unexpected(chain.error());
	}
	KeptBetweenPasses<X509Ptr> own(reading);
	const bool isGood = forEachPemBlock(reading, *chain, [&](const PemBlock& block) {
		if (!isCertificate(block.label)) {
			return true;
		}
		X509Ptr certificate = decoded(block);
		if (!certificate) {
			return false;
		}
		client->chain.push_back(encoded(*certificate));
		if (!*own) {
			*own = std::move(certificate);
		}
		return true;
	});
	if (!isGood || !*own) {
		return failure(name() + " is no usable PEM certificate: it is damaged, or half written");
	}
	const std::string keyName = std::string(keyIs) + " " + _key;
	reading.at(keyName);
	const auto key = readFile(keyIs, _key);
	if (!key) {
		return tl::unexpected(key.error());
	}
	const auto pass = reading.openssl();
	ERR_clear_error();
	const auto decodedKey = readPrivateKey(*key);
	if (!decodedKey || X509_check_private_key((*own).get(), decodedKey.get()) != 1 || !keep(*client, *decodedKey)) {
		return failure(keyName + " cannot be used with " + name() + " (" + takeOpensslReason() +
					   "); it must be the matching unencrypted PEM key");
	}
	client->end = endOf(**own);
	client->endText = dateText(*X509_get0_notAfter((*own).get()));
	return client;
}

void ClientCertificateSource::advise(const ClientCertificate& certificate, std::vector<std::string>& lines) const
{
	const auto left = certificate.end - std::chrono::system_clock::now();
	if (left < warnBeforeEnd) {
		lines.push_back(name() + (left.count() < 0 ? " ended " : " ends ") + certificate.endText +
						"; replace the file, it is read again without a restart");
	}
}

} // namespace issuer::vault::transport
