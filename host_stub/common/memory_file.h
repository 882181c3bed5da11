#pragma once

#include "common/descriptor.h"

#include <cerrno>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>

namespace issuer {

/// A text as a file that is in memory alone, to be read by one child after the other: it may hold a token.
class MemoryFile
{
public:
	explicit MemoryFile(std::string_view text) : _fd(::memfd_create("configuration", MFD_CLOEXEC))
	{
		if (!_fd.valid() || ::write(_fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
			throw std::system_error(errno, std::generic_category(), "memfd");
		}
	}

	/// To be opened in a child before it begins its program.
	[[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(_fd.get()); }

private:
	Descriptor _fd;
};

} // namespace issuer
