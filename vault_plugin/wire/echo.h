#pragma once

#include "base/wiped.h"

#include <string_view>

namespace issuer::vault::wire {

/// Replaces by "…" each part of `text` that spells `token`, in JSON perhaps with escapes, and a beginning of it at the
/// end of `text`, where the text may have been cut. `token` is the one that the request carried: a proxy's page may
/// quote it. To be called before anything is copied from `text`, as copies are not wiped.
void hideToken(WipedString& text, std::string_view token);

} // namespace issuer::vault::wire
