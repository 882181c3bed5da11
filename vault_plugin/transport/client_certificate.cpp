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

/// Adds the next certificate of a file: the first is our own, the others lead from it to its authority.
bool add(ClientCertificate& client, const PemBlock& block)
{
	const bool isTrusted = block.label == PEM_STRING_X509_TRUSTED;
	if (!isTrusted && block.label != PEM_STRING_X509 && block.label != PEM_STRING_X509_OLD) {
		return true;
	}
	const auto* data = reinterpret_cast<const unsigned char*>(block.der.data());
	const auto size = static_cast<long>(block.der.size());
	X509Ptr read(isTrusted ? d2i_X509_AUX(nullptr, &data, size) : d2i_X509(nullptr, &data, size));
	if (!read || !client.certificate) {
		client.certificate = std::move(read);
		return client.certificate != nullptr;
	}
	if (!client.chain) {
		client.chain.reset(sk_X509_new_null());
	}
	if (!client.chain || sk_X509_push(client.chain.get(), read.get()) == 0) {
		return false;
	}
	static_cast<void>(read.release());
	return true;
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

Result<std::shared_ptr<const ClientCertificate>> ClientCertificateSource::read(Reading& reading) const
{
	auto client = std::make_shared<ClientCertificate>();
	client->path = _certificate;
	reading.at(name());
	const auto chain = readFile(certificateIs, _certificate);
	if (!chain) {
		return tl::unexpected(chain.error());
	}
	if (!forEachPemBlock(reading, *chain, [&](const PemBlock& block) { return add(*client, block); }) ||
		!client->certificate) {
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
	client->key = readPrivateKey(*key);
	if (!client->key || X509_check_private_key(client->certificate.get(), client->key.get()) != 1) {
		return failure(keyName + " cannot be used with " + name() + " (" + takeOpensslReason() +
					   "); it must be the matching unencrypted PEM key");
	}
	client->end = endOf(*client->certificate);
	client->endText = dateText(*X509_get0_notAfter(client->certificate.get()));
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
