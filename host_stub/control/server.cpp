#include "control/server.h"

#include "common/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace issuer::control {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t longestLine = 64 * 1024;
constexpr std::size_t mostConnections = 16;
constexpr timeval longestSilence{60, 0};
constexpr timeval longestDeafness{5, 0};

tl::unexpected<Error> cannot(const fs::path& path, const std::string& why)
{
	return failure("control socket " + path.string() + ": " + why);
}

/// Locks the path by a file beside it. A lock ends with its process, however that ends, and is taken in one step: of
/// two hosts that find a dead one's socket, one gets it.
Result<Descriptor> lockPath(const fs::path& path)
{
	const std::string file = path.string() + ".lock";
	Descriptor lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
	if (!lock.valid()) {
		return cannot(path, std::strerror(errno));
	}
	if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
		std::array<char, 16> pid{};
		const bool isKnown = ::pread(lock.get(), pid.data(), pid.size() - 1, 0) > 0;
		return cannot(path, "another host" + (isKnown ? " (process " + std::string(pid.data()) + ")" : "") +
								" listens there; give this one a path of its own");
	}
	const std::string pid = std::to_string(::getpid());
	if (::ftruncate(lock.get(), 0) != 0 || ::pwrite(lock.get(), pid.data(), pid.size(), 0) < 0) {
		return cannot(path, std::strerror(errno));
	}
	return lock;
}

Result<void> removeStale(const fs::path& path)
{
	struct stat status
	{
	};
	if (::lstat(path.c_str(), &status) != 0) {
		return errno == ENOENT ? Result<void>() : cannot(path, std::strerror(errno));
	}
	if (!S_ISSOCK(status.st_mode)) {
		return cannot(path, "it exists and is not a socket; remove it or choose another path");
	}
	return ::unlink(path.c_str()) == 0 ? Result<void>() : cannot(path, std::strerror(errno));
}

Result<Descriptor> listenAt(const fs::path& path)
{
	const Result<sockaddr_un> address = addressOf(path);
	if (!address) {
		return cannot(path, address.error().text);
	}
	Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	// The mode is set on the descriptor before bind(): a chmod of the path would come too late.
	const bool listens = socket.valid() && ::fchmod(socket.get(), S_IRUSR | S_IWUSR) == 0 &&
						 ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0 &&
						 ::listen(socket.get(), mostConnections) == 0;
	if (!listens) {
		return cannot(path, std::strerror(errno));
	}
	return socket;
}

Result<gid_t> groupNamed(const std::string& name)
{
	constexpr std::size_t enough = 65536; // a group with thousands of members
	std::vector<char> buffer(enough);
	group entry{};
	group* found = nullptr;
	const int error = ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
	if (found == nullptr) {
		return failure(error == 0 ? "there is no group \"" + name + "\"; make it or name another in control_group"
								  : "group \"" + name + "\" cannot be looked up: " + std::strerror(error));
	}
	return entry.gr_gid;
}

/// Opens the socket's file to the group. Until then only its owner can connect.
Result<void> openTo(const fs::path& path, gid_t group)
{
	if (::chown(path.c_str(), static_cast<uid_t>(-1), group) != 0 ||
		::chmod(path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) != 0) {
		const std::string why = std::strerror(errno);
		::unlink(path.c_str());
		return cannot(path, "it cannot be given to the group of control_group: " + why + "; is the host's user in it?");
	}
	return {};
}

bool isMember(int socket, gid_t primary, gid_t group)
{
	std::vector<gid_t> groups(NGROUPS_MAX);
	socklen_t size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
	if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) {
		size = 0;
	}
	groups.resize(size / sizeof(gid_t));
	return primary == group || std::ranges::find(groups, group) != groups.end();
}

/// Returns what the client may do; empty: nothing.
std::optional<Peer> peerOf(int socket, std::optional<gid_t> readers)
{
	ucred peer{};
	socklen_t size = sizeof peer;
	if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
		return std::nullopt;
	}
	if (peer.uid == 0 || peer.uid == ::geteuid()) {
		return Peer::owner;
	}
	return readers && isMember(socket, peer.gid, *readers) ? std::optional(Peer::reader) : std::nullopt;
}

std::string refusal(std::string_view why)
{
	return "{\"ok\":false,\"error\":" + jsonString(why) + "}\n";
}

} // namespace

