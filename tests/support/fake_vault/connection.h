#pragma once

#include "fake_vault/message.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include <Poco/Net/StreamSocket.h>

namespace Poco::Net {
class HTTPServerSession;
} // namespace Poco::Net

namespace issuer::test {

/// One client's connection: reads requests, lets the handler answer, keeps alive. Lives on one thread; another one ends
/// it by shutting the socket down.
class Connection
{
public:
	/// The reply as the handler wants it sent; an empty one closes the connection.
	struct Answer
	{
		std::optional<ApiReply> reply;
		std::optional<std::chrono::milliseconds> drip; ///< pause before each byte
		std::function<void()> afterwards = {};         ///< called when the reply is on its way
	};

	/// Called on the connection's thread; may wait with waitWhile.
	using Handler = std::function<Answer(ApiRequest&, Connection&)>;

	Connection(const Poco::Net::StreamSocket& socket, bool tls) : _socket(socket), _tls(tls) {}

	/// Returns when the client or a shutdown of the socket has ended it. Does not close the socket. Never throws.
	void run(const Handler& handler) noexcept;

	/// Waits as long as the condition holds, at most this long. False: the client has gone or the server stops.
	bool waitWhile(const std::function<bool()>& condition, std::chrono::milliseconds atMost) const;

private:
	void serve(const Handler& handler);
	bool serveOne(Poco::Net::HTTPServerSession& session, const Handler& handler);
	bool send(const std::string& bytes, std::optional<std::chrono::milliseconds> drip);
	[[nodiscard]] bool hasGone(std::chrono::milliseconds within) const;
	bool refusePlainHttp();

	Poco::Net::StreamSocket _socket;
	const bool _tls;
};

} // namespace issuer::test
