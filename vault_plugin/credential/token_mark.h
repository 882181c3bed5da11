#pragma once

#include "credential/secret.h"

#include <string>
#include <string_view>

namespace issuer::vault::credential {

/// Tells two tokens apart without naming either: a salted SHA-256, of which nobody computes a random token of 95 bits
/// and more. Another text each time; empty for no token.
[[nodiscard]] std::string markOf(const Secret& token);

/// Whether `text` is a mark made of this token.
[[nodiscard]] bool bearsMark(const Secret& token, std::string_view text);

} // namespace issuer::vault::credential
