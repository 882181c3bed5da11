#pragma once

#include "base/json_sieve.h"
#include "base/result.h"
#include "base/wiped.h"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace issuer::vault {

struct HttpReply;

/// Takes the body of a reply while it arrives: a stream without an end, or more than a reply keeps.
class BodyReader
{
public:
	virtual ~BodyReader() = default;

	/// Takes the next piece, never empty, which is borrowed until it returns. Called on the exchange's thread. An error
	/// ends the exchange, which fails with kind `malformed` and this text after the peer's name.
	[[nodiscard]] virtual Result<void> take(std::string_view piece) = 0;
};

/// A request as plain data: wire/ writes it and transport/ carries it. It borrows the texts that it refers to until
/// the exchange has ended.
struct HttpRequest
{
	std::string_view method;
	std::string path;                                                   ///< from "/", below the address's own prefix
	std::vector<std::pair<std::string_view, std::string_view>> headers; ///< none of them secret
	std::string_view secretHeader; ///< name of the one header that is secret; empty: none
	std::string_view secret;
	WipedString body; ///< may hold secrets, as that of a login does

	/// Members of the reply's JSON that are read. All others are skipped as they arrive; of a reply that is no JSON
	/// object, its beginning is kept. Empty: the whole body is kept.
	std::span<const JsonKey> reads = {};

	/// Takes the body of a successful reply (2xx) piece by piece: of that nothing is kept, and its length has no limit.
	/// Null: as `reads` says.
	BodyReader* bodyReader = nullptr;

	/// Returns whether a complete reply is in the server's own language, rather than a page of a proxy or gateway: only
	/// then does its connection lead to the server. Null: every reply is. Pure; called on the exchange's thread.
	bool (*understands)(const HttpReply& reply) = nullptr;

	/// True if the request may be sent once more, over a fresh connection, when a kept one brings no byte of a reply. A
	/// request that may not (a login, an unwrapping) always gets a fresh connection.
	bool repeatable = true;

	/// True if it counts which client certificate the connection has: the files are looked at before it is sent.
	bool readsCertificateFirst = false;
};

/// A complete reply: every byte that its head promised has arrived.
struct HttpReply
{
	int status = 0;
	std::string retryAfter; ///< the header Retry-After, or empty
	WipedString location;   ///< the header Location, or empty; may repeat the request
	std::string coding;     ///< of the body (Content-Encoding), such as "gzip"; empty: none. A coded body is dropped
	/// The request was sent before, over a kept connection, and not answered: the server may have carried that out.
	bool sentBefore = false;
	WipedString body; ///< the members that the request reads, see JsonSieve; may hold a token or an accessor

	/// Lines for the operator, the same with each reply while their cause lasts: log them when they change.
	std::vector<std::string> advice;
};

/// The reason why an exchange brought no complete reply.
struct ExchangeError
{
	enum class Kind
	{
		cancelled,     ///< stop was called; not a failure
		timeout,       ///< the deadline passed
		network,       ///< not resolved, refused, reset, closed before a complete reply
		tls,           ///< handshake or verification failed: the token was not sent
		malformed,     ///< not HTTP, too large, too many headers
		configuration, ///< a CA or key file that cannot be read, an unusable address
	};

	Kind kind;
	std::string text; ///< one line for the operator; names the peer, never a secret

	/// Certainly no byte of the request has left: the server cannot have carried it out.
	bool unsent = false;
	/// The cause is that this process had no descriptor left.
	bool outOfDescriptors = false;
};

} // namespace issuer::vault
