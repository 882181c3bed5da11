#include "fault_server/fault_server.h"

#include <algorithm>
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace issuer::test {
namespace {

/// A connection is over, as planned or not.
struct Over
{
};

void require(bool condition, const char* what)
{
	if (!condition) {
		throw std::runtime_error(std::string("fault server: ") + what);
	}
}

int listenOnLoopback(const std::string& host, int backlog, std::uint16_t& port)
{
	sockaddr_storage address{};
	socklen_t size = 0;
	if (host.find(':') != host.npos) {
		auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
		v6.sin6_family = AF_INET6;
		::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr);
		size = sizeof(v6);
	}
	else {
		auto& v4 = reinterpret_cast<sockaddr_in&>(address);
		v4.sin_family = AF_INET;
		::inet_pton(AF_INET, host.c_str(), &v4.sin_addr);
		size = sizeof(v4);
	}
	const int fd = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(fd, backlog) == 0,
		"cannot listen");
	::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
	// The port stands at the same place in both families.
	port = ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
	return fd;
}

int listenOnUnix(const std::filesystem::path& path)
{
	sockaddr_un address{};
	address.sun_family = AF_UNIX;
	path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
	const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 && ::listen(fd, 64) == 0,
		"cannot listen on a unix socket");
	return fd;
}

std::shared_ptr<void> makeContext(const FaultServer::Options& options)
{
	if (!options.tls) {
		return nullptr;
	}
	const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
	if (options.newestTls != 0) {
		SSL_CTX_set_security_level(context.get(), 0); // or OpenSSL itself would refuse what is this old
		SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
		SSL_CTX_set_max_proto_version(context.get(), options.newestTls);
	}
	require(SSL_CTX_use_certificate_chain_file(context.get(), options.tls->certificate.c_str()) == 1 &&
				SSL_CTX_use_PrivateKey_file(context.get(), options.tls->key.c_str(), SSL_FILETYPE_PEM) == 1,
		"cannot use the certificate");
	if (!options.clientCa.empty()) {
		require(SSL_CTX_load_verify_locations(context.get(), options.clientCa.c_str(), nullptr) == 1,
			"cannot use the client CA");
		SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
	}
	return context;
}

} // namespace

