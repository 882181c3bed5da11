#include "control/client.h"

#include "control/unix_socket.h"

#include <cerrno>
#include <cstring>

namespace issuer::control {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t longestAnswer = 256 * 1024 * 1024; // 10,000 issuers take some MiB

std::string whyNot(int error)
{
	switch (error) {
	case ENOENT:
		return "there is no such socket; does the host run, and with this --control?";
	case ECONNREFUSED:
		return "no host listens there any more";
	case EACCES:
	case EPERM:
		return "it is open to the host's own user and to root alone";
	default:
		return std::strerror(error);
	}
}

} // namespace

Result<std::string> ask(const fs::path& path, const std::string& line, std::optional<std::chrono::milliseconds> limit)
{
	const auto named = [&](const std::string& text) {
		return failure("control socket " + path.string() + ": " + text);
	};
	const Result<sockaddr_un> address = addressOf(path);
	if (!address) {
		return named(address.error().text);
	}
	const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	if (limit) {
		const timeval longest{limit->count() / 1000, limit->count() % 1000 * 1000};
		::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
		::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
	}
	if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
		return named(whyNot(errno));
	}
	sendAll(socket.get(), line + '\n'); // if it was refused, the answer says why
	if (auto answer = LineReader(socket.get(), longestAnswer).next()) {
		return std::move(*answer);
	}
	return named("the host does not answer");
}

Result<fs::path> findHost(const std::vector<fs::path>& candidates)
{
	std::string looked;
	for (const fs::path& candidate : candidates) {
		std::error_code ignored; // what cannot be looked at is not there for this user
		if (fs::is_socket(candidate, ignored)) {
			return candidate;
		}
		looked += (looked.empty() ? "" : " and ") + candidate.string();
	}
	return failure("no running host found: there is no control socket at " + looked + "; say where with --control");
}

} // namespace issuer::control
