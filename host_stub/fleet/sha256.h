#pragma once

#include <cstdint>
#include <string_view>

namespace issuer::fleet {

/// Returns the first 8 bytes of a text's SHA-256, as a big-endian number.
[[nodiscard]] std::uint64_t sha256Head(std::string_view text);

} // namespace issuer::fleet
