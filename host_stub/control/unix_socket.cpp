#include "control/unix_socket.h"

#include <array>
#include <cerrno>
#include <cstring>

namespace issuer::control {

Result<sockaddr_un> addressOf(const std::filesystem::path& path)
{
	sockaddr_un address{};
	address.sun_family = AF_UNIX;
	if (path.native().size() >= sizeof address.sun_path) {
		return failure("a socket's path has at most " + std::to_string(sizeof address.sun_path - 1) + " bytes");
	}
	std::memcpy(address.sun_path, path.c_str(), path.native().size());
	return address;
}

bool sendAll(int fd, std::string_view bytes)
{
	while (!bytes.empty()) {
		const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR) {
			continue;
		}
		if (sent < 0) {
			return false;
		}
		bytes.remove_prefix(static_cast<std::size_t>(sent));
	}
	return true;
}

std::optional<std::string> LineReader::next()
{
	std::size_t searched = 0;
	for (;;) {
		if (const std::size_t end = _buffer.find('\n', searched); end != std::string::npos) {
			std::string line = _buffer.substr(0, end);
			_buffer.erase(0, end + 1);
			return line;
		}
		searched = _buffer.size();
		if (_buffer.size() > _longest) {
			_tooLong = true;
			return std::nullopt;
		}
		std::array<char, 4096> block;
		const ssize_t received = ::recv(_fd, block.data(), block.size(), 0);
		if (received < 0 && errno == EINTR) {
			continue;
		}
		if (received <= 0) {
			return std::nullopt;
		}
		_buffer.append(block.data(), static_cast<std::size_t>(received));
	}
}

} // namespace issuer::control
