#pragma once

#include "config/reader.h"
#include "credential/origin.h"

namespace issuer::vault {

/// Reads where a secret is found: exactly one of the keys file, env and value of `object`, which stands at `path` of
/// the configuration.
[[nodiscard]] credential::Origin originAt(
	const config::ObjectReader& object, const std::string& path, credential::TextKind kind);

} // namespace issuer::vault
