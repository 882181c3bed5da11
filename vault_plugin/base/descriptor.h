#pragma once

#include <unistd.h>
#include <utility>

namespace issuer::vault {

/// Owns a file descriptor and closes it.
class Descriptor
{
public:
	Descriptor() noexcept = default;
	explicit Descriptor(int fd) noexcept : _fd(fd) {}
	Descriptor(Descriptor&& other) noexcept : _fd(other.release()) {}
	Descriptor& operator=(Descriptor&& other) noexcept
	{
		std::swap(_fd, other._fd);
		return *this;
	}
	~Descriptor()
	{
		if (_fd >= 0) {
			::close(_fd);
		}
	}

	[[nodiscard]] int get() const noexcept { return _fd; }
	[[nodiscard]] int release() noexcept { return std::exchange(_fd, -1); }
	explicit operator bool() const noexcept { return _fd >= 0; }

private:
	int _fd = -1;
};

} // namespace issuer::vault
