#include "transport/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace issuer::vault::transport {
namespace {

/// One block as PEM_read_bio() returns it.
struct Block
{
	char* label = nullptr;
	char* header = nullptr;
	unsigned char* data = nullptr;
	long size = 0;

	Block() = default;
	~Block()
	{
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, static_cast<std::size_t>(size)); // a key may stand between certificates
	}
	Block(const Block&) = delete;
	Block& operator=(const Block&) = delete;
};

bool isAtEnd()
{
	const auto error = ERR_peek_last_error();
	return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/// Refuses to ask for a passphrase: an encrypted key is an error.
int noPassphrase(char*, int, int, void*)
{
	return -1;
}

/// Returns the kind of key in an unencrypted PKCS #8 structure; EVP_PKEY_NONE: it is not one.
int kindOf(const unsigned char* der, long size)
{
	PKCS8_PRIV_KEY_INFO* info = d2i_PKCS8_PRIV_KEY_INFO(nullptr, &der, size);
	const ASN1_OBJECT* algorithm = nullptr;
	const bool known = info != nullptr && PKCS8_pkey_get0(&algorithm, nullptr, nullptr, nullptr, info) == 1;
	const int kind = known ? OBJ_obj2nid(algorithm) : EVP_PKEY_NONE;
	PKCS8_PRIV_KEY_INFO_free(info);
	return kind;
}

int kindOf(std::string_view label, const unsigned char* der, long size)
{
	if (label == PEM_STRING_PKCS8INF) {
		return kindOf(der, size);
	}
	return label == PEM_STRING_ECPRIVATEKEY ? EVP_PKEY_EC : label == PEM_STRING_RSA ? EVP_PKEY_RSA : EVP_PKEY_NONE;
}

} // namespace

bool forEachPemBlock(Reading& reading, std::string_view text, const std::function<bool(const PemBlock&)>& visit)
{
	KeptBetweenPasses<BioPtr> bio(reading);
	{
		const auto pass = reading.openssl();
		ERR_clear_error();
		(*bio).reset(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
	}
	for (;;) {
		const auto pass = reading.openssl();
		Block block;
		if (PEM_read_bio((*bio).get(), &block.label, &block.header, &block.data, &block.size) != 1) {
			const bool atEnd = isAtEnd();
			ERR_clear_error();
			return atEnd;
		}
		const auto* der = reinterpret_cast<const char*>(block.data);
		const bool good = visit({block.label, {der, static_cast<std::size_t>(block.size)}});
		ERR_clear_error();
		if (!good) {
			return false;
		}
	}
}

KeyPtr readPrivateKey(std::string_view text)
{
	const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
	char* label = nullptr;
	unsigned char* der = nullptr;
	long size = 0;
	if (PEM_bytes_read_bio_secmem(&der, &size, &label, PEM_STRING_EVP_PKEY, bio.get(), &noPassphrase, nullptr) != 1) {
		return nullptr;
	}
	const unsigned char* begin = der;
	KeyPtr key;
	if (const int kind = kindOf(label, der, size); kind != EVP_PKEY_NONE) {
		key.reset(d2i_PrivateKey(kind, nullptr, &begin, size));
	}
	if (!key && std::string_view(label) != PEM_STRING_PKCS8) { // that label marks an encrypted key
		begin = der;
		key.reset(d2i_AutoPrivateKey(nullptr, &begin, size));
	}
	OPENSSL_secure_free(label);
	OPENSSL_secure_clear_free(der, static_cast<std::size_t>(size));
	return key;
}

} // namespace issuer::vault::transport
