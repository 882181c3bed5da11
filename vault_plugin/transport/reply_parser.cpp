#include "transport/reply_parser.h"

#include "transport/characters.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

namespace issuer::vault::transport {
namespace {

constexpr std::size_t firstRoom = 4 * 1024;
constexpr std::size_t largestIdleRoom = 16 * 1024;
constexpr std::size_t leastRoom = 1024;
constexpr std::size_t mostInterim = 5;
constexpr std::size_t largestOverhead = 16 * 1024; ///< bytes of all chunk lines and trailers together
constexpr std::size_t longestChunkLine = 256;

char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equalsIgnoringCase(std::string_view a, std::string_view b)
{
	return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text)
{
	const auto isBlank = [](char c) { return c == ' ' || c == '\t'; };
	while (!text.empty() && isBlank(text.front())) {
		text.remove_prefix(1);
	}
	while (!text.empty() && isBlank(text.back())) {
		text.remove_suffix(1);
	}
	return text;
}

template <int base>
std::optional<std::size_t> number(std::string_view digits)
{
	std::size_t value = 0;
	const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
	if (error != std::errc() || end != digits.data() + digits.size()) {
		return std::nullopt;
	}
	return value;
}

bool listHas(std::string_view list, std::string_view word)
{
	while (!list.empty()) {
		const auto comma = std::min(list.find(','), list.size());
		if (equalsIgnoringCase(trimmed(list.substr(0, comma)), word)) {
			return true;
		}
		list.remove_prefix(std::min(comma + 1, list.size()));
	}
	return false;
}

} // namespace

ReplyParser::ReplyParser(To to, WipedString buffer, std::span<const JsonKey> reads, BodyReader* bodyReader)
	: _buffer(std::move(buffer)), _to(to), _keepsAll(reads.empty()), _sieve(reads), _bodyReader(bodyReader)
{
	if (_buffer.size() < firstRoom) {
		_buffer.resize(firstRoom);
	}
}

std::span<char> ReplyParser::room()
{
	if (_next == _end) {
		_next = _end = _kept; // nothing is unread: the space of consumed bytes is free again
	}
	if (_buffer.size() - _end < leastRoom && _next > _kept) {
		std::memmove(_buffer.data() + _kept, _buffer.data() + _next, _end - _next);
		_end -= _next - _kept;
		_next = _kept;
	}
	if (_buffer.size() - _end < leastRoom) {
		_buffer.resize(_buffer.size() * 2);
	}
	return std::span(_buffer).subspan(_end);
}

ReplyParser::State ReplyParser::feed(std::size_t count)
{
	_started = _started || count > 0;
	_end += count;
	_used = std::max(_used, _end);
	return advance();
}

ReplyParser::State ReplyParser::end()
{
	if (_phase == Phase::body && _framing == Framing::untilClose) {
		finish();
		return State::complete;
	}
	refuse(_started ? "closed the connection before the reply was complete" : "closed the connection without a reply");
	return State::malformed;
}

bool ReplyParser::keepsConnection() const noexcept
{
	return _mayKeep && _framing != Framing::untilClose && _next == _end;
}

HttpReply ReplyParser::take()
{
	_reply.body.assign(_buffer, 0, _kept);
	return std::move(_reply);
}

WipedString ReplyParser::takeBuffer()
{
	wipe(_buffer.data(), _used);
	return _buffer.size() <= largestIdleRoom ? std::move(_buffer) : WipedString();
}

ReplyParser::State ReplyParser::advance()
{
	while (step()) {
	}
	if (!_complaint.empty()) {
		return State::malformed;
	}
	return _phase == Phase::done ? State::complete : State::needMore;
}

/// Takes one step. Returns true if it got further, and the bytes at hand may suffice for another.
bool ReplyParser::step()
{
	switch (_phase) {
	case Phase::head:
		return readHead();
	case Phase::body:
	case Phase::chunkData:
		return readChunkData();
	case Phase::chunkSize:
		return readChunkSize();
	case Phase::trailer:
		return readTrailer();
	case Phase::done:
		return false;
	}
	return false;
}

std::string_view ReplyParser::unread() const
{
	return std::string_view(_buffer).substr(_next, _end - _next);
}

bool ReplyParser::refuse(std::string complaint)
{
	_complaint = std::move(complaint);
	return false;
}

bool ReplyParser::readHead()
{
	constexpr std::string_view headEnd = "\r\n\r\n";
	const auto found = unread().find(headEnd, _searched);
	const auto size = found == std::string_view::npos ? unread().size() : found + headEnd.size();
	if (size > largestHead) {
		return refuse("the reply's head is longer than 16 KiB");
	}
	if (found == std::string_view::npos) {
		_searched = size < headEnd.size() ? 0 : size - headEnd.size() + 1;
		// A reply that does not even begin like HTTP is malformed at once.
		constexpr std::string_view begin = "HTTP/1.";
		const auto known = std::min(begin.size(), unread().size());
		return unread().substr(0, known) == begin.substr(0, known) ? false : refuse("the reply is not HTTP/1.x");
	}

	const std::string_view head = unread().substr(0, found + 2);
	_reply = {};
	_contentLength.reset();
	_chunkings = 0;
	std::size_t lines = 0;
	for (std::size_t at = 0; at < head.size(); ++lines) {
		const auto lineEnd = head.find("\r\n", at);
		const auto line = head.substr(at, lineEnd - at);
		if (lines > mostHeaders) {
			return refuse("the reply has more than 100 headers");
		}
		if (!(lines == 0 ? readStatusLine(line) : readHeader(line))) {
			return false;
		}
		at = lineEnd + 2;
	}
	_next += size;
	_searched = 0;
	return frame();
}

bool ReplyParser::readStatusLine(std::string_view line)
{
	// "HTTP/1.1 200 OK"; the text after the code may be missing.
	const bool isShaped = line.size() >= 12 && (line.starts_with("HTTP/1.0 ") || line.starts_with("HTTP/1.1 ")) &&
						  (line.size() == 12 || line[12] == ' ');
	const std::size_t status = isShaped ? number<10>(line.substr(9, 3)).value_or(0) : 0;
	if (status < 100 || status > 599) {
		return refuse("the reply is not HTTP/1.x");
	}
	_mayKeep = line[7] == '1';
	_reply.status = static_cast<int>(status);
	return true;
}

bool ReplyParser::readHeader(std::string_view line)
{
	const auto colon = line.find(':');
	const auto name = line.substr(0, colon);
	if (colon == line.npos || !characters::isToken(name)) {
		return refuse("a header of the reply is no header");
	}
	const auto value = trimmed(line.substr(colon + 1));
	if (!characters::isClean(value)) {
		return refuse("a header of the reply holds a control character");
	}
	if (equalsIgnoringCase(name, "Content-Length")) {
		const auto length = number<10>(value);
		if (!length || (_contentLength && *_contentLength != *length)) {
			return refuse("the reply's Content-Length is unclear");
		}
		_contentLength = length;
	}
	else if (equalsIgnoringCase(name, "Transfer-Encoding")) {
		return readCodings(value);
	}
	else if (equalsIgnoringCase(name, "Content-Encoding")) {
		if (!value.empty() && !equalsIgnoringCase(value, "identity")) {
			_reply.coding = value;
		}
	}
	else if (equalsIgnoringCase(name, "Connection")) {
		if (listHas(value, "close")) {
			_mayKeep = false;
		}
	}
	else if (equalsIgnoringCase(name, "Retry-After")) {
		_reply.retryAfter = value;
	}
	else if (equalsIgnoringCase(name, "Location")) {
		_reply.location = value;
	}
	return true;
}

/// Reads a Transfer-Encoding. Proxies that pass a header on and add their own announce one chunking twice.
bool ReplyParser::readCodings(std::string_view list)
{
	while (!list.empty()) {
		const auto comma = std::min(list.find(','), list.size());
		if (!equalsIgnoringCase(trimmed(list.substr(0, comma)), "chunked")) {
			return refuse("the reply has a Transfer-Encoding other than chunked");
		}
		++_chunkings;
		list.remove_prefix(std::min(comma + 1, list.size()));
	}
	return true;
}

/// Determines the length of the body, once the head is read.
bool ReplyParser::frame()
{
	if (_reply.status == 101) {
		return refuse("the server wants to speak another protocol");
	}
	if (_reply.status < 200) {
		return ++_interim <= mostInterim || refuse("more than 5 interim replies");
	}
	if (_chunkings > 1 || (_chunkings == 1 && _contentLength)) {
		_mayKeep = false; // other parties on the way may have read the length otherwise
	}
	_phase = Phase::body;
	if (_reply.status == 204 || _reply.status == 304 || (_to == To::connect && _reply.status < 300)) {
		_framing = Framing::length;
		_left = 0;
	}
	else if (_chunkings > 0) {
		_framing = Framing::chunked;
		_phase = Phase::chunkSize;
	}
	else if (_contentLength) {
		_framing = Framing::length;
		_left = *_contentLength;
		if (isTooLong(_left)) {
			return refuse("the reply's body is longer than 4 MiB");
		}
	}
	else {
		_framing = Framing::untilClose;
		// One more than allowed: reaching it is the error.
		_left = isStream() ? std::numeric_limits<std::size_t>::max() : largestBody + 1;
	}
	return true;
}

/// Gives the next `count` bytes to the reader of the stream. Returns false if it refuses them.
bool ReplyParser::passOn(std::size_t count)
{
	if (count == 0 || !_reply.coding.empty()) { // coded: unreadable
		return true;
	}
	_overhead = 0; // a stream that lasts has any number of chunks
	const auto taken = _bodyReader->take(std::string_view(_buffer).substr(_next, count));
	return taken || refuse(taken.error().text);
}

/// Moves the kept part of the next `count` bytes down to the bytes kept already: members that are not read, chunk sizes
/// and heads vanish.
void ReplyParser::keepBody(std::size_t count)
{
	if (!_reply.coding.empty()) { // coded: unreadable
		return;
	}
	if (!_keepsAll) {
		_sieve.add(_buffer.data(), std::string_view(_buffer).substr(_next, count));
		_kept = _sieve.kept();
		return;
	}
	std::memmove(_buffer.data() + _kept, _buffer.data() + _next, count);
	_kept += count;
}

bool ReplyParser::finish()
{
	_phase = Phase::done;
	if (!_keepsAll) {
		_sieve.end();
		_kept = _sieve.kept();
	}
	return false;
}

bool ReplyParser::readChunkData()
{
	const auto count = std::min(_left, _end - _next);
	if (isTooLong(count)) {
		return refuse("the reply's body is longer than 4 MiB");
	}
	if (isStream()) {
		if (!passOn(count)) {
			return false;
		}
	}
	else {
		keepBody(count);
	}
	if (_kept > largestKept) {
		return refuse("the part of the reply's body that is read is longer than 64 KiB");
	}
	_received += count;
	_next += count;
	_left -= count;
	if (_left > 0) {
		return false;
	}
	if (_phase == Phase::body) {
		return finish();
	}
	if (_end - _next < 2) {
		return false;
	}
	if (unread().substr(0, 2) != "\r\n") {
		return refuse("a chunk of the reply is longer than it says");
	}
	_next += 2;
	_phase = Phase::chunkSize;
	return true;
}

std::optional<std::string_view> ReplyParser::takeLine()
{
	const auto end = unread().find("\r\n");
	if (end == std::string_view::npos || end > longestChunkLine) {
		if (unread().size() > longestChunkLine + 1) { // one more byte may be the CR of a line that just fits
			refuse("a line between the reply's chunks is longer than 256 characters");
		}
		return std::nullopt;
	}
	const auto line = unread().substr(0, end);
	_next += end + 2;
	_overhead += end + 2;
	if (_overhead > largestOverhead) {
		refuse("the reply has more framing than content");
		return std::nullopt;
	}
	return line;
}

bool ReplyParser::readChunkSize()
{
	const auto line = takeLine();
	if (!line) {
		return false;
	}
	const auto size = number<16>(trimmed(line->substr(0, line->find(';'))));
	if (!size) {
		return refuse("a chunk of the reply has no size");
	}
	if (isTooLong(*size)) {
		return refuse("the reply's body is longer than 4 MiB");
	}
	_left = *size;
	_phase = *size == 0 ? Phase::trailer : Phase::chunkData;
	return true;
}

bool ReplyParser::readTrailer()
{
	const auto line = takeLine();
	if (!line) {
		return false;
	}
	if (line->empty()) {
		return finish();
	}
	return true;
}

} // namespace issuer::vault::transport
