#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace issuer::test {

/// Stands before a server as a TCP balancer does: takes connections at a loopback port of its own, and passes their
/// bytes on or mistreats them. A thread a connection. [thread-safe]
class Relay
{
public:
	/// The treatment of a request.
	enum class Way : std::uint8_t
	{
		pass,     ///< goes on to the server
		silent,   ///< is never answered
		sealed,   ///< 503, as a sealed node answers; the connection stays
		cutOff,   ///< 500, as a node without its cluster answers; the connection stays
		sealedOff ///< 503, and the connection is closed
	};

	struct Options
	{
		std::string loopback = "127.0.0.1";
		std::uint16_t port = 0; ///< 0: any that is free
		/// The first request of each of the first so many connections waits until all of them have come: so many
		/// connections there are then, at least.
		int gather = 0;
		/// Called with each piece of bytes that goes on to the server, before it does, on the connection's thread.
		std::function<void(std::string_view)> before = {};
	};

	/// `target`: the server's port at 127.0.0.1.
	Relay(std::uint16_t target, Options options);
	explicit Relay(std::uint16_t target) : Relay(target, Options{}) {}
	~Relay();
	Relay(const Relay&) = delete;
	Relay& operator=(const Relay&) = delete;

	/// Of the connections that exist, and of those that will be made.
	void treat(Way existing, Way later);
	/// Ends every connection, as a server does whose clients idle for long.
	void closeAll();

	[[nodiscard]] std::uint16_t port() const { return _port; }
	[[nodiscard]] std::string address(const std::string& host = "127.0.0.1") const
	{
		return "http://" + host + ":" + std::to_string(_port);
	}
	[[nodiscard]] int connections() const;
	/// Blocks until so many connections have been made.
	void awaitConnections(int count);

private:
	struct Line
	{
		int client;
		std::atomic<Way> way;
		std::thread thread;
	};

	void accept();
	void serve(Line& line);
	void gather();
	[[nodiscard]] int connectToServer() const;

	const std::uint16_t _target;
	const Options _options;
	std::uint16_t _port = 0;
	int _listener = -1;
	int _stop = -1; ///< eventfd
	mutable std::mutex _mutex;
	std::condition_variable _changed;
	Way _later = Way::pass;
	int _connections = 0;
	int _waiting = 0;
	bool _over = false;
	std::list<Line> _lines;
	std::thread _acceptor;
};

} // namespace issuer::test
