#pragma once

#include "base/http.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace issuer::vault::transport {

/// Reads one HTTP/1.x reply out of bytes as they come; knows no socket and never waits.
///
/// Strict where leniency would let a truncated or smuggled reply pass for a complete one: every line ends in CRLF,
/// lengths are plain digits, Content-Length and chunked together are refused. Interim replies (1xx) are skipped.
/// All bytes live in one buffer that is wiped.
class ReplyParser
{
public:
	static constexpr std::size_t largestHead = 16 * 1024;
	static constexpr std::size_t largestBody = 64 * 1024;
	static constexpr std::size_t mostHeaders = 100;

	enum class State
	{
		needMore,
		complete,
		malformed, ///< see complaint()
	};

	/// What the reply answers: one to CONNECT has no body when it agrees, whatever its headers say.
	enum class To
	{
		request,
		connect,
	};

	/// `buffer`: what takeBuffer() gave, or none.
	explicit ReplyParser(To to = To::request, WipedString buffer = {});

	/// Where the next bytes go. Valid until the next call of room().
	[[nodiscard]] std::span<char> room();

	/// `count` bytes have been written to room(). Only while needMore.
	State feed(std::size_t count);

	/// The peer has closed.
	State end();

	/// No byte of an answer has come yet.
	[[nodiscard]] bool untouched() const noexcept { return !_started; }

	/// After `complete`: the peer will answer another request on the same connection.
	[[nodiscard]] bool keepsConnection() const noexcept;

	/// After `malformed`: what is wrong, for people; quotes nothing of the reply.
	[[nodiscard]] const std::string& complaint() const noexcept { return _complaint; }

	/// After `complete`, once.
	[[nodiscard]] HttpReply take();

	/// Its room, wiped, for the next parser: the last that is asked of this one.
	[[nodiscard]] WipedString takeBuffer();

private:
	enum class Framing
	{
		length,
		chunked,
		untilClose,
	};
	enum class Phase
	{
		head,
		body,
		chunkSize,
		chunkData,
		trailer,
		done,
	};

	State advance();
	bool step();
	bool readHead();
	bool readChunkSize();
	bool readChunkData();
	bool readTrailer();
	bool readStatusLine(std::string_view line);
	bool readHeader(std::string_view line);
	bool frame();
	[[nodiscard]] std::string_view unread() const;
	[[nodiscard]] std::optional<std::string_view> takeLine();
	bool refuse(std::string complaint);

	WipedString _buffer; ///< what came, decoded in place: [0, _decoded) is body, [_next, _end) is still to be read
	std::size_t _decoded = 0;
	std::size_t _next = 0;
	std::size_t _end = 0;
	std::size_t _used = 0;     ///< what was ever written to
	std::size_t _searched = 0; ///< no end of head before here
	std::size_t _overhead = 0; ///< bytes of chunk lines and trailers so far

	const To _to;
	Phase _phase = Phase::head;
	Framing _framing = Framing::untilClose;
	std::size_t _left = 0; ///< of the body or the chunk
	std::size_t _interim = 0;
	bool _started = false;
	bool _mayKeep = true;
	std::optional<std::size_t> _contentLength;
	bool _chunked = false;
	HttpReply _reply;
	std::string _complaint;
};

} // namespace issuer::vault::transport
