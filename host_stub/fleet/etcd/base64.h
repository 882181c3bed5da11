#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace issuer::fleet::etcd {

/// Returns `bytes` in base64, as etcd's gateway has keys and values.
[[nodiscard]] std::string base64(std::string_view bytes);

/// Returns the bytes of a base64 text; none: it is not base64.
[[nodiscard]] std::optional<std::string> fromBase64(std::string_view text);

} // namespace issuer::fleet::etcd
