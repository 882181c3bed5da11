#include "observe/web/server.h"

#include "common/text.h"
#include "observe/web/accept_encoding.h"

#include <Poco/DeflatingStream.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerConnection.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/Net/TCPServer.h>
#include <Poco/ThreadPool.h>
#include <array>
#include <mutex>
#include <openssl/ssl.h>
#include <sstream>
#include <sys/stat.h>

namespace issuer::observe::web {

namespace net = Poco::Net;

namespace {

/// Shared by all requests of a server.
struct Shared
{
	const Site& site;
	const bool onLoopback;
	Connections connections;
};

/// Returns whether a request's Host is a name of this machine itself, with any port; a request without one is
/// HTTP/1.0's.
bool isLocalName(std::string host)
{
	const std::size_t bracket = host.find(']');
	host = host.substr(0, host.find(':', bracket == std::string::npos ? 0 : bracket));
	if (host.starts_with('[') && host.ends_with(']')) {
		host = host.substr(1, host.size() - 2);
	}
	return host.empty() || host == "localhost" || ListenAddress{host, 0}.isLoopback();
}

std::string gzipped(const std::string& text)
{
	constexpr int fast = 1;
	std::ostringstream packed;
	Poco::DeflatingOutputStream stream(packed, Poco::DeflatingStreamBuf::STREAM_GZIP, fast);
	stream.write(text.data(), static_cast<std::streamsize>(text.size()));
	stream.close();
	return std::move(packed).str();
}

class Handler : public net::HTTPRequestHandler
{
public:
	explicit Handler(Shared& shared) : _shared(shared) {}

	void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override
	{
		const void* const key = static_cast<net::HTTPServerRequestImpl&>(request).socket().impl();
		_shared.connections.answering(key);
		answer(request, response);
		_shared.connections.answered(key);
	}

private:
	void answer(const net::HTTPServerRequest& request, net::HTTPServerResponse& response) const
	{
		if (request.getContentLength64() > 0 || request.getChunkedTransferEncoding()) {
			response.setKeepAlive(false); // a body is not read here, and must not be taken for the next request
		}
		if (_shared.onLoopback && !isLocalName(request.get("Host", ""))) {
			return send(
				response, {421, "text/plain; charset=utf-8", "this host answers to localhost only\n", {}, {}}, {});
		}
		const bool head = request.getMethod() == net::HTTPRequest::HTTP_HEAD;
		if (!head && request.getMethod() != net::HTTPRequest::HTTP_GET) {
			response.set("Allow", "GET, HEAD");
			return send(
				response, {405, "text/plain; charset=utf-8", "method not allowed; use GET or HEAD\n", {}, {}}, {});
		}
		send(response, _shared.site.get(request.getURI(), request.get("If-None-Match", "")),
			{head, packingFor(request.get("Accept-Encoding", ""))});
	}

	struct Wish
	{
		bool head = false;
		Packing packing = Packing::never;
	};

	static void send(net::HTTPServerResponse& response, const Answer& answer, Wish wish)
	{
		constexpr std::size_t worthIt = 16 * 1024;
		const bool head = wish.head;
		response.setStatusAndReason(static_cast<net::HTTPResponse::HTTPStatus>(answer.status));
		response.setContentType(answer.type);
		response.set("Cache-Control", "no-cache"); // may be cached, but must be revalidated each time
		response.set("Vary", "Accept-Encoding");
		response.set("X-Content-Type-Options", "nosniff");
		response.set("Referrer-Policy", "no-referrer");
		response.set("Cross-Origin-Resource-Policy", "same-origin");
		response.set("Content-Security-Policy", answer.contentSecurityPolicy.empty()
													? "default-src 'none'; frame-ancestors 'none'"
													: answer.contentSecurityPolicy);
		if (!answer.etag.empty()) {
			response.set("ETag", answer.etag);
		}
		if (head || answer.status == net::HTTPResponse::HTTP_NOT_MODIFIED) {
			if (head) {
				response.setContentLength64(static_cast<Poco::Int64>(answer.body.size()));
			}
			response.send();
			return;
		}
		if (wish.packing == Packing::always || (wish.packing == Packing::ifLarge && answer.body.size() >= worthIt)) {
			const std::string packed = gzipped(answer.body);
			response.set("Content-Encoding", "gzip");
			response.sendBuffer(packed.data(), packed.size());
			return;
		}
		response.sendBuffer(answer.body.data(), answer.body.size());
	}

