#pragma once

#include "base/wiped.h"

#include <string_view>

namespace issuer::vault::wire {

/// Replaces each place of `text` that spells `token`, in JSON perhaps with escapes, by "…", and a beginning of it at
/// the end of `text`, which may have been cut there. The token is what the request carried: a proxy's page may quote
/// it. Before anything is copied from `text`, as copies are not wiped.
void hideToken(WipedString& text, std::string_view token);

} // namespace issuer::vault::wire
