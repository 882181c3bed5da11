#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace issuer::vault {

/// Returns a text from outside as it may stand in a line of a log or a terminal: UTF-8 in one line, so that no server
/// can forge lines, drive a terminal or flood either. Control characters, invisible characters and runs of blanks
/// become one blank, bytes that are not UTF-8 become U+FFFD, and a text longer than `most` bytes ends in "…".
[[nodiscard]] std::string sanitize(std::string_view text, std::size_t most = 240);

} // namespace issuer::vault
