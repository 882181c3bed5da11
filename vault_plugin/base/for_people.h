#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace issuer::vault {

/// A text from outside as part of a line for people. It may be anything; what comes out is UTF-8 in one line, so that
/// no server can forge lines of a log, drive a terminal or flood either: controls, invisible characters and runs of
/// blanks become one blank, bytes that are not UTF-8 become U+FFFD, and what is longer than `most` bytes ends in "…".
[[nodiscard]] std::string forPeople(std::string_view text, std::size_t most = 240);

} // namespace issuer::vault
