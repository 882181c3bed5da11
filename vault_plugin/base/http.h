#pragma once

#include "base/json_sieve.h"
#include "base/wiped.h"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace issuer::vault {

struct HttpReply;

/// A request as plain data: what vault/ means and transport/ carries. What it names is borrowed until the exchange has
/// ended.
struct HttpRequest
{
	std::string_view method;
	std::string_view path;                                              ///< from "/", below the address's own prefix
	std::vector<std::pair<std::string_view, std::string_view>> headers; ///< nothing secret
	std::string_view secretHeader; ///< name of the one header that is secret; empty: none
	std::string_view secret;
	std::string body;

	/// Members of the reply's JSON that are read. The others are skipped while they come; of a reply that is no JSON
	/// object, its beginning is kept. Empty: the whole body is kept.
	std::span<const JsonKey> reads = {};

	/// Tells whether a complete reply is in the server's own language, rather than a page of something before it: only
	/// then does its connection lead to the server. Null: each reply is. Pure; called on the exchange's thread.
	bool (*understands)(const HttpReply& reply) = nullptr;

	/// The request may be sent once more, over a fresh connection, when a kept one brings no byte of a reply. One that
	/// may not (a login, an unwrapping) always gets a fresh connection.
	bool repeatable = true;
};

/// A complete reply: every byte its headers promised has come.
struct HttpReply
{
	int status = 0;
	std::string retryAfter; ///< the header, or empty
	WipedString location;   ///< likewise; may repeat the request
	std::string coding;     ///< of the body (Content-Encoding), such as "gzip"; empty: none. A coded body is dropped
	WipedString body;       ///< what the request reads of it, see JsonSieve; may hold a token or an accessor

	/// Lines for the operator, the same with each reply for as long as they hold: log them when they change.
	std::vector<std::string> advice;
};

/// Why an exchange brought no complete reply.
struct ExchangeError
{
	enum class Kind
	{
		cancelled,     ///< stop was called; no failure of anybody
		timeout,       ///< the deadline passed
		network,       ///< not resolved, refused, reset, closed before a complete reply
		tls,           ///< handshake or verification failed: the token was not sent
		malformed,     ///< not HTTP, too large, too many headers
		configuration, ///< a CA or key file that cannot be read, an unusable address
	};

	Kind kind;
	std::string text; ///< one line for people; names the peer, never a secret

	/// Surely no byte of the request has left: the server cannot have done what it asks.
	bool unsent = false;
	/// This process had no descriptor left.
	bool outOfDescriptors = false;
};

} // namespace issuer::vault
