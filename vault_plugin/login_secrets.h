#pragma once

#include "base/result.h"
#include "base/wiped.h"
#include "credential/material.h"
#include "credential/secret.h"

#include <cstdint>
#include <string_view>

namespace issuer::vault {

/// The secrets that one instance lends to its successor, as that cannot read them again anywhere.
struct LoginSecrets
{
	credential::MarkKey key{};    ///< of the marks in the hand-over
	std::uint64_t fits = 0;       ///< mark of the configuration that the secrets belong to
	credential::Secret token;     ///< in use; may be empty
	credential::Secret unwrapped; ///< the secret that a wrapping token was exchanged for, or whose file was removed
};

/// Returns them as bytes, in memory that is wiped.
[[nodiscard]] WipedString toBytes(const LoginSecrets& secrets);

/// Reads such bytes. The error says why they cannot be used: damaged, or of a version that is not known.
[[nodiscard]] Result<LoginSecrets> loginSecretsFrom(std::string_view bytes);

} // namespace issuer::vault
