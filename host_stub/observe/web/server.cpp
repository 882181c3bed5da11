#include "observe/web/server.h"

#include "common/text.h"

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/ThreadPool.h>

namespace issuer::observe::web {

namespace net = Poco::Net;

namespace {

class Handler : public net::HTTPRequestHandler
{
public:
	explicit Handler(const Site& site) : _site(site) {}

	void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override
	{
		const bool head = request.getMethod() == net::HTTPRequest::HTTP_HEAD;
		if (!head && request.getMethod() != net::HTTPRequest::HTTP_GET) {
			response.set("Allow", "GET, HEAD");
			return send(response, {405, "text/plain; charset=utf-8", "this is for reading only\n", {}, {}}, false);
		}
		send(response, _site.get(request.getURI(), request.get("If-None-Match", "")), head);
	}

private:
	static void send(net::HTTPServerResponse& response, const Answer& answer, bool head)
	{
		response.setStatusAndReason(static_cast<net::HTTPResponse::HTTPStatus>(answer.status));
		response.setContentType(answer.type);
		response.set("Cache-Control", "no-cache"); // keep, but ask each time whether it still holds
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
		response.sendBuffer(answer.body.data(), answer.body.size());
	}

	const Site& _site;
};

class Handlers : public net::HTTPRequestHandlerFactory
{
public:
	explicit Handlers(const Site& site) : _site(site) {}
	net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override { return new Handler(_site); }

private:
	const Site& _site;
};

net::Context::Ptr contextOf(const TlsFiles& files)
{
	net::Context::Ptr context =
		new net::Context(net::Context::SERVER_USE, files.key, files.certificate, files.clientCa.value_or("").string(),
			files.clientCa ? net::Context::VERIFY_STRICT : net::Context::VERIFY_NONE, 9, false);
	context->requireMinimumProtocol(net::Context::PROTO_TLSV1_2);
	// OpenSSL verifies a client's chain; what Poco adds is to look for the client's host name, and a client has none.
	context->enableExtendedCertificateVerification(false);
	context->enableSessionCache(true, "issuer-host"); // without a name, clients that resume a session are turned away
	return context;
}

net::ServerSocket bind(const Settings& settings)
{
	net::ServerSocket socket = settings.tls ? net::SecureServerSocket(contextOf(*settings.tls)) : net::ServerSocket();
	// Poco's default, SO_REUSEPORT, would let a second host share the port and take every other request.
	const bool reuseAddress = true;
	const bool reusePort = false;
	socket.bind({settings.listen.host, settings.listen.port}, reuseAddress, reusePort);
	socket.listen(64);
	return socket;
}

net::HTTPServerParams::Ptr params()
{
	net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
	params->setMaxThreads(16); // a slow reader holds one; the seventeenth waits
	params->setMaxQueued(64);
	params->setTimeout(Poco::Timespan(10, 0));
	params->setKeepAliveTimeout(Poco::Timespan(5, 0)); // longer than the page's pause between two questions
	return params;
}

} // namespace

struct Server::Parts
{
	Poco::ThreadPool threads{"http", 1, 16};
	std::string url;
	std::unique_ptr<net::HTTPServer> server;

	Parts(const Settings& settings, const net::ServerSocket& socket, const Site& site)
		: url((settings.tls ? "https://" : "http://") +
			  ListenAddress{settings.listen.host, socket.address().port()}.text() + "/"),
		  server(std::make_unique<net::HTTPServer>(new Handlers(site), threads, socket, params()))
	{
		server->start();
	}
};

Result<std::unique_ptr<Server>> Server::start(const Settings& settings, const Site& site)
try {
	if (Result<void> allowed = mayListen(settings); !allowed) {
		return tl::unexpected(allowed.error());
	}
	return std::unique_ptr<Server>(new Server(std::make_unique<Parts>(settings, bind(settings), site)));
}
catch (const Poco::Exception& error) {
	return failure("http cannot listen on " + settings.listen.text() + ": " + printable(error.displayText()));
}

Server::Server(std::unique_ptr<Parts> parts) : _parts(std::move(parts)) {}

Server::~Server()
{
	_parts->server->stopAll(true);
	_parts->threads.joinAll();
}

std::string Server::url() const
{
	return _parts->url;
}

} // namespace issuer::observe::web