	Shared& _shared;
};

class Handlers : public net::HTTPRequestHandlerFactory
{
public:
	explicit Handlers(Shared& shared) : _shared(shared) {}
	net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override
	{
		return new Handler(_shared);
	}

private:
	Shared& _shared;
};

/// A connection that reports its end.
class Connection : public net::HTTPServerConnection
{
public:
	Connection(const net::StreamSocket& socket, const net::HTTPServerParams::Ptr& params,
		const net::HTTPRequestHandlerFactory::Ptr& handlers, Shared& shared)
		: net::HTTPServerConnection(socket, params, handlers), _shared(shared), _key(socket.impl())
	{
	}
	~Connection() override { _shared.connections.ended(_key); }

private:
	Shared& _shared;
	const void* const _key;
};

class ConnectionFactory : public net::TCPServerConnectionFactory
{
public:
	ConnectionFactory(net::HTTPServerParams::Ptr params, Shared& shared)
		: _params(std::move(params)), _handlers(new Handlers(shared)), _shared(shared)
	{
	}
	net::TCPServerConnection* createConnection(const net::StreamSocket& socket) override
	{
		return new Connection(socket, _params, _handlers, _shared);
	}

private:
	const net::HTTPServerParams::Ptr _params;
	const net::HTTPRequestHandlerFactory::Ptr _handlers;
	Shared& _shared;
};

net::Context::Ptr contextOf(const TlsFiles& files)
{
	net::Context::Ptr context =
		new net::Context(net::Context::SERVER_USE, files.key, files.certificate, files.clientCa.value_or("").string(),
			files.clientCa ? net::Context::VERIFY_STRICT : net::Context::VERIFY_NONE, 9, false);
	if (::SSL_CTX_check_private_key(context->sslContext()) != 1) {
		throw Poco::InvalidArgumentException(
			"the key " + files.key.string() + " does not belong to the certificate " + files.certificate.string());
	}
	context->requireMinimumProtocol(net::Context::PROTO_TLSV1_2);
	// OpenSSL verifies a client's chain; Poco would in addition look for the client's host name, which it does not
	// have.
	context->enableExtendedCertificateVerification(false);
	context->enableSessionCache(true, "issuer-host"); // without this id, clients that resume a session are rejected
	return context;
}

/// The certificate in use, which follows its files: each handshake looks whether they have changed, so the first
/// connection after a replacement has the new one. [thread-safe]
class Certificate
{
public:
	explicit Certificate(TlsFiles files)
		: _files(std::move(files)), _context(contextOf(_files)), _stamp(stamp()), _newest(_context)
	{
		::SSL_CTX_set_cert_cb(_context->sslContext(), present, this);
	}

	/// The context of the listening socket; its handshakes ask this object, which must outlive them.
	[[nodiscard]] const net::Context::Ptr& context() const { return _context; }

private:
	/// Called by OpenSSL when a handshake needs a certificate.
	static int present(SSL* connection, void* self)
	{
		const net::Context::Ptr pair = static_cast<Certificate*>(self)->newest();
		SSL_CTX* const from = pair->sslContext();
		STACK_OF(X509)* chain = nullptr;
		::SSL_CTX_get0_chain_certs(from, &chain);
		const int replaceOthers = 1;
		return ::SSL_use_cert_and_key(
			connection, ::SSL_CTX_get0_certificate(from), ::SSL_CTX_get0_privatekey(from), chain, replaceOthers);
	}

	/// Reads the files again if they have changed, and returns the last pair of them that fits together.
	net::Context::Ptr newest()
	{
		const std::lock_guard lock(_mutex);
		const Stamp now = stamp();
		if (now != _stamp) {
			_stamp = now;
			try {
				_newest = contextOf(_files);
			}
			catch (const Poco::Exception&) {
				// Probably half of a replacement: the other half changes the stamp again.
			}
		}
		return _newest;
	}

