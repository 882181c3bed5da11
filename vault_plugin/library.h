#pragma once

#include "config.h"
#include "services.h"

#include <memory>

namespace issuer::vault {

/// The services of this library, one for all instances: born with the first who asks, gone with the last who lets go,
/// its threads joined. When the process ends, or the library is unloaded, while somebody still holds them, their
/// threads are ended first. [thread-safe]
[[nodiscard]] std::shared_ptr<Services> lendServices();

/// The same object for equal configurations. [thread-safe]
[[nodiscard]] std::shared_ptr<const CommonConfig> share(CommonConfig config);

} // namespace issuer::vault
