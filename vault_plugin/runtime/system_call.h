#pragma once

#include "base/descriptor.h"

namespace issuer::vault::runtime {

/// Wraps `fd`, the result of the system call `name`. Throws std::system_error if the call failed.
[[nodiscard]] Descriptor descriptorFrom(int fd, const char* name);

/// Returns an eventfd, closed on exec, that never blocks. Throws std::system_error.
[[nodiscard]] Descriptor makeEvent();

/// Makes the eventfd readable.
void raise(const Descriptor& event) noexcept;

} // namespace issuer::vault::runtime
