#pragma once

#include "observe/fleet/issuer_view.h"
#include "observe/metrics/exposition.h"

#include <vector>

namespace issuer::observe {

/// Writes the metrics that carry the label `issuer`, as they stand at `now`. Leaves out issuers that another host of
/// the fleet keeps.
void writeIssuerMetrics(Exposition& out, const std::vector<IssuerView>& all, UnixTime now);

} // namespace issuer::observe
