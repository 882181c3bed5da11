#pragma once

#include "common/result.h"

#include <chrono>
#include <string>
#include <string_view>

namespace issuer {

/// Decodes a duration as Vault writes it: «90s», «1h30m», «1.5s», «250ms», or digits alone for seconds.
[[nodiscard]] Result<std::chrono::milliseconds> parseDuration(std::string_view text);

/// Returns a duration in words, its two largest units, cut, never rounded up: «13 d 4 h», «2 min 5 s», below ten
/// seconds with tenths, «0.8 s». A remaining life must not look longer than it is.
[[nodiscard]] std::string inWords(std::chrono::milliseconds duration);

} // namespace issuer
