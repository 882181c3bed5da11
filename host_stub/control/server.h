#pragma once

#include "common/result.h"
#include "control/unix_socket.h"

#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace issuer::control {

/// The door through which a running host is asked and told: a unix socket of mode 0600, for the host's own user and
/// root alone, as the kernel says who connects.
///
/// The protocol is lines of JSON: one object a line asks, one answers, in turn, as often as the client likes:
///
///     {"do":"status"}
///     → {"ok":true,"pid":4711,"issuers":[…]}                  each as statusJson() has it
///     {"do":"issuers","order":"urgency","limit":1000,…}      parameters as of GET /api/v1/issuers
///     → {"ok":true,…}                                         and as it answers, see observe/web/API.md
///     {"do":"swap","issuer":"team-a","plugin":"/abs/path/vault_plugin.so","sha256":"…"}      sha256 may be left out
///     → {"ok":true,"result":"swapped","text":"…"}
///     → {"ok":false,"result":"refused","error":"…"}           the issuer has noticed nothing
///     → {"ok":false,"result":"rolled_back","error":"…"}       it goes on as before
///     {"do":"renew","issuer":"team-a"}                        now instead of when it is due
///     {"do":"reread","issuer":"team-a"}                       the source of its credential has a new one
///     → {"ok":true}                                           it was told so; events say what comes of it
///     → {"ok":false,"error":"…"}
///     anything else
///     → {"ok":false,"error":"…"}
///
/// A line is at most 64 KiB. Whoever comes when 16 are there, or the system has no thread to give, is told so and asks
/// again. A client that is silent for a minute, or does not take its answer, is hung up on.
class Server
{
public:
	/// Answers one line with one line, neither with its end. Called side by side, one call a connection; may block.
	/// Must not throw.
	using Answer = std::function<std::string(std::string_view line)>;

	/// Listens at `path`, where a socket left behind by a host that has gone is replaced. The error names the path: a
	/// running host holds it, something else than a socket is there, or it cannot be made.
	[[nodiscard]] static Result<std::unique_ptr<Server>> listen(std::filesystem::path path, Answer answer);

	/// Takes no further line, waits for the answers under way, and removes the socket.
	~Server();
	Server(const Server&) = delete;
	Server& operator=(const Server&) = delete;

	[[nodiscard]] const std::filesystem::path& path() const { return _path; }

private:
	struct Connection
	{
		Descriptor socket;
		std::thread thread;
		bool ended = false;
	};

	Server(std::filesystem::path path, Descriptor lock, Descriptor socket, Answer answer);

	void accept();
	void begin(Descriptor socket);
	void serve(Connection& connection);
	void converse(int socket);
	void joinEnded();

	const std::filesystem::path _path;
	const Descriptor _lock; ///< held as long as the path is ours
	const Descriptor _socket;
	const Descriptor _ending;
	const Answer _answer;
	std::mutex _mutex; ///< of what follows
	std::list<Connection> _connections;
	std::thread _thread;
};

} // namespace issuer::control