std::string httpReply(int status, const std::string& body, const std::string& headers)
{
	return "HTTP/1.1 " + std::to_string(status) + " Whatever\r\nContent-Type: application/json\r\n" + headers +
		   "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string chunkedReply(int status, const std::string& body)
{
	constexpr std::size_t chunk = 7;
	std::string reply = "HTTP/1.1 " + std::to_string(status) +
						" Whatever\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
	for (std::size_t at = 0; at < body.size(); at += chunk) {
		const auto part = body.substr(at, chunk);
		reply += std::to_string(part.size()) + "\r\n" + part + "\r\n";
	}
	return reply + "0\r\n\r\n";
}

/// One connection being served.
struct FaultServer::Visit
{
	FaultServer& server;
	int fd;
	Fault fault;
	std::size_t wireSent = 0;
	std::size_t answered = 0;
	std::shared_ptr<SSL> ssl;
	std::string unread; ///< application bytes

	void run()
	{
		if (server._options.tunnel) {
			readRequest();
			sendWire("HTTP/1.1 200 Connection established\r\n\r\n");
		}
		if (server._context) {
			pause(server._options.slowness);
			startTls();
		}
		for (;; ++answered) {
			readRequest();
			std::string reply;
			{
				const std::lock_guard lock(server._mutex);
				fault = server._fault;
				reply = server._reply;
			}
			const bool goesWrong =
				fault.what != Fault::What::none && fault.layer == Fault::Layer::reply && answered >= fault.fromRequest;
			if (goesWrong) {
				const auto good = std::min(fault.at, reply.size());
				sendApplication(reply.substr(0, good));
				misbehave(reply.substr(good), [this](const std::string& bytes) { sendApplication(bytes); });
			}
			sendApplication(reply);
			if (reply.find("Connection: close") != reply.npos) {
				throw Over();
			}
		}
	}

	void waitFor(short events, int timeoutMs = -1) const
	{
		pollfd fds[] = {{fd, events, 0}, {server._stop, POLLIN, 0}};
		::poll(fds, 2, timeoutMs);
		if (fds[1].revents != 0 || (fds[0].revents & (POLLERR | POLLRDHUP)) != 0) {
			throw Over();
		}
	}

	void pause(std::chrono::milliseconds duration) const
	{
		if (duration.count() > 0) {
			waitFor(POLLRDHUP, static_cast<int>(duration.count()));
		}
	}

	[[noreturn]] void stall() const
	{
		for (;;) {
			waitFor(POLLRDHUP);
		}
	}

	void sendRaw(const char* data, std::size_t size)
	{
		while (size > 0) {
			const auto sent = ::send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (sent < 0 && errno == EAGAIN) {
				waitFor(POLLOUT | POLLRDHUP);
				continue;
			}
			if (sent < 0) {
				throw Over();
			}
			data += sent;
			size -= static_cast<std::size_t>(sent);
		}
	}

	void sendWire(const std::string& bytes)
	{
		if (fault.what == Fault::What::none || fault.layer != Fault::Layer::wire ||
			wireSent + bytes.size() <= fault.at) {
			wireSent += bytes.size();
			sendRaw(bytes.data(), bytes.size());
			return;
		}
		const auto good = fault.at - std::min(fault.at, wireSent); // set on a kept connection, it may lie behind
		sendRaw(bytes.data(), good);
		misbehave(bytes.substr(good), [this](const std::string& more) { sendRaw(more.data(), more.size()); });
	}

	template <class Send>
	[[noreturn]] void misbehave(const std::string& rest, Send&& send)
	{
		{
			const std::lock_guard lock(server._mutex);
			++server._faults;
			server._changed.notify_all();
		}
		switch (fault.what) {
		case Fault::What::none:
		case Fault::What::stall:
			stall();
		case Fault::What::drip:
			for (const char byte : rest) {
				send(std::string(1, byte));
				waitFor(POLLRDHUP, 20);
			}
			stall();
		case Fault::What::reset: {
			const linger now{1, 0};
			::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
			throw Over();
		}
		case Fault::What::close:
			throw Over();
		case Fault::What::garbage: {
			std::string noise;
			for (unsigned i = 0; i < 64; ++i) {
				noise += static_cast<char>(i * 37 + 5);
			}
			send(noise);
			throw Over();
		}
		case Fault::What::flood:
			for (;;) {
				send(std::string(4096, 'A'));
				waitFor(POLLOUT | POLLRDHUP);
			}
		}
		throw Over();
	}

	void startTls()
	{
		ssl.reset(SSL_new(static_cast<SSL_CTX*>(server._context.get())), SSL_free);
		SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
		SSL_set_accept_state(ssl.get());
		pump([this] { return SSL_do_handshake(ssl.get()); });
	}

	/// Runs an operation of OpenSSL, which sees memory only: every byte on the wire passes through our hands.
	template <class Operation>
	int pump(Operation&& operation)
	{
		for (;;) {
			ERR_clear_error();
			const int result = operation();
			const int error = SSL_get_error(ssl.get(), result);
			flush();
			if (result > 0) {
				return result;
			}
			if (error != SSL_ERROR_WANT_READ) {
				throw Over();
			}
			char raw[4096];
			const auto count = receiveRaw(raw, sizeof(raw));
			BIO_write(SSL_get_rbio(ssl.get()), raw, static_cast<int>(count));
		}
	}

	void flush()
	{
		char* data = nullptr;
		BIO* out = SSL_get_wbio(ssl.get());
		const long size = BIO_get_mem_data(out, &data);
		const std::string bytes(data, static_cast<std::size_t>(std::max(size, 0L)));
		(void)BIO_reset(out);
		if (!bytes.empty()) {
			sendWire(bytes);
		}
	}

	std::size_t receiveRaw(char* data, std::size_t size) const
	{
		waitFor(POLLIN);
		const auto count = ::recv(fd, data, size, 0);
		if (count <= 0) {
			throw Over();
		}
		return static_cast<std::size_t>(count);
	}

	void receiveApplication()
	{
		char data[4096];
		std::size_t count = 0;
		if (ssl) {
			count = static_cast<std::size_t>(pump([&] { return SSL_read(ssl.get(), data, sizeof(data)); }));
		}
		else {
			count = receiveRaw(data, sizeof(data));
		}
		unread.append(data, count);
		const std::lock_guard lock(server._mutex);
		server._received.append(data, count);
	}

	void sendApplication(const std::string& bytes)
	{
		if (bytes.empty()) {
			return;
		}
		if (ssl) {
			pump([&] { return SSL_write(ssl.get(), bytes.data(), static_cast<int>(bytes.size())); });
		}
		else {
			sendWire(bytes);
		}
	}

	void readRequest()
	{
		std::size_t headEnd = std::string::npos;
		while ((headEnd = unread.find("\r\n\r\n")) == std::string::npos) {
			receiveApplication();
		}
		std::size_t size = headEnd + 4;
		if (const auto length = unread.find("Content-Length: "); length < headEnd) {
			size += std::stoul(unread.substr(length + 16));
		}
		while (unread.size() < size) {
			receiveApplication();
		}
		unread.erase(0, size);
		const std::lock_guard lock(server._mutex);
		++server._requests;
	}
};

FaultServer::FaultServer(Options options)
	: _options(std::move(options)), _context(makeContext(_options)), _reply(httpReply(200, "{}"))
{
	_listener = _options.unixSocket.empty() ? listenOnLoopback(_options.loopback, 128, _port)
											: listenOnUnix(_options.unixSocket);
	_stop = ::eventfd(0, EFD_CLOEXEC);
	_acceptor = std::thread([this] { acceptAll(); });
}

FaultServer::~FaultServer()
{
	::shutdown(_listener, SHUT_RDWR); // first, so that who loses its connection finds no other
	::eventfd_write(_stop, 1);
	_acceptor.join();
	std::unique_lock lock(_mutex);
	_changed.wait(lock, [this] { return _serving == 0; });
	::close(_listener);
	::close(_stop);
}

void FaultServer::setFault(const Fault& fault)
{
	const std::lock_guard lock(_mutex);
	_fault = fault;
}

void FaultServer::setReply(std::string reply)
{
	const std::lock_guard lock(_mutex);
	_reply = std::move(reply);
}

std::string FaultServer::address(const std::string& host) const
{
	if (!_options.unixSocket.empty()) {
		return "unix://" + _options.unixSocket.string();
	}
	return (_options.tls ? "https://" : "http://") + host + ":" + std::to_string(_port);
}

std::size_t FaultServer::connections() const
{
	const std::lock_guard lock(_mutex);
	return _connections;
}

std::size_t FaultServer::requests() const
{
	const std::lock_guard lock(_mutex);
	return _requests;
}

std::string FaultServer::received() const
{
	const std::lock_guard lock(_mutex);
	return _received;
}

std::size_t FaultServer::faults() const
{
	const std::lock_guard lock(_mutex);
	return _faults;
}

bool FaultServer::awaitFaults(std::size_t count) const
{
	std::unique_lock lock(_mutex);
	return _changed.wait_for(lock, std::chrono::seconds(20), [&] { return _faults >= count; });
}

void FaultServer::acceptAll()
{
	for (;;) {
		pollfd fds[] = {{_listener, POLLIN, 0}, {_stop, POLLIN, 0}};
		::poll(fds, 2, -1);
		if (fds[1].revents != 0) {
			return;
		}
		const int fd = ::accept4(_listener, nullptr, nullptr, SOCK_CLOEXEC);
		if (fd < 0) {
			continue;
		}
		const std::lock_guard lock(_mutex);
		++_connections;
		++_serving;
		std::thread([this, fd] { serve(fd); }).detach();
	}
}

void FaultServer::serve(int fd)
{
	{
		Visit visit{*this, fd, {}, 0, 0, {}, {}};
		{
			const std::lock_guard lock(_mutex);
			visit.fault = _fault;
		}
		try {
			visit.run();
		}
		catch (const Over&) {
		}
	}
	::close(fd);
	const std::lock_guard lock(_mutex);
	--_serving;
	_changed.notify_all();
}

BlackHole::BlackHole()
{
	const int listener = listenOnLoopback("127.0.0.1", 0, _port);
	_sockets.push_back(listener);
	sockaddr_in address{};
	address.sin_family = AF_INET;
	address.sin_port = htons(_port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	// One more than the queue holds; those after it never hear back.
	for (int i = 0; i < 3; ++i) {
		const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
		_sockets.push_back(fd);
	}
}

BlackHole::~BlackHole()
{
	for (const int fd : _sockets) {
		::close(fd);
	}
}

std::uint16_t closedPort()
{
	std::uint16_t port = 0;
	::close(listenOnLoopback("127.0.0.1", 1, port));
	return port;
}

} // namespace issuer::test
