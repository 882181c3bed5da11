#pragma once

#include "common/result.h"
#include "loader/plugin.h"

namespace issuer::loader {

/// Returns the plugin's description of itself, if a host of this major version can drive `table`. Calls nothing of the
/// plugin. Fills in all of the description but path and sha256. The error is a reason without the path.
[[nodiscard]] Result<Description> describe(const issuer_lifecycle& table);

} // namespace issuer::loader
