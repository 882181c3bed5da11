#pragma once

#include <string>
#include <string_view>

namespace issuer::vault::wire {

/// What a page says to people: the title of one in HTML, or else its text without the markup.
[[nodiscard]] std::string wordsOfPage(std::string_view page);

} // namespace issuer::vault::wire
