#pragma once

#include "common/result.h"
#include "loader/plugin.h"

namespace issuer::loader {

/// Whether a host of this major version can drive `table`, and what it says about itself. Calls nothing of the plugin.
/// Fills everything of the description but path and sha256. The error is a reason without the path.
[[nodiscard]] Result<Description> describe(const issuer_lifecycle& table);

} // namespace issuer::loader
