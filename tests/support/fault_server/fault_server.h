#pragma once

#include "fault_server/dead_ports.h" // the ways to fail of a server that is not there
#include "test_pki.h"

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace issuer::test {

/// One way for a server to go wrong, at one byte.
struct Fault
{
	enum class What
	{
		none,
		stall,   ///< not another byte, but the connection stays
		drip,    ///< a byte every 20 ms
		reset,   ///< RST
		close,   ///< FIN in the middle, over TLS without a goodbye
		garbage, ///< 64 bytes of noise, then FIN
		flood,   ///< the letter A for ever
	};
	enum class Layer
	{
		reply, ///< `at` counts the bytes of the reply
		wire,  ///< `at` counts the bytes on the socket, the TLS handshake included
	};

	What what = What::none;
	std::size_t at = 0;
	Layer layer = Layer::reply;
	std::size_t fromRequest = 0; ///< the first so many requests of each connection are answered well
	std::size_t connections = 0; ///< only the first so many connections go wrong; 0: all
};

/// "HTTP/1.1 <status>" with a Content-Length and `headers` (each with its CRLF).
[[nodiscard]] std::string httpReply(int status, const std::string& body, const std::string& headers = {});
/// The same in chunks of 7 bytes.
[[nodiscard]] std::string chunkedReply(int status, const std::string& body);

/// A server on a loopback port of its own that gives every request the same reply, and can fail at every byte of it.
/// Knows no Vault. One thread for each connection; it joins them all, because a thread that is still ending while the
/// program ends would use OpenSSL's freed locks. [thread-safe]
class FaultServer
{
public:
	struct Options
	{
		std::optional<Identity> tls = {};      ///< none: plain
		std::filesystem::path clientCa = {};   ///< not empty: wants a client certificate of this authority
		int newestTls = 0;                     ///< a protocol version of OpenSSL's; 0: the newest
		std::filesystem::path unixSocket = {}; ///< not empty: listens there
		std::chrono::milliseconds slowness{0}; ///< before the first byte of a handshake
		bool tunnel = false; ///< is the proxy and the server behind it in one: agrees to CONNECT, then speaks TLS
		std::string loopback = "127.0.0.1";
		std::uint16_t port = 0; ///< 0: any that is free
		/// The first request of each of the first so many connections is answered when all of them have come: so many
		/// connections there are then, at least.
		std::size_t gather = 0;
	};

	FaultServer() : FaultServer(Options{}) {}
	explicit FaultServer(Options options);
	~FaultServer();
	FaultServer(const FaultServer&) = delete;
	FaultServer& operator=(const FaultServer&) = delete;

	/// For connections and requests from now on.
	void setFault(const Fault& fault);
	void setReply(std::string reply);
	/// Sets the reply on the first `connections` connections; the others keep theirs.
	void setReplyOf(std::size_t connections, std::string reply);
	/// Ends every connection, as a server does that has idled for long.
	void closeConnections();

	[[nodiscard]] std::uint16_t port() const { return _port; }
	/// With `host` as the client shall call it.
	[[nodiscard]] std::string address(const std::string& host = "127.0.0.1") const;

	[[nodiscard]] std::size_t connections() const;
	[[nodiscard]] std::size_t requests() const;
	/// Every request byte of all connections, decrypted.
	[[nodiscard]] std::string received() const;

	/// The name that the latest TLS handshake asked for (SNI); empty: it asked for none.
	[[nodiscard]] std::string askedName() const;
	/// Waits until so many TLS connections have ended with a goodbye (close_notify). False: not within 20 s.
	[[nodiscard]] bool awaitGoodbyes(std::size_t count) const;

	/// That have begun.
	[[nodiscard]] std::size_t faults() const;
	/// Waits until so many faults have begun: the client is stuck. False: not within 20 s.
	[[nodiscard]] bool awaitFaults(std::size_t count) const;

private:
	struct Visit;

	void acceptAll();
	void serve(int fd, std::size_t number);
	void joinTheDone();

	const Options _options;
	std::shared_ptr<void> _context; ///< SSL_CTX
	int _listener = -1;
	int _stop = -1;
	std::uint16_t _port = 0;

	mutable std::mutex _mutex;
	mutable std::condition_variable _changed;
	Fault _fault;
	std::string _reply;
	std::size_t _replyOfConnections = 0;
	std::string _replyOf;
	std::list<int> _open; ///< sockets of connections
	std::size_t _gathered = 0;
	std::string _received;
	std::size_t _connections = 0;
	std::size_t _requests = 0;
	std::size_t _faults = 0;
	std::size_t _goodbyes = 0;
	std::string _askedName;
	std::vector<std::list<std::thread>::iterator> _done; ///< of `_serving`
	std::list<std::thread> _serving;                     ///< the acceptor's, and after its end the destructor's
	std::thread _acceptor;
};

} // namespace issuer::test
