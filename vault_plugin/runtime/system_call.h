#pragma once

#include "base/descriptor.h"

namespace issuer::vault::runtime {

/// Owns `fd`, the result of the system call `name`. Throws std::system_error if that failed.
[[nodiscard]] Descriptor descriptorFrom(int fd, const char* name);

/// An eventfd, closed on exec, that never blocks. Throws std::system_error.
[[nodiscard]] Descriptor makeEvent();

/// Makes the eventfd readable.
void raise(const Descriptor& event) noexcept;

} // namespace issuer::vault::runtime
