#pragma once

#include "transport/connection.h"
#include "transport/exchange.h"
#include "transport/reply_parser.h"

#include <string>
#include <string_view>

namespace issuer::vault::transport {

/// The times until which a peer is waited for.
struct Patience
{
	Deadline firstByte; ///< not later than `deadline`
	Deadline deadline;
};

/// One request and its reply over an open connection.
struct Conversation
{
	Connection& connection;
	ReplyParser& parser; ///< new; afterwards tells whether any byte of a reply came
	const std::string& peer;
	Duration firstByteAfter{}; ///< time from the first byte of the request to the first one of the reply

	/// Sends `request` and returns the reply in one piece, however many pieces it arrives in. An error of kind
	/// `timeout`, with the parser untouched and time left, means that no first byte came.
	[[nodiscard]] Task<ExchangeResult> carry(std::string_view request, Patience patience);
};

/// Asks `proxy`, to which `connection` leads, for a tunnel to `address`.
[[nodiscard]] Task<Expected<void, ExchangeError>> openTunnel(
	Connection& connection, const Address& address, const Address& proxy, const std::string& peer, Deadline deadline);

} // namespace issuer::vault::transport
