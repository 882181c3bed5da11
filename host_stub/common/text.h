#pragma once

#include <string>
#include <string_view>

namespace issuer {

/// Whether `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool isUtf8(std::string_view text);

/// `text` as one line that is safe to show: control characters become spaces, bytes that are not UTF-8 become U+FFFD.
/// Texts of plugins quote servers, and a server must not be able to forge lines or drive the terminal.
[[nodiscard]] std::string printable(std::string_view text);

/// `text` as a JSON string, quotes included; what is not UTF-8 becomes U+FFFD.
[[nodiscard]] std::string jsonString(std::string_view text);

} // namespace issuer
