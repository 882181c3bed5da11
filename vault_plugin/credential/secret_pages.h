#pragma once

#include <cstddef>

/// The memory that secrets live in: whole pages of their own, which no core dump contains (MADV_DONTDUMP) and which
/// read as zeros in a forked child (MADV_WIPEONFORK), both where the kernel can. Cut into slots, so that ten thousand
/// tokens of a hundred bytes cost 1.4 MiB and not ten thousand pages; returned to the system with the last slot, so
/// that nothing is left when the library is unloaded.
namespace issuer::vault::credential {

/// Most bytes of one secret.
constexpr std::size_t longestSecret = std::size_t{64} * 1024;

/// Returns a slot for `size` bytes, at least 1: a secret and its length. Throws std::bad_alloc. [thread-safe]
[[nodiscard]] char* takeSlot(std::size_t size);

/// Adds a holder of the slot, with a returnSlot() of its own. `slot`: from takeSlot(). [thread-safe]
void shareSlot(char* slot) noexcept;

/// Ends one hold; with the last one overwrites the whole slot and releases it. `slot`: from takeSlot(). [thread-safe]
void returnSlot(char* slot) noexcept;

} // namespace issuer::vault::credential
