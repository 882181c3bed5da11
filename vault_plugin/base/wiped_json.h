#pragma once

#include "base/wiped.h"

#include <string_view>

namespace issuer::vault {

/// Appends `text` as a JSON string, without a copy elsewhere if `json` has room for 6 bytes of each of its bytes, and 2
/// more. Bytes that are no UTF-8 stay as they are: the server judges them.
void appendJsonString(WipedString& json, std::string_view text);

} // namespace issuer::vault
