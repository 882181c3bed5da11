#pragma once

#include <unistd.h>
#include <utility>

namespace issuer {

/// Owns a file descriptor and closes it.
class Descriptor
{
public:
	Descriptor() = default;
	explicit Descriptor(int fd) : _fd(fd) {}
	~Descriptor()
	{
		if (_fd >= 0) {
			::close(_fd);
		}
	}
	Descriptor(Descriptor&& other) noexcept : _fd(std::exchange(other._fd, -1)) {}
	Descriptor& operator=(Descriptor&& other) noexcept
	{
		std::swap(_fd, other._fd);
		return *this;
	}

	[[nodiscard]] int get() const { return _fd; }
	[[nodiscard]] bool valid() const { return _fd >= 0; }

private:
	int _fd = -1;
};

} // namespace issuer
