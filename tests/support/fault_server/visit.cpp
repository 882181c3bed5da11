#include "fault_server/fault_server.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace issuer::test {
namespace {

/// A connection is over, as planned or not.
struct Over
{
};

} // namespace

/// One connection being served.
struct FaultServer::Visit
{
	FaultServer& server;
	int fd;
	std::size_t number; ///< of the connection, from 1 on
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
				reply = number <= server._replyOfConnections ? server._replyOf : server._reply;
			}
			if (answered == 0) {
				gather();
			}
			const bool goesWrong = (fault.connections == 0 || number <= fault.connections) &&
								   fault.what != Fault::What::none && fault.layer == Fault::Layer::reply &&
								   answered >= fault.fromRequest;
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

	void gather()
	{
		std::unique_lock lock(server._mutex);
		if (server._gathered++ < server._options.gather) {
			server._changed.notify_all();
			(void)server._changed.wait_for(
				lock, std::chrono::seconds(20), [this] { return server._gathered >= server._options.gather; });
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
		pump([this] {
			const int result = SSL_do_handshake(ssl.get());
			if (SSL_is_init_finished(ssl.get()) == 1) {
				noteAskedName();
			}
			return result;
		});
	}

	void noteAskedName()
	{
		const char* name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
		const std::lock_guard lock(server._mutex);
		server._askedName = name != nullptr ? name : "";
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
			if (error == SSL_ERROR_ZERO_RETURN) {
				const std::lock_guard lock(server._mutex);
				++server._goodbyes;
				server._changed.notify_all();
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

void FaultServer::serve(int fd, std::size_t number)
{
	{
		Visit visit{*this, fd, number, {}, 0, 0, {}, {}};
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
	const std::lock_guard lock(_mutex);
	_open.remove(fd);
	::close(fd);
}

} // namespace issuer::test
