#pragma once

#include <cstddef>

/// The memory that secrets live in: whole pages of their own, which no core dump holds (MADV_DONTDUMP) and which read
/// as zeros in a forked child (MADV_WIPEONFORK), both where the kernel can. Cut into slots, so that ten thousand tokens
/// of a hundred bytes cost 1.4 MiB and not ten thousand pages; given back to the system with the last slot, so that
/// nothing is left when the library is unloaded.
namespace issuer::vault::credential {

/// What one slot can hold at most.
constexpr std::size_t longestSecret = std::size_t{64} * 1024;

/// A slot for `size` bytes, 1 to longestSecret. Throws std::bad_alloc. [thread-safe]
[[nodiscard]] char* takeSlot(std::size_t size);

/// Overwrites the whole slot and gives it back. `slot`: from takeSlot(). [thread-safe]
void returnSlot(char* slot) noexcept;

} // namespace issuer::vault::credential
