#include "runtime/system_call.h"

#include <cerrno>
#include <cstdint>
#include <sys/eventfd.h>
#include <system_error>

namespace issuer::vault::runtime {

Descriptor descriptorFrom(int fd, const char* name)
{
	if (fd < 0) {
		throw std::system_error(errno, std::generic_category(), name);
	}
	return Descriptor(fd);
}

Descriptor makeEvent()
{
	return descriptorFrom(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
}

void raise(const Descriptor& event) noexcept
{
	const std::uint64_t one = 1;
	// Fails only if the counter would overflow, and then it is readable anyway.
	[[maybe_unused]] const auto written = ::write(event.get(), &one, sizeof one);
}

} // namespace issuer::vault::runtime
