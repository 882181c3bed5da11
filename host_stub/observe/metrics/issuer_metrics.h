#pragma once

#include "observe/fleet/issuer_view.h"
#include "observe/metrics/exposition.h"

#include <vector>

namespace issuer::observe {

/// Writes the metrics that carry the label `issuer`, as they stand at `now`.
void writeIssuerMetrics(Exposition& out, const std::vector<IssuerView>& issuers, UnixTime now);

} // namespace issuer::observe
