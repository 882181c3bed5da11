#pragma once

#include "config.h"
#include "services.h"

#include <memory>

namespace issuer::vault {

/// Returns the services of this library, one object for all instances: created for the first caller, and gone, its
/// threads joined, with the last reference. If references remain when the process ends or the library is unloaded, the
/// threads are ended first. [thread-safe]
[[nodiscard]] std::shared_ptr<Services> lendServices();

/// Returns lendServices() for instances, which borrow it; it lives as long as the library. [thread-safe]
[[nodiscard]] const ServicesSource& servicesSource();

/// The same object for equal configurations. [thread-safe]
[[nodiscard]] std::shared_ptr<const CommonConfig> share(CommonConfig config);

} // namespace issuer::vault
