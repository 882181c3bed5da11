#pragma once

#include "base/result.h"
#include "base/wiped.h"

#include <string_view>

namespace issuer::vault::config {

/// The characters that `written`, the inside of a JSON string, stands for, in memory that is wiped. Only for what is
/// ASCII once it is unescaped, as tokens are. The error's text goes on after the name of the place, without a quote.
[[nodiscard]] Result<WipedString> unescapedSecret(std::string_view written);

} // namespace issuer::vault::config
