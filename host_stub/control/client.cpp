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
		return "it is open to the host's own user, to root and to the group of control_group";
	default:
		return std::strerror(error);
	}
}

/// Returns whether a host is behind the socket. A host that may not be asked, or is busy, counts: only a refused
/// connection means that none listens.
bool isAlive(const fs::path& path)
{
	const Result<sockaddr_un> address = addressOf(path);
	const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	return !address || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0 ||
		   errno != ECONNREFUSED;
}

/// Returns `what` followed by «a and b»; an empty text if there are none.
std::string listed(const std::string& what, const std::vector<fs::path>& paths)
{
	std::string text;
	for (const fs::path& path : paths) {
		text += (text.empty() ? what : " and ") + path.string();
	}
	return text;
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
	sendAll(socket.get(), line + '\n'); // a failure to send is ignored: the answer gives the reason
	if (auto answer = LineReader(socket.get(), longestAnswer).next()) {
		return std::move(*answer);
	}
	return named("the host does not answer");
}

Result<fs::path> findHost(const std::vector<fs::path>& candidates)
{
	std::vector<fs::path> dead;
	std::vector<fs::path> missing;
	for (const fs::path& candidate : candidates) {
		std::error_code ignored; // a path that cannot be examined does not exist for this user
		const bool there = fs::is_socket(candidate, ignored);
		if (there && isAlive(candidate)) {
			return candidate;
		}
		(there ? dead : missing).push_back(candidate);
	}
	return failure("no running host found: " + listed("no host listens any more at ", dead) +
				   (dead.empty() || missing.empty() ? "" : " and ") +
				   listed("there is no control socket at ", missing) + "; say where with --control");
}

} // namespace issuer::control
