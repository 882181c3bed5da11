#pragma once

#include "common/result.h"

namespace issuer::loader {

/// Takes every right from this process that foreign code could do harm with. Afterwards it can read files that all may
/// read, use memory and threads, and the descriptors `first` to `last`; it opens nothing for writing and no socket,
/// starts no program and signals no process, has no terminal, and runs as the unprivileged user 65534 if it was root.
/// A forbidden system call fails with EPERM. For a child of one thread. The error says which step failed.
[[nodiscard]] Result<void> confine(int first, int last);

} // namespace issuer::loader
