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

/// The address of a socket file; the error says that the path is too long for one.
[[nodiscard]] Result<sockaddr_un> addressOf(const std::filesystem::path& path);

/// Sends all of `bytes`. False: the peer has gone, or takes nothing for as long as SO_SNDTIMEO says.
bool sendAll(int fd, std::string_view bytes);

/// Lines from a stream socket, without their ends.
class LineReader
{
public:
	LineReader(int fd, std::size_t longest) : _fd(fd), _longest(longest) {}

	/// Empty: the peer has gone or is silent for as long as SO_RCVTIMEO says, or tooLong().
	[[nodiscard]] std::optional<std::string> next();
	[[nodiscard]] bool tooLong() const { return _tooLong; }

private:
	const int _fd;
	const std::size_t _longest;
	std::string _buffer;
	bool _tooLong = false;
};

} // namespace issuer::control
