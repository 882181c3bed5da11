#pragma once

#include "base/result.h"
#include "base/wiped.h"

#include <string_view>

namespace issuer::vault::config {

/// Returns the characters that `written`, the inside of a JSON string, stands for, in memory that is wiped. Only for
/// text that is ASCII once unescaped, as tokens are. The error continues a sentence after the name of the place,
/// without a quote.
[[nodiscard]] Result<WipedString> unescapedSecret(std::string_view written);

} // namespace issuer::vault::config
