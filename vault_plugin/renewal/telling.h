#pragma once

#include "base/time.h"

#include <optional>
#include <string>

/// The words for people: what is, until when, and what to do. Never a secret.
namespace issuer::vault::renewal::telling {

/// "2026-12-24T10:00:00Z".
[[nodiscard]] std::string date(WallTime time);

/// The two largest units: "3 d 4 h", "3 h 12 min", "45 s"; below ten seconds "2.5 s"; nothing or less is "0 s".
[[nodiscard]] std::string lifeInWords(Duration length);

/// "2026-12-24T10:00:00Z (3 h 12 min)"; "an hour not known" without a time.
[[nodiscard]] std::string until(std::optional<WallTime> end, WallTime now);

/// What every text about a token that will die ends with.
inline constexpr const char* replaceIt = "; replace the token before then";

} // namespace issuer::vault::renewal::telling
