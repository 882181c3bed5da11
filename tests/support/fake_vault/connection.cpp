#include "fake_vault/connection.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <sstream>

#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponseImpl.h>
#include <Poco/Net/HTTPServerSession.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/StreamCopier.h>
#include <poll.h>
#include <sys/socket.h>

namespace issuer::test {
namespace {

using Poco::Net::HTTPResponse;
using Poco::Net::HTTPServerRequestImpl;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds slice(10);      ///< how late a wait may notice that its condition has changed
constexpr int requestTimeout = 10;     ///< seconds; as a real server, for a request that does not come
constexpr int keepAliveTimeout = 300;  ///< seconds; the same, between two requests
constexpr std::uint8_t handshake = 22; ///< the first byte of a TLS client

Poco::Net::HTTPServerParams::Ptr sessionParameters()
{
	Poco::Net::HTTPServerParams::Ptr parameters(new Poco::Net::HTTPServerParams);
	parameters->setTimeout(Poco::Timespan(requestTimeout, 0));
	parameters->setKeepAliveTimeout(Poco::Timespan(keepAliveTimeout, 0));
	return parameters;
}

std::string addressOf(const Poco::Net::SocketAddress& address)
{
	return address.family() == Poco::Net::SocketAddress::UNIX_LOCAL ? "" : address.host().toString();
}

/// Reads a body. A POST that announces none has none: waiting for one until the client closes is not the behaviour of
/// real servers.
std::string bodyOf(HTTPServerRequestImpl& request)
{
	std::string body;
	if (request.hasContentLength() || request.getChunkedTransferEncoding()) {
		Poco::StreamCopier::copyToString(request.stream(), body);
	}
	return body;
}

std::optional<ClientCertificate> clientCertificateOf(const Poco::Net::StreamSocket& socket)
{
	const Poco::Net::SecureStreamSocket secure(socket);
	if (!secure.havePeerCertificate()) {
		return {};
	}
	std::ostringstream pem;
	secure.peerCertificate().save(pem);
	return ClientCertificate{pem.str()};
}

std::string bytesOf(const ApiReply& reply, const HTTPServerRequestImpl& request, bool keepAlive)
{
	HTTPResponse head(request.getVersion(), static_cast<HTTPResponse::HTTPStatus>(reply.status));
	head.setReason(HTTPResponse::getReasonForStatus(head.getStatus()));
	for (const auto& [name, value] : reply.headers) {
		head.add(name, value);
	}
	head.setDate(Poco::Timestamp());
	if (reply.status != HTTPResponse::HTTP_NO_CONTENT) {
		head.setContentLength64(static_cast<Poco::Int64>(reply.body.size()));
	}
	if (!keepAlive || request.getVersion() == Poco::Net::HTTPMessage::HTTP_1_0) {
		head.setKeepAlive(keepAlive);
	}
	std::ostringstream bytes;
	head.write(bytes);
	if (request.getMethod() != "HEAD") {
		bytes << reply.body;
	}
	return bytes.str();
}

/// A session closes its socket when it goes; this one belongs to the server, which must first forget its number.
class KeepOpen
{
public:
	explicit KeepOpen(Poco::Net::HTTPServerSession& session) : _session(session) {}
	~KeepOpen() { _session.detachSocket(); }
	KeepOpen(const KeepOpen&) = delete;
	KeepOpen& operator=(const KeepOpen&) = delete;

private:
	Poco::Net::HTTPServerSession& _session;
};

} // namespace

void Connection::run(const Handler& handler) noexcept
{
	try {
		serve(handler);
	}
	catch (
		const std::exception&) { // NOLINT(bugprone-empty-catch): a client that goes away in any state is no error here
	}
}

void Connection::serve(const Handler& handler)
{
	if (_tls && refusePlainHttp()) {
		return;
	}
	Poco::Net::HTTPServerSession session(_socket, sessionParameters());
	const KeepOpen keepOpen(session);
	while (session.hasMoreRequests() && serveOne(session, handler)) {
	}
}

bool Connection::serveOne(Poco::Net::HTTPServerSession& session, const Handler& handler)
{
	auto parameters = sessionParameters();
	Poco::Net::HTTPServerResponseImpl response(session);
	HTTPServerRequestImpl request(response, session, parameters);
	if (request.getExpectContinue()) {
		response.sendContinue();
	}
	ApiRequest plain{.method = request.getMethod(), .target = request.getURI(), .headers = request};
	plain.body = bodyOf(request);
	plain.clientAddress = addressOf(session.clientAddress());
	plain.clientCertificate = _tls ? clientCertificateOf(_socket) : std::nullopt;

	const Answer answer = handler(plain, *this);
	const bool keepAlive = request.getKeepAlive();
	const bool sent = answer.reply && send(bytesOf(*answer.reply, request, keepAlive), answer.drip);
	if (answer.afterwards) {
		answer.afterwards();
	}
	return sent && keepAlive;
}

bool Connection::send(const std::string& bytes, std::optional<milliseconds> drip)
{
	const std::size_t step = drip ? 1 : bytes.size();
	for (std::size_t sent = 0; sent < bytes.size();) {
		if (drip && hasGone(*drip)) {
			return false;
		}
		const auto length = static_cast<int>(std::min(step, bytes.size() - sent));
		const int done = _socket.sendBytes(bytes.data() + sent, length);
		if (done <= 0) {
			return false;
		}
		sent += static_cast<std::size_t>(done);
	}
	return true;
}

bool Connection::waitWhile(const std::function<bool()>& condition, milliseconds atMost) const
{
	const auto end = steady_clock::now() + atMost;
	while (condition() && steady_clock::now() < end) {
		const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
		if (hasGone(std::clamp(left, milliseconds(0), slice))) {
			return false;
		}
	}
	return true;
}

bool Connection::hasGone(milliseconds within) const
{
	pollfd client{.fd = _socket.impl()->sockfd(), .events = POLLRDHUP, .revents = 0};
	return ::poll(&client, 1, static_cast<int>(within.count())) > 0;
}

bool Connection::refusePlainHttp()
{
	std::uint8_t first = 0;
	pollfd client{.fd = _socket.impl()->sockfd(), .events = POLLIN, .revents = 0};
	if (::poll(&client, 1, requestTimeout * 1000) <= 0 || ::recv(client.fd, &first, 1, MSG_PEEK) != 1) {
		return true;
	}
	if (first == handshake) {
		return false;
	}
	static constexpr std::string_view refusal =
		"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
	::send(client.fd, refusal.data(), refusal.size(), MSG_NOSIGNAL);
	// The rest of the request is left unread; the connection may be reset for that only when the client has the
	// refusal.
	::shutdown(client.fd, SHUT_WR);
	std::uint8_t rest[4096];
	while (::recv(client.fd, rest, sizeof rest, 0) > 0) {
	}
	return true;
}

} // namespace issuer::test
