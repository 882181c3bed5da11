#include "fleet/etcd/base64.h"

#include "transport/base64.h"

#include <cstddef>
#include <openssl/evp.h>

namespace issuer::fleet::etcd {

namespace {

const unsigned char* bytesOf(std::string_view text)
{
	return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytesOf(std::string& text)
{
	return reinterpret_cast<unsigned char*>(text.data());
}

} // namespace

std::string base64(std::string_view bytes)
{
	std::string text;
	vault::transport::appendBase64(text, bytes);
	return text;
}

std::optional<std::string> fromBase64(std::string_view text)
{
	if (text.size() % 4 != 0) {
		return std::nullopt;
	}
	std::string bytes(text.size() / 4 * 3, '\0');
	const int size = EVP_DecodeBlock(bytesOf(bytes), bytesOf(text), static_cast<int>(text.size()));
	if (size != static_cast<int>(bytes.size())) { // OpenSSL skips blanks around the text, which etcd does not send
		return std::nullopt;
	}
	// OpenSSL counts the bytes that padding stands for.
	if (text.ends_with('=')) {
		bytes.resize(bytes.size() - (text.ends_with("==") ? 2 : 1));
	}
	return bytes;
}

} // namespace issuer::fleet::etcd
