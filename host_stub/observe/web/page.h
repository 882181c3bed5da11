#pragma once

#include <string_view>

namespace issuer::observe::web {

/// The content of page.html at build time.
extern const std::string_view page;

} // namespace issuer::observe::web
