#pragma once

#include <cstddef>
#include <openssl/evp.h>
#include <string_view>

namespace issuer::vault::transport {

/// Appends `bytes` in base64 (RFC 4648) to a string of any allocator; without a copy elsewhere if `to` has room for 4
/// bytes of each 3 that have begun, and 1 more.
template <class Text>
void appendBase64(Text& to, std::string_view bytes)
{
	const std::size_t before = to.size();
	to.resize(before + (bytes.size() + 2) / 3 * 4 + 1); // OpenSSL adds a zero byte
	EVP_EncodeBlock(reinterpret_cast<unsigned char*>(to.data() + before),
		reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
	to.pop_back();
}

} // namespace issuer::vault::transport
