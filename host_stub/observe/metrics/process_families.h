#pragma once

#include <prometheus/metric_family.h>
#include <vector>

namespace issuer::observe {

/// Returns the memory, processor time and descriptors of this process, under the names that every Prometheus client
/// uses.
[[nodiscard]] std::vector<prometheus::MetricFamily> processFamilies();

} // namespace issuer::observe
