// A Vault that costs almost nothing, to measure clients by: one thread, epoll, fixed answers, plain or over TLS.
//
// Usage: bench_server LEASE_SECONDS [CERTIFICATE KEY]
// Prints its port. Then obeys, and answers with a line, on standard input:
//   down, up       closes its port and all connections; opens the same port again
//   hang, answer   holds all requests; answers them again
//   held           how many it holds
//   rate N         answers N requests a second, in the order they came; 0: as fast as it can
//   mortal         tokens that were not renewed in time die
//   dead           how many of them were asked about after their death
// Ends with its standard input.
#include "base/descriptor.h"
#include "connection.h"
#include "replies.h"

#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace issuer::bench {
namespace {

using vault::Descriptor;

class Server
{
public:
	Server(std::chrono::seconds lease, SSL_CTX* tls) : _tls(tls), _replies(lease)
	{
		add(STDIN_FILENO);
		listen();
	}

	[[nodiscard]] std::uint16_t port() const { return ntohs(_address.sin_port); }

	void run()
	{
		std::array<epoll_event, 256> events{};
		while (!_ended) {
			const int count = ::epoll_wait(_epoll.get(), events.data(), static_cast<int>(events.size()), patience());
			for (int i = 0; i < count; ++i) {
				handle(events[static_cast<std::size_t>(i)].data.fd);
			}
			answerHeld();
		}
	}

private:
	struct Held
	{
		int fd;
		std::string request;
	};

	void add(int fd)
	{
		epoll_event event{};
		event.events = EPOLLIN;
		event.data.fd = fd;
		::epoll_ctl(_epoll.get(), EPOLL_CTL_ADD, fd, &event);
	}

	void listen()
	{
		Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
		const int on = 1;
		::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		::setsockopt(listener.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // inherited by accepted sockets
		socklen_t size = sizeof _address;
		auto* const address = reinterpret_cast<sockaddr*>(&_address);
		if (::bind(listener.get(), address, size) != 0 || ::listen(listener.get(), 4096) != 0) {
			throw std::runtime_error("cannot listen");
		}
		::getsockname(listener.get(), address, &size);
		add(listener.get());
		_listener = std::move(listener);
	}

	void handle(int fd)
	{
		if (fd == STDIN_FILENO) {
			obey();
		}
		else if (fd == _listener.get()) {
			accept();
		}
		else if (const auto found = _connections.find(fd); found != _connections.end()) {
			serve(fd, found->second);
		}
	}

	void accept()
	{
		for (;;) {
			Descriptor fd(::accept4(_listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
			if (!fd) {
				return;
			}
			const int number = fd.get();
			add(number);
			_connections.insert_or_assign(number, Connection(std::move(fd), _tls));
		}
	}

	void serve(int fd, Connection& connection)
	{
		const bool there = connection.receive();
		for (auto request = connection.nextRequest(); !request.empty(); request = connection.nextRequest()) {
			if (_hangs || _interval > Clock::duration::zero()) {
				_held.push_back({fd, std::string(request)});
			}
			else {
				connection.send(_replies.to(request));
			}
		}
		if (!there) {
			std::erase_if(_held, [fd](const Held& held) { return held.fd == fd; });
			_connections.erase(fd);
		}
	}

	[[nodiscard]] int patience() const
	{
		using Milliseconds = std::chrono::milliseconds;
		if (_held.empty() || _hangs) {
			return -1;
		}
		return static_cast<int>(
			std::max(std::chrono::ceil<Milliseconds>(_free - Clock::now()), Milliseconds(0)).count());
	}

	void answerHeld()
	{
		const auto now = Clock::now();
		_free = std::max(_free, now - std::chrono::milliseconds(20)); // unused capacity is lost
		while (!_held.empty() && !_hangs && _free <= now) {
			const auto held = std::move(_held.front());
			_held.pop_front();
			_connections.at(held.fd).send(_replies.to(held.request));
			_free += _interval;
		}
	}

	void obey()
	{
		std::string line;
		_ended = !std::getline(std::cin, line);
		if (line == "down") {
			_listener = Descriptor();
			_held.clear();
			_connections.clear();
		}
		else if (line == "up") {
			listen();
		}
		else if (line == "hang" || line == "answer") {
			_hangs = line == "hang";
		}
		else if (line.starts_with("rate ")) {
			const int rate = std::atoi(line.c_str() + 5);
			_interval = rate > 0 ? Clock::duration(std::chrono::seconds(1)) / rate : Clock::duration::zero();
		}
		else if (line == "mortal") {
			_replies.countLives();
		}
		std::cout << (line == "held" ? _held.size() : line == "dead" ? _replies.dead() : 0) << std::endl;
	}

	SSL_CTX* const _tls;
	Replies _replies;
	Descriptor _epoll{::epoll_create1(EPOLL_CLOEXEC)};
	Descriptor _listener;
	sockaddr_in _address{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
	std::unordered_map<int, Connection> _connections;
	std::deque<Held> _held;
	bool _hangs = false;
	bool _ended = false;
	Clock::duration _interval{};
	Clock::time_point _free; ///< when the next held request may be answered
};

std::unique_ptr<SSL_CTX, FreeSsl> tlsOf(const char* certificate, const char* key)
{
	std::unique_ptr<SSL_CTX, FreeSsl> context(SSL_CTX_new(TLS_server_method()));
	if (SSL_CTX_use_certificate_chain_file(context.get(), certificate) != 1 ||
		SSL_CTX_use_PrivateKey_file(context.get(), key, SSL_FILETYPE_PEM) != 1) {
		throw std::runtime_error("cannot use the certificate");
	}
	return context;
}

} // namespace
} // namespace issuer::bench

int main(int count, char** arguments)
{
	if (count != 2 && count != 4) {
		std::fputs("usage: bench_server LEASE_SECONDS [CERTIFICATE KEY]\n", stderr);
		return 64;
	}
	try {
		std::signal(SIGPIPE, SIG_IGN);
		const auto tls = count == 4 ? issuer::bench::tlsOf(arguments[2], arguments[3]) : nullptr;
		issuer::bench::Server server(std::chrono::seconds(std::atoi(arguments[1])), tls.get());
		std::cout << server.port() << std::endl;
		server.run();
		return 0;
	}
	catch (const std::exception& error) {
		std::fprintf(stderr, "bench_server: %s\n", error.what());
		return 1;
	}
}
