#pragma once

#include "base/time.h"

#include <optional>
#include <string>

namespace issuer::vault::wire {

constexpr double latestTime = 7e9; ///< in seconds, the year 2191: clocks that count nanoseconds end in 2262

/// Returns this many seconds, clamped to 0 and 100 years.
[[nodiscard]] Duration secondsOf(double seconds);

/// Reads an RFC 3339 time such as "2026-11-24T00:03:33.740640808Z". Returns nothing for any other text, and for Go's
/// zero time, the year 1, which means never.
[[nodiscard]] std::optional<WallTime> timeOf(const std::string& text);

} // namespace issuer::vault::wire
