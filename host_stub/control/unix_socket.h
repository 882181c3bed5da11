#pragma once

#include "common/descriptor.h"
#include "common/result.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

namespace issuer::control {

/// Returns the address of a socket file. The error says that the path is too long for one.
[[nodiscard]] Result<sockaddr_un> addressOf(const std::filesystem::path& path);

/// Sends all of `bytes`. Returns false if the peer has gone, or takes nothing for as long as SO_SNDTIMEO says.
bool sendAll(int fd, std::string_view bytes);

/// Reads lines from a stream socket, without their ends.
class LineReader
{
public:
	LineReader(int fd, std::size_t longest) : _fd(fd), _longest(longest) {}

	/// Returns the next line; nothing if the peer has gone, is silent for as long as SO_RCVTIMEO says, or tooLong().
	[[nodiscard]] std::optional<std::string> next();
	[[nodiscard]] bool tooLong() const { return _tooLong; }

private:
	const int _fd;
	const std::size_t _longest;
	std::string _buffer;
	bool _tooLong = false;
};

} // namespace issuer::control
