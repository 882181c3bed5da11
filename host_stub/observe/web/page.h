#pragma once

#include <string_view>

namespace issuer::observe::web {

/// page.html, as it was when this was built.
extern const std::string_view page;

} // namespace issuer::observe::web
