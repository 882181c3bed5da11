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
/// connection is not kept (RFC 9112, 6.3). Interim replies (1xx) are skipped.
/// Of a body of up to 4 MiB only what is read is stored, and at most 64 KiB of it. All bytes live in one buffer that is
/// wiped.
class ReplyParser
{
public:
	static constexpr std::size_t largestHead = 16 * 1024;
	static constexpr std::size_t largestBody = 4 * 1024 * 1024; ///< bytes, chunk framing not counted
	static constexpr std::size_t largestKept = 64 * 1024;       ///< bytes of it that are stored
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

	/// `buffer`: what takeBuffer() gave, or none. `reads`: HttpRequest::reads, borrowed.
	explicit ReplyParser(To to = To::request, WipedString buffer = {}, std::span<const JsonKey> reads = {});

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

	/// Its room, wiped, for the next parser: the last that is asked of this one. Empty after an unusually large reply,
	/// whose room no idle connection shall hold.
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
	bool isTooLong(std::size_t more) const noexcept { return more > largestBody - _received; }
	void keepBody(std::size_t count);
	bool finish();
	[[nodiscard]] std::string_view unread() const;
	[[nodiscard]] std::optional<std::string_view> takeLine();
	bool refuse(std::string complaint);

	WipedString _buffer;       ///< what came, decoded in place: [0, _kept) is body, [_next, _end) is still to be read
	std::size_t _kept = 0;     ///< bytes of the body that are stored
	std::size_t _received = 0; ///< bytes of the body so far
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
	std::size_t _chunkings = 0; ///< times that `chunked` is announced
	bool _keepsAll;             ///< of the body
	JsonSieve _sieve;           ///< else
	HttpReply _reply;
	std::string _complaint;
};

} // namespace issuer::vault::transport
