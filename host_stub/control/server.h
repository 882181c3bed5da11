#pragma once

#include "common/result.h"
#include "control/unix_socket.h"

#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <thread>

namespace issuer::control {

/// Rights of a client, by the kernel's peer credentials.
enum class Peer
{
	owner,  ///< the host's own user, or root: anything
	reader, ///< a member of the readers' group: status and issuers
};

/// Serves the control socket of a running host: a unix socket of mode 0600, for the host's own user and root alone,
/// which the kernel's peer credentials confirm; with a readers' group, of mode 0660 and that group.
///
/// The protocol is lines of JSON: one object a line asks, one answers, in turn, as often as the client likes:
///
///     {"do":"status"}
///     → {"ok":true,"pid":4711,"issuers":[…]}                  each as statusJson() writes it
///     {"do":"issuers","order":"urgency","limit":1000,…}      the parameters of GET /api/v1/issuers; no limit: all
///     → {"ok":true,…}                                         and its answer, see observe/web/API.md
///     {"do":"swap","issuer":"team-a","plugin":"/abs/path/vault_plugin.so","sha256":"…","canary":true}
///                                                             sha256 and canary may be left out
///     → {"ok":true,"result":"swapped","text":"…"}
///     → {"ok":false,"result":"refused","error":"…"}           the issuer was not touched
///     → {"ok":false,"result":"rolled_back","error":"…"}       it continues as before
///     {"do":"renew","issuer":"team-a"}                        now instead of when it is due
///     {"do":"reread","issuer":"team-a"}                       its credential's source has a new token
///     → {"ok":true}                                           accepted; events tell the result
///     → {"ok":false,"error":"…"}
///     {"do":"reload","mode":"begin"}                          or wait, or dry_run; begin, if it is left out
///     → {"ok":true,"result":"applied","sentences":["…"],"text":"…"}     or held: something cannot change now
///     → {"ok":false,"result":"refused","sentences":["…"],"error":"…"}   or unreadable, rolled_back
///     {"do":"log_level","level":"debug"}                      the lowest level of its log's lines
///     → {"ok":true,"text":"…"}
///     anything else, and from a reader anything but status and issuers
///     → {"ok":false,"error":"…"}
///
/// A line is at most 64 KiB. The 17th connection at a time, or one for which the system gives no thread, gets an error
/// that says so, and tries again. A client that is silent for a minute, or does not take its answer, is disconnected.
class Server
{
public:
	/// Answers one line with one line, both without a line end. Called concurrently, once at a time per connection; may
	/// block. Must not throw.
	using Answer = std::function<std::string(std::string_view line, Peer peer)>;

	/// Listens at `path`, where a socket left behind by a dead host is replaced. Members of the group `readers` may
	/// connect, too; the host must be root or a member of it. The error names the path and the reason: a running host
	/// holds it, another kind of file is there, it cannot be created, or it cannot be given to the group.
	[[nodiscard]] static Result<std::unique_ptr<Server>> listen(
		std::filesystem::path path, Answer answer, const std::optional<std::string>& readers = std::nullopt);

	/// Takes no further line, waits for the answers under way, and removes the socket.
	~Server();
	Server(const Server&) = delete;
	Server& operator=(const Server&) = delete;

	[[nodiscard]] const std::filesystem::path& path() const { return _path; }

private:
	struct Connection
	{
		Descriptor socket;
		Peer peer;
		std::thread thread;
		bool ended = false;
	};

	Server(std::filesystem::path path, Descriptor lock, Descriptor socket, Answer answer, std::optional<gid_t> readers);

	void accept();
	void begin(Descriptor socket, Peer peer);
	void serve(Connection& connection);
	void converse(int socket, Peer peer);
	void joinEnded();

	const std::filesystem::path _path;
	const Descriptor _lock; ///< held while this host owns the path
	const Descriptor _socket;
	const Descriptor _ending;
	const Answer _answer;
	const std::optional<gid_t> _readers; ///< group whose members may connect
	std::mutex _mutex;                   ///< guards all below
	std::list<Connection> _connections;
	std::thread _thread;
};

} // namespace issuer::control