	using Stamp = std::array<std::int64_t, 6>;

	[[nodiscard]] Stamp stamp() const
	{
		Stamp stamp{};
		std::size_t i = 0;
		for (const std::filesystem::path& file : {_files.certificate, _files.key}) {
			struct stat status
			{
			};
			::stat(file.c_str(), &status);
			stamp[i++] = static_cast<std::int64_t>(status.st_ino);
			stamp[i++] = status.st_mtim.tv_sec;
			stamp[i++] = status.st_mtim.tv_nsec;
		}
		return stamp;
	}

	const TlsFiles _files;
	const net::Context::Ptr _context;
	std::mutex _mutex;         ///< guards the members below
	Stamp _stamp;              ///< size and times of certificate and key when they were read last
	net::Context::Ptr _newest; ///< the TLS context with the certificate and key in use
};

/// Admits connections, on the thread that accepts them.
class Door : public net::TCPServerConnectionFilter
{
public:
	explicit Door(Shared& shared) : _shared(shared) {}
	bool accept(const net::StreamSocket& socket) override
	{
		return _shared.connections.admit(socket.impl(), socket.impl()->sockfd());
	}

private:
	Shared& _shared;
};

net::ServerSocket listenAt(const Settings& settings, const std::shared_ptr<Certificate>& certificate)
{
	net::ServerSocket socket = certificate ? net::SecureServerSocket(certificate->context()) : net::ServerSocket();
	// Poco's default, SO_REUSEPORT, would let a second host share the port and take every other request.
	const bool reuseAddress = true;
	const bool reusePort = false;
	socket.bind({settings.listen.host, settings.listen.port}, reuseAddress, reusePort);
	socket.listen(1024);
	return socket;
}

net::HTTPServerParams::Ptr params(const Connections::Limits& limits)
{
	net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
	params->setMaxThreads(static_cast<int>(limits.most));
	// Room for those that wait until one that was shut down has ended.
	params->setMaxQueued(static_cast<int>(limits.most) * 4);
	params->setTimeout(Poco::Timespan(10, 0));
	params->setKeepAliveTimeout(Poco::Timespan(5, 0)); // longer than the page's pause between two requests
	return params;
}

} // namespace

struct Server::Parts
{
	std::shared_ptr<Certificate> certificate; ///< null: no TLS
	Shared shared;
	Poco::ThreadPool threads;
	std::string url;
	std::unique_ptr<net::TCPServer> server;

	Parts(const Settings& settings, std::shared_ptr<Certificate> itsCertificate, const Site& site,
		const Connections::Limits& limits)
		: certificate(std::move(itsCertificate)), shared{site, settings.listen.isLoopback(), Connections(limits)},
		  threads("http", 1, static_cast<int>(limits.most))
	{
		const net::ServerSocket socket = listenAt(settings, certificate);
		url = (settings.tls ? "https://" : "http://") +
			  ListenAddress{settings.listen.host, socket.address().port()}.text() + "/";
		const net::HTTPServerParams::Ptr itsParams = params(limits);
		server = std::make_unique<net::TCPServer>(new ConnectionFactory(itsParams, shared), threads, socket, itsParams);
		server->setConnectionFilter(new Door(shared));
		server->start();
	}
};

Result<std::unique_ptr<Server>> Server::start(
	const Settings& settings, const Site& site, const Connections::Limits& limits)
try {
	if (Result<void> allowed = mayListen(settings); !allowed) {
		return tl::unexpected(allowed.error());
	}
	const auto certificate = settings.tls ? std::make_shared<Certificate>(*settings.tls) : nullptr;
	return std::unique_ptr<Server>(new Server(std::make_unique<Parts>(settings, certificate, site, limits)));
}
catch (const Poco::Exception& error) {
	return failure("http cannot listen on " + settings.listen.text() + ": " + sanitize(error.displayText()));
}

Server::Server(std::unique_ptr<Parts> parts) : _parts(std::move(parts)) {}

Server::~Server()
{
	_parts->server->stop();
	_parts->shared.connections.shutDownAll();
	_parts->threads.joinAll();
}

std::string Server::url() const
{
	return _parts->url;
}

} // namespace issuer::observe::web