Result<std::unique_ptr<Server>> Server::listen(fs::path path, Answer answer, const std::optional<std::string>& readers)
{
	std::optional<gid_t> group;
	if (readers) {
		const Result<gid_t> found = groupNamed(*readers);
		if (!found) {
			return cannot(path, found.error().text);
		}
		group = *found;
	}
	Result<Descriptor> lock = lockPath(path);
	if (!lock) {
		return tl::unexpected(lock.error());
	}
	Result<Descriptor> socket = removeStale(path).and_then([&] { return listenAt(path); });
	if (!socket) {
		return tl::unexpected(socket.error());
	}
	if (const Result<void> opened = group ? openTo(path, *group) : Result<void>(); !opened) {
		return tl::unexpected(opened.error());
	}
	try {
		// No make_unique: the constructor is private.
		return std::unique_ptr<Server>(
			new Server(path, std::move(*lock), std::move(*socket), std::move(answer), group));
	}
	catch (const std::system_error& error) { // no descriptor or no thread was left
		::unlink(path.c_str());
		return cannot(path, error.code().message());
	}
}

Server::Server(fs::path path, Descriptor lock, Descriptor socket, Answer answer, std::optional<gid_t> readers)
	: _path(std::move(path)), _lock(std::move(lock)), _socket(std::move(socket)), _ending(::eventfd(0, EFD_CLOEXEC)),
	  _answer(std::move(answer)), _readers(readers)
{
	if (!_ending.valid()) {
		throw std::system_error(errno, std::generic_category(), "eventfd");
	}
	_thread = std::thread([this] { accept(); });
}

Server::~Server()
{
	::eventfd_write(_ending.get(), 1);
	_thread.join();
	{
		const std::lock_guard lock(_mutex);
		for (Connection& connection : _connections) {
			::shutdown(connection.socket.get(), SHUT_RD); // an answer under way is still sent
		}
	}
	for (Connection& connection : _connections) { // without the lock: none is added any more
		connection.thread.join();
	}
	::unlink(_path.c_str());
}

void Server::accept()
{
	for (;;) {
		std::array<pollfd, 2> events{{{_socket.get(), POLLIN, 0}, {_ending.get(), POLLIN, 0}}};
		::poll(events.data(), events.size(), -1);
		if (events[1].revents != 0) {
			return;
		}
		joinEnded();
		Descriptor socket(::accept4(_socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
		if (!socket.valid()) {
			if (errno == EMFILE || errno == ENFILE) {
				::poll(&events[1], 1, 100); // the connection stays in the queue; a pause before the next try
			}
			continue;
		}
		::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &longestSilence, sizeof longestSilence);
		::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &longestDeafness, sizeof longestDeafness);
		const std::lock_guard lock(_mutex);
		const std::optional<Peer> peer = peerOf(socket.get(), _readers);
		if (!peer) {
			sendAll(socket.get(), refusal("only the host's own user, root and the group of control_group may ask"));
		}
		else if (_connections.size() >= mostConnections) {
			sendAll(socket.get(), refusal("too many ask at the same time"));
		}
		else {
			begin(std::move(socket), *peer);
		}
	}
}

/// Starts a thread for a connection. Called under the lock.
void Server::begin(Descriptor socket, Peer peer)
{
	Connection& connection = _connections.emplace_back();
	connection.socket = std::move(socket);
	connection.peer = peer;
	try {
		connection.thread = std::thread([this, &connection] { serve(connection); });
	}
	catch (const std::system_error&) {
		sendAll(connection.socket.get(), refusal("the system gives no thread to answer with"));
		_connections.pop_back();
	}
}

void Server::serve(Connection& connection)
{
	converse(connection.socket.get(), connection.peer);
	const std::lock_guard lock(_mutex);
	connection.socket = Descriptor(); // closed now, rather than when the next client comes
	connection.ended = true;
}

void Server::converse(int socket, Peer peer)
{
	LineReader lines(socket, longestLine);
	while (const auto line = lines.next()) {
		if (!sendAll(socket, _answer(*line, peer) + '\n')) {
			return;
		}
	}
	if (lines.tooLong()) {
		sendAll(socket, refusal("a line is at most 64 KiB"));
	}
}

void Server::joinEnded()
{
	const std::lock_guard lock(_mutex);
	for (auto connection = _connections.begin(); connection != _connections.end();) {
		const auto current = connection++;
		if (current->ended) {
			current->thread.join(); // the thread is past its work and only releases the lock
			_connections.erase(current);
		}
	}
}

} // namespace issuer::control
