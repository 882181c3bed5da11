#pragma once

#include "fake_vault/connection.h"
#include "test_pki.h"

#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace Poco::Net {
class ServerSocket;
} // namespace Poco::Net

namespace issuer::test {

/// The address of a server, and its TLS.
struct Listening
{
	std::string host = "127.0.0.1"; ///< numeric
	int port = 0;                   ///< 0: a free one
	std::optional<Identity> tls = {};
	std::filesystem::path clientCa = {}; ///< authority of the clients' certificates; empty: any is taken
	bool clientCertificateRequired = false;
	std::filesystem::path unixSocket = {}; ///< not empty: there, instead of at host and port
};

/// Listens, and runs each connection on a thread of its own; a stop ends them all, whatever they wait for. The port
/// stays reserved while the server is stopped, so that clients are refused and no other process can take it.
class Server
{
public:
	Server(Listening listening, Connection::Handler handler);
	~Server();
	Server(const Server&) = delete;
	Server& operator=(const Server&) = delete;

	void start(); ///< reads the certificate files again; does nothing when it runs
	void stop();  ///< returns when the last connection's thread has ended; does nothing when it does not run

	/// "https://127.0.0.1:40123", "unix:///path".
	[[nodiscard]] std::string address() const;

private:
	/// A thread's connection, as stop() sees it.
	struct Running;

	void accept();
	void serve(Running& running);
	void joinEnded();

	const Listening _listening;
	const Connection::Handler _handler;
	int _reservation = -1; ///< a socket that is bound to the port and never listens
	int _port = 0;
	int _wakeUp = -1; ///< eventfd
	std::unique_ptr<Poco::Net::ServerSocket> _socket;
	std::thread _acceptor;
	std::mutex _mutex; ///< guards the list and its entries
	std::list<Running> _connections;
};

} // namespace issuer::test
