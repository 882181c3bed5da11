#pragma once

#include "config/reader.h"
#include "login_config.h"
#include "transport/settings.h"

#include <memory>

namespace issuer::vault {

/// Reads the key `auth`. `tls`: as configured; a login by certificate presents its client certificate.
/// `vaultNamespace`: the issuer's.
[[nodiscard]] std::unique_ptr<LoginConfig> authAt(
	const config::ObjectReader& root, const transport::TlsIdentity& tls, const std::string& vaultNamespace);

/// Reads the keys `wrapped` and `wrapped_path` of `token`. Null: the token is not wrapped.
[[nodiscard]] std::unique_ptr<LoginConfig> wrappedTokenAt(
	const config::ObjectReader& token, const std::string& vaultNamespace);

/// Reads a namespace, which goes into a header.
[[nodiscard]] std::string namespaceAt(const config::ObjectReader& object, const std::string& otherwise);

} // namespace issuer::vault
