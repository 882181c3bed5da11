#pragma once

#include <filesystem>
#include <system_error>

namespace issuer::test {

/// Returns whether this program runs under qemu-user, as the tests of `./dev check arm64` do. The emulator answers for
/// /proc/self, whose files then show less than the kernel's; /proc/thread-self it lets through, and there the running
/// program is the emulator.
inline bool underEmulation()
{
	std::error_code unreadable;
	return std::filesystem::read_symlink("/proc/self/exe", unreadable) !=
		   std::filesystem::read_symlink("/proc/thread-self/exe", unreadable);
}

} // namespace issuer::test
