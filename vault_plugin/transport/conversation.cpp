#include "transport/conversation.h"

#include "transport/request_writer.h"

#include <chrono>

namespace issuer::vault::transport {

using Kind = ExchangeError::Kind;
using Clock = std::chrono::steady_clock;

Task<ExchangeResult> Conversation::carry(std::string_view request, Patience patience)
{
	const auto begun = Clock::now();
	while (!request.empty()) {
		const auto sent = co_await connection.send(request, patience.firstByte);
		if (!sent) {
			co_return tl::unexpected(sent.error());
		}
		request.remove_prefix(*sent);
	}
	for (auto state = ReplyParser::State::needMore; state != ReplyParser::State::complete;) {
		const bool first = parser.untouched();
		const bool impatient = first && patience.firstByte < patience.deadline;
		auto received = co_await connection.receive(parser.room(), impatient ? patience.firstByte : patience.deadline);
		if (impatient && !received && received.error().kind == Kind::timeout && !connection.isQuiet()) {
			// The reply may have arrived while no thread had time to look: one more read decides.
			received = co_await connection.receive(parser.room(), patience.deadline);
		}
		if (!received) {
			co_return tl::unexpected(received.error());
		}
		if (first) {
			firstByteAfter = std::chrono::duration_cast<Duration>(Clock::now() - begun);
		}
		state = *received == 0 ? parser.end() : parser.feed(*received);
		if (state == ReplyParser::State::malformed) {
			const auto kind = *received == 0 ? Kind::network : Kind::malformed;
			co_return tl::unexpected(ExchangeError{kind, peer + ": " + parser.complaint()});
		}
	}
	co_return parser.take();
}

Task<Expected<void, ExchangeError>> openTunnel(
	Connection& connection, const Address& address, const Address& proxy, const std::string& peer, Deadline deadline)
{
	const auto request = writeConnect(address, proxy);
	ReplyParser parser(ReplyParser::To::connect);
	Conversation conversation{connection, parser, peer};
	const auto reply = co_await conversation.carry(request, {deadline, deadline});
	if (!reply) {
		co_return tl::unexpected(reply.error());
	}
	if (reply->status >= 300) {
		co_return tl::unexpected(ExchangeError{Kind::network,
			peer + ": proxy " + proxy.text() + " opens no tunnel (status " + std::to_string(reply->status) + ")"});
	}
	co_return Expected<void, ExchangeError>();
}

} // namespace issuer::vault::transport
