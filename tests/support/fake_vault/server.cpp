#include "fake_vault/server.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include <Poco/Net/Context.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/Net/ServerSocket.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace issuer::test {
namespace {

using Poco::Net::Context;
using Poco::Net::SocketAddress;

constexpr int backlog = 512;

Context::Ptr contextOf(const Listening& listening)
{
	Context::Params parameters;
	parameters.privateKeyFile = listening.tls->key.string();
	parameters.certificateFile = listening.tls->certificate.string();
	parameters.caLocation = listening.clientCa.string();
	parameters.loadDefaultCAs = false;
	parameters.verificationMode = Context::VERIFY_NONE;
	if (!listening.clientCa.empty()) {
		// With OpenSSL's words: "peer" asks for a certificate, "strict" insists on one.
		parameters.verificationMode =
			listening.clientCertificateRequired ? Context::VERIFY_STRICT : Context::VERIFY_RELAXED;
	}
	Context::Ptr context(new Context(Context::TLS_SERVER_USE, parameters));
	context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
	// "Extended" would compare a client's certificate with the client's address.
	context->enableExtendedCertificateVerification(false);
	if (listening.clientCa.empty()) {
		// As a real server: it asks for a certificate and takes any, which its auth mounts judge.
		static constexpr unsigned char name[] = "fake-vault";
		SSL_CTX_set_session_id_context(context->sslContext(), name, sizeof name - 1);
		SSL_CTX_set_verify(context->sslContext(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
	}
	return context;
}

/// Binds a socket that will never listen, so that no other process gets the port; returns the socket and sets the port.
int reserve(const SocketAddress& address, int& port)
{
	const int fd = ::socket(address.af(), SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int yes = 1;
	::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (::bind(fd, address.addr(), address.length()) != 0) {
		const int error = errno;
		::close(fd);
		throw std::system_error(error, std::generic_category(), "cannot listen at " + address.toString());
	}
	sockaddr_storage bound{};
	socklen_t length = sizeof bound;
	::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length);
	port = SocketAddress(reinterpret_cast<sockaddr*>(&bound), length).port();
	return fd;
}

/// A client that has gone must not end the process by SIGPIPE: TLS says good-bye even to the dead.
void blockSigpipe()
{
	sigset_t signals;
	::sigemptyset(&signals);
	::sigaddset(&signals, SIGPIPE);
	::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

} // namespace

struct Server::Running
{
	Poco::Net::StreamSocket socket;
	int fd; ///< -1: the thread is about to end, and the number may soon mean another file
	std::thread thread = {};
};

Server::Server(Listening listening, Connection::Handler handler)
	: _listening(std::move(listening)), _handler(std::move(handler)), _wakeUp(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
	if (_listening.unixSocket.empty()) {
		_reservation = reserve(SocketAddress(_listening.host, static_cast<Poco::UInt16>(_listening.port)), _port);
	}
	start();
}

Server::~Server()
{
	stop();
	::close(_wakeUp);
	if (_reservation >= 0) {
		::close(_reservation);
	}
}

void Server::start()
{
	if (_socket) {
		return;
	}
	auto socket = _listening.tls ? std::make_unique<Poco::Net::SecureServerSocket>(contextOf(_listening))
								 : std::make_unique<Poco::Net::ServerSocket>();
	if (_listening.unixSocket.empty()) {
		const bool ofOurReservation = true;
		socket->bind(SocketAddress(_listening.host, static_cast<Poco::UInt16>(_port)), ofOurReservation, false);
	}
	else {
		std::filesystem::remove(_listening.unixSocket); // left there by the last run
		socket->bind(SocketAddress(SocketAddress::UNIX_LOCAL, _listening.unixSocket.string()), false);
	}
	socket->listen(backlog);
	_socket = std::move(socket);
	_acceptor = std::thread([this] { accept(); });
}

void Server::stop()
{
	if (!_socket) {
		return;
	}
	::eventfd_write(_wakeUp, 1);
	_acceptor.join();
	::eventfd_t ignored = 0;
	::eventfd_read(_wakeUp, &ignored);
	_socket.reset();
	{
		const std::lock_guard lock(_mutex);
		for (const auto& running : _connections) {
			if (running.fd >= 0) {
				::shutdown(running.fd, SHUT_RDWR);
			}
		}
	}
	// The acceptor is gone, so that no entry is added; ending threads only touch their own entry.
	for (auto& running : _connections) {
		running.thread.join();
	}
	_connections.clear();
}

void Server::accept()
{
	blockSigpipe();
	pollfd events[] = {{.fd = _socket->impl()->sockfd(), .events = POLLIN, .revents = 0},
		{.fd = _wakeUp, .events = POLLIN, .revents = 0}};
	for (;;) {
		if (::poll(events, 2, -1) < 0) {
			continue; // a signal
		}
		if (events[1].revents != 0) {
			return;
		}
		joinEnded();
		try {
			auto socket = _socket->acceptConnection();
			if (_listening.unixSocket.empty()) {
				socket.setNoDelay(true);
			}
			const int fd = socket.impl()->sockfd();
			const std::lock_guard lock(_mutex);
			auto& running = _connections.emplace_back(Running{.socket = std::move(socket), .fd = fd});
			running.thread = std::thread([this, &running] { serve(running); });
		}
		catch (const Poco::Exception&) {
			continue; // gone before it was accepted
		}
	}
}

void Server::serve(Running& running)
{
	blockSigpipe();
	Poco::Net::StreamSocket socket = std::move(running.socket);
	{
		Connection connection(socket, _listening.tls.has_value());
		connection.run(_handler);
	}
	{
		const std::lock_guard lock(_mutex);
		running.fd = -1;
	}
	socket.close();
}

void Server::joinEnded()
{
	const std::lock_guard lock(_mutex);
	std::erase_if(_connections, [](Running& running) {
		if (running.fd >= 0) {
			return false;
		}
		running.thread.join();
		return true;
	});
}

std::string Server::address() const
{
	if (!_listening.unixSocket.empty()) {
		return "unix://" + _listening.unixSocket.string();
	}
	return (_listening.tls ? "https://" : "http://") +
		   SocketAddress(_listening.host, static_cast<Poco::UInt16>(_port)).toString();
}

} // namespace issuer::test
