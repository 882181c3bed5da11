#pragma once

#include "base/time.h"

#include <optional>
#include <string>

/// Formats for operators: states, ends and next steps. Never a secret.
namespace issuer::vault::renewal::format {

/// Returns "2026-12-24T10:00:00Z".
[[nodiscard]] std::string date(WallTime time);

/// Returns the two largest units: "3 d 4 h", "3 h 12 min", "45 s"; below ten seconds "2.5 s"; "0 s" for zero or less.
[[nodiscard]] std::string lifeInWords(Duration length);

/// Returns "2026-12-24T10:00:00Z (3 h 12 min)"; "an unknown time" without a time.
[[nodiscard]] std::string until(std::optional<WallTime> end, WallTime now);

/// The end of every text about a token that will die.
inline constexpr const char* replaceIt = "; replace the token before then";

} // namespace issuer::vault::renewal::format
