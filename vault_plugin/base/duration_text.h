#pragma once

#include "base/result.h"
#include "base/time.h"

#include <string>
#include <string_view>

namespace issuer::vault {

/// Reads a length of time as Vault writes it: "1h30m", "90s", "1.5s", "500ms", "1d", or a bare number of seconds.
/// Units: d h m s ms us (also µs), each with its number, in any order. Rounded to microseconds.
/// Never negative, at most 100 years. The error does not quote `text`, which may be a token in the wrong place.
/// Source: parseutil.ParseDurationSecond of Vault, which is Go's time.ParseDuration and days.
[[nodiscard]] Result<Duration> parseDuration(std::string_view text);

/// Returns a text that parseDuration() reads back as `duration`: "1h30m", "1s500ms", "0s" for zero or less.
[[nodiscard]] std::string durationText(Duration duration);

} // namespace issuer::vault
