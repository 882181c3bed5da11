#pragma once

#include "services.h"

namespace issuer::vault {

/// The services of this library, one for all instances: born with the first who asks, gone with the last who lets go,
/// its threads joined. When the process ends, or the library is unloaded, while somebody still holds them, their
/// threads are ended first. [thread-safe]
[[nodiscard]] std::shared_ptr<Services> lendServices();

} // namespace issuer::vault
