#include "fault_server/fault_server.h"

#include "fault_server/listening.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace issuer::test {
namespace {

std::shared_ptr<void> makeContext(const FaultServer::Options& options)
{
	if (!options.tls) {
		return nullptr;
	}
	const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
	if (options.newestTls != 0) {
		SSL_CTX_set_security_level(context.get(), 0); // otherwise OpenSSL itself would refuse versions as old as this
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

FaultServer::FaultServer(Options options)
	: _options(std::move(options)), _context(makeContext(_options)), _reply(httpReply(200, "{}"))
{
	_port = _options.port;
	_listener = _options.unixSocket.empty() ? listenOnLoopback(_options.loopback, 128, _port)
											: listenOnUnix(_options.unixSocket);
	_stop = ::eventfd(0, EFD_CLOEXEC);
	_acceptor = std::thread([this] { acceptAll(); });
}

FaultServer::~FaultServer()
{
	::shutdown(_listener, SHUT_RDWR); // first, so that a client that loses its connection finds no other
	::eventfd_write(_stop, 1);
	_acceptor.join();
	for (auto& thread : _serving) {
		thread.join();
	}
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

void FaultServer::setReplyOf(std::size_t connections, std::string reply)
{
	const std::lock_guard lock(_mutex);
	_replyOfConnections = connections;
	_replyOf = std::move(reply);
}

void FaultServer::closeConnections()
{
	const std::lock_guard lock(_mutex);
	for (const int fd : _open) {
		::shutdown(fd, SHUT_RDWR);
	}
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

std::string FaultServer::askedName() const
{
	const std::lock_guard lock(_mutex);
	return _askedName;
}

bool FaultServer::awaitGoodbyes(std::size_t count) const
{
	std::unique_lock lock(_mutex);
	return _changed.wait_for(lock, std::chrono::seconds(20), [&] { return _goodbyes >= count; });
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
		const int on = 1;
		::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); // or a TLS reply waits 40 ms for an ACK
		joinTheDone();
		const std::lock_guard lock(_mutex);
		++_connections;
		_open.push_back(fd);
		_serving.emplace_back();
		_serving.back() = std::thread([this, fd, number = _connections, self = std::prev(_serving.end())] {
			serve(fd, number);
			const std::lock_guard done(_mutex);
			_done.push_back(self);
		});
	}
}

void FaultServer::joinTheDone()
{
	std::vector<std::list<std::thread>::iterator> done;
	{
		const std::lock_guard lock(_mutex);
		done.swap(_done);
	}
	for (const auto& thread : done) {
		thread->join();
		_serving.erase(thread);
	}
}

} // namespace issuer::test
