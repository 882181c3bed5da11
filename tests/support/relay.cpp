#include "relay.h"

#include "fault_server/listening.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdlib>
#include <netinet/in.h>
#include <poll.h>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace issuer::test {
namespace {

std::string replyOf(Relay::Way way)
{
	const bool cutOff = way == Relay::Way::cutOff;
	const std::string body = cutOff ? R"({"errors":["local node not active but active cluster node not found"]})"
									: R"({"errors":["Vault is sealed"]})";
	return std::string(cutOff ? "HTTP/1.1 500 Internal Server Error" : "HTTP/1.1 503 Service Unavailable") +
		   "\r\nContent-Type: application/json\r\n" + (way == Relay::Way::sealedOff ? "Connection: close\r\n" : "") +
		   "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Takes one whole request off the front of `bytes`. False: it is not complete yet.
bool takeRequest(std::string& bytes)
{
	const auto head = bytes.find("\r\n\r\n");
	if (head == bytes.npos) {
		return false;
	}
	constexpr std::string_view name = "Content-Length: ";
	const auto length = bytes.find(name);
	const auto body = length < head ? std::strtoul(bytes.c_str() + length + name.size(), nullptr, 10) : 0UL;
	if (bytes.size() < head + 4 + body) {
		return false;
	}
	bytes.erase(0, head + 4 + body);
	return true;
}

bool sendAll(int fd, std::string_view bytes)
{
	while (!bytes.empty()) {
		const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
		if (sent <= 0) {
			return false;
		}
		bytes.remove_prefix(static_cast<std::size_t>(sent));
	}
	return true;
}

} // namespace

Relay::Relay(std::uint16_t target, Options options)
	: _target(target), _options(std::move(options)), _port(_options.port),
	  _listener(listenOnLoopback(_options.loopback, 512, _port)), _stop(::eventfd(0, EFD_CLOEXEC)),
	  _acceptor([this] { accept(); })
{
}

Relay::~Relay()
{
	{
		const std::lock_guard lock(_mutex);
		_over = true;
		_changed.notify_all();
	}
	::eventfd_write(_stop, 1); // never read: it stays visible to every thread
	_acceptor.join();
	for (auto& line : _lines) {
		line.thread.join();
		::close(line.client);
	}
	::close(_listener);
	::close(_stop);
}

void Relay::treat(Way existing, Way later)
{
	const std::lock_guard lock(_mutex);
	_later = later;
	for (auto& line : _lines) {
		line.way = existing;
	}
}

void Relay::closeAll()
{
	const std::lock_guard lock(_mutex);
	for (const auto& line : _lines) {
		::shutdown(line.client, SHUT_WR);
	}
}

int Relay::connections() const
{
	const std::lock_guard lock(_mutex);
	return _connections;
}

void Relay::awaitConnections(int count)
{
	std::unique_lock lock(_mutex);
	_changed.wait(lock, [this, count] { return _connections >= count; });
}

void Relay::accept()
{
	for (;;) {
		std::array<pollfd, 2> events{{{_listener, POLLIN, 0}, {_stop, POLLIN, 0}}};
		::poll(events.data(), events.size(), -1);
		if (events[1].revents != 0) {
			return;
		}
		const int client = ::accept4(_listener, nullptr, nullptr, SOCK_CLOEXEC);
		if (client < 0) {
			continue; // gone before it was accepted
		}
		const std::lock_guard lock(_mutex);
		++_connections;
		_changed.notify_all();
		auto& line = _lines.emplace_back();
		line.client = client;
		line.way = _later;
		line.thread = std::thread([this, &line] { serve(line); });
	}
}

int Relay::connectToServer() const
{
	const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	sockaddr_in address{};
	address.sin_family = AF_INET;
	address.sin_port = htons(_target);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
		::close(fd);
		return -1;
	}
	return fd;
}

void Relay::gather()
{
	std::unique_lock lock(_mutex);
	if (_waiting++ < _options.gather) {
		_changed.notify_all();
		_changed.wait(lock, [this] { return _over || _waiting >= _options.gather; });
	}
}

void Relay::serve(Line& line)
{
	int server = -1;
	std::string unread;
	bool first = true;
	for (bool open = true; open;) {
		std::array<pollfd, 3> events{{{_stop, POLLIN, 0}, {line.client, POLLIN, 0}, {server, POLLIN, 0}}};
		::poll(events.data(), events.size(), -1);
		if (events[0].revents != 0) {
			break;
		}
		std::array<char, 16384> bytes{};
		if (events[2].revents != 0) {
			const auto count = ::recv(server, bytes.data(), bytes.size(), 0);
			open = count > 0 && sendAll(line.client, {bytes.data(), static_cast<std::size_t>(count)});
			continue;
		}
		const auto count = ::recv(line.client, bytes.data(), bytes.size(), 0);
		if (count <= 0) {
			break;
		}
		if (std::exchange(first, false)) {
			gather();
		}
		const Way way = line.way;
		unread.append(bytes.data(), static_cast<std::size_t>(count));
		if (way == Way::pass) {
			if (_options.before) {
				_options.before(unread);
			}
			server = server < 0 ? connectToServer() : server;
			open = server >= 0 && sendAll(server, std::exchange(unread, {}));
		}
		else if (way != Way::silent) {
			while (open && takeRequest(unread)) {
				open = sendAll(line.client, replyOf(way)) && way != Way::sealedOff;
			}
		}
	}
	::shutdown(line.client, SHUT_RDWR); // the number stays ours until the relay goes
	if (server >= 0) {
		::close(server);
	}
}

} // namespace issuer::test
