#pragma once

#include "credential/secret.h"

#include <string>
#include <string_view>

namespace issuer::vault::credential {

/// Returns a text that tells two tokens apart without naming either: a salted SHA-256, from which a random token of 95
/// bits and more cannot be computed. The text differs each time; it is empty for no token.
[[nodiscard]] std::string markOf(const Secret& token);

/// Returns whether `text` is a mark made of this token.
[[nodiscard]] bool bearsMark(const Secret& token, std::string_view text);

} // namespace issuer::vault::credential
