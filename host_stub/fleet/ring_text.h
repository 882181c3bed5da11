#pragma once

#include "common/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace issuer::fleet {

/// Returns the members last seen as a text to store: one name a line, after a line with the version.
[[nodiscard]] std::string ringText(const std::vector<std::string>& members);

/// Reads a text of ringText(). The error says what is wrong with it.
[[nodiscard]] Result<std::vector<std::string>> ringFrom(std::string_view text);

} // namespace issuer::fleet
