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
/// Strict where leniency would let a truncated reply pass for a complete one: every line ends in CRLF, lengths are
/// plain digits. Where a length and chunks, or `chunked` several times, are announced, the chunks count and the
/// connection is not kept (RFC 9112, 6.3). Interim replies (1xx) are skipped. Of a body of up to 4 MiB only the members
/// that are read are stored, and at most 64 KiB of them; a BodyReader gets the body of a successful reply of any
/// length. All bytes live in one buffer that is wiped.
class ReplyParser
{
public:
	static constexpr std::size_t largestHead = 16 * 1024;
	static constexpr std::size_t largestBody = 4 * 1024 * 1024; ///< bytes, chunk framing not counted
	static constexpr std::size_t largestKept = 64 * 1024;       ///< bytes of the body that are stored
	static constexpr std::size_t mostHeaders = 100;

	enum class State
	{
		needMore,
		complete,
		malformed, ///< see complaint()
	};

	/// The request that the reply answers: a successful reply to CONNECT has no body, whatever its headers say.
	enum class To
	{
		request,
		connect,
	};

	/// `buffer`: the result of an earlier takeBuffer(), or empty. `reads`, `bodyReader`: HttpRequest's, borrowed.
	explicit ReplyParser(To to = To::request, WipedString buffer = {}, std::span<const JsonKey> reads = {},
		BodyReader* bodyReader = nullptr);

	/// Returns the memory for the next bytes. Valid until the next call of room().
	[[nodiscard]] std::span<char> room();

	/// Parses `count` bytes that have been written to room(). Only while needMore.
	State feed(std::size_t count);

	/// Tells that the peer has closed.
	State end();

	/// Returns whether no byte of a reply has come yet.
	[[nodiscard]] bool untouched() const noexcept { return !_started; }

	/// After `complete`: returns whether the peer will answer another request on the same connection.
	[[nodiscard]] bool keepsConnection() const noexcept;

	/// After `malformed`: returns the error for the operator; quotes nothing of the reply.
	[[nodiscard]] const std::string& complaint() const noexcept { return _complaint; }

	/// After `complete`, once: returns the reply.
	[[nodiscard]] HttpReply take();

	/// Returns the buffer, wiped, for the next parser. The last call to this one. Empty after an unusually large reply,
	/// whose memory no idle connection shall hold.
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
	bool readCodings(std::string_view list);
	bool frame();
	[[nodiscard]] bool isStream() const noexcept { return _bodyReader != nullptr && _reply.status < 300; }
	bool isTooLong(std::size_t more) const noexcept { return !isStream() && more > largestBody - _received; }
	bool passOn(std::size_t count);
	void keepBody(std::size_t count);
	bool finish();
	[[nodiscard]] std::string_view unread() const;
	[[nodiscard]] std::optional<std::string_view> takeLine();
	bool refuse(std::string complaint);

	WipedString _buffer;       ///< the reply, decoded in place: [0, _kept) is body, [_next, _end) is still to be parsed
	std::size_t _kept = 0;     ///< bytes of the body that are stored
	std::size_t _received = 0; ///< bytes of the body so far
	std::size_t _next = 0;
	std::size_t _end = 0;
	std::size_t _used = 0;     ///< bytes of the buffer that were ever written to
	std::size_t _searched = 0; ///< position before which there is no end of the head
	std::size_t _overhead = 0; ///< bytes of chunk lines and trailers so far

	const To _to;
	Phase _phase = Phase::head;
	Framing _framing = Framing::untilClose;
	std::size_t _left = 0; ///< bytes left of the body or the chunk
	std::size_t _interim = 0;
	bool _started = false;
	bool _mayKeep = true;
	std::optional<std::size_t> _contentLength;
	std::size_t _chunkings = 0; ///< how often `chunked` is announced
	bool _keepsAll;             ///< the whole body is stored
	JsonSieve _sieve;           ///< selects the stored part otherwise
	BodyReader* const _bodyReader;
	HttpReply _reply;
	std::string _complaint;
};

} // namespace issuer::vault::transport
