#pragma once

#include "base/result.h"
#include "transport/openssl_ptr.h"
#include "transport/reading.h"

#include <functional>
#include <string>
#include <string_view>

/// PEM files, by OpenSSL's codes. Nothing here asks a terminal for a passphrase.
namespace issuer::vault::transport {

/// One block: "-----BEGIN <label>-----" and its content in DER.
struct PemBlock
{
	std::string_view label;
	std::string_view der;
};

/// Calls `visit` for each block of `text`. Returns false if a block is damaged or `visit` has returned false; the rest
/// is not visited. The caller holds a pass to use OpenSSL.
[[nodiscard]] bool forEachPemBlock(
	Reading& reading, std::string_view text, const std::function<bool(const PemBlock&)>& visit);

/// Returns the first private key of `text`, unencrypted. Null: there is none that can be used; the reason is in
/// OpenSSL's queue. Leaves no copy of the key in freed memory. The caller holds a pass to use OpenSSL.
///
/// Rationale: PEM_read_bio_PrivateKey() of OpenSSL 3.0 sets up a decoder for every kind of key there is, 0.3 ms each
/// time; with the kind named it takes a quarter of that.
[[nodiscard]] KeyPtr readPrivateKey(std::string_view text);

} // namespace issuer::vault::transport
