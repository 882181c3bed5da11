#pragma once

#include "base/task.h"
#include "common/descriptor.h"

#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace issuer::fleet::etcd {

/// Wakes a task that waits for work. `co_await bell.rings(atMost)` ends when it has been rung since the last wait, or
/// with the time. One task waits.
class Bell
{
public:
	/// Rings. [thread-safe]
	void ring() const noexcept { ::eventfd_write(_fd.get(), 1); }

	[[nodiscard]] vault::Wait rings(vault::Duration atMost = vault::Duration::max()) const noexcept
	{
		return {_fd.get(), POLLIN, atMost};
	}

	/// Takes the rings so far: the next wait waits for another.
	void clear() const noexcept
	{
		std::uint64_t count = 0;
		::eventfd_read(_fd.get(), &count);
	}

	[[nodiscard]] int fd() const noexcept { return _fd.get(); }

private:
	Descriptor _fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

} // namespace issuer::fleet::etcd
