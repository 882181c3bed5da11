#pragma once

#include <prometheus/metric_family.h>
#include <vector>

namespace issuer::observe {

/// What this process costs, under the names that every Prometheus client gives them.
[[nodiscard]] std::vector<prometheus::MetricFamily> processFamilies();

} // namespace issuer::observe
