#pragma once

#include <string>
#include <string_view>

namespace issuer {

/// Returns whether `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool isUtf8(std::string_view text);

/// Returns whether every character of `text` can be seen and told from others: none is a control or format character,
/// without width, or a space other than the common one.
[[nodiscard]] bool isVisible(std::string_view text);

/// Returns `text` as one line that is safe to show: control characters become spaces, bytes that are not UTF-8 become
/// U+FFFD. Texts of plugins quote servers, and a server must not be able to forge lines or drive the terminal.
[[nodiscard]] std::string sanitize(std::string_view text);

/// Returns `text` as a JSON string, quotes included; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string jsonString(std::string_view text);

} // namespace issuer
