#pragma once

#include "observe/metrics/exposition.h"

namespace issuer::observe {

/// Writes the memory, processor time, threads and descriptors of this process, under the names that every Prometheus
/// client uses.
void writeProcessMetrics(Exposition& out);

} // namespace issuer::observe
