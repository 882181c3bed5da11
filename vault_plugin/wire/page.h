#pragma once

#include <string>
#include <string_view>

namespace issuer::vault::wire {

/// Returns the words of a page for the operator: the title of an HTML page, or else its text without the markup.
[[nodiscard]] std::string wordsOfPage(std::string_view page);

} // namespace issuer::vault::wire
