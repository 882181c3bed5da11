#include "base/json_sieve.h"

#include <algorithm>
#include <cstring>

namespace issuer::vault {
namespace {

constexpr std::size_t longestName = 32; ///< of a key that is read

bool isBlank(char c) noexcept
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Bytes that matter while a value is skipped.
constexpr auto marks = [] {
	std::array<bool, 256> table{};
	for (const char c : {'"', ',', '{', '}', '[', ']'}) {
		table[static_cast<unsigned char>(c)] = true;
	}
	return table;
}();

bool isMark(char c) noexcept
{
	return marks[static_cast<unsigned char>(c)];
}

/// Returns the position of the quote that ends the string whose inside `rest` is, or else the size of `rest`.
/// `escaped`: in, whether an odd number of backslashes stands before `rest`; out, the same for the text behind it.
std::size_t endOfString(std::string_view rest, bool& escaped) noexcept
{
	for (std::size_t begin = 0;; ++begin) {
		const auto quote = std::min(rest.find('"', begin), rest.size());
		auto escapes = quote;
		while (escapes > begin && rest[escapes - 1] == '\\') {
			--escapes;
		}
		const bool odd = (quote - escapes + (escapes == begin && escaped ? 1 : 0)) % 2 == 1;
		escaped = odd && quote == rest.size();
		if (!odd || quote == rest.size()) {
			return quote;
		}
		begin = quote;
	}
}

} // namespace

void JsonSieve::add(char* buffer, std::string_view piece) noexcept
{
	while (!piece.empty()) {
		switch (_state) {
		case State::key:
		case State::longKey:
		case State::text:
		case State::noText:
		case State::skippedText:
			piece.remove_prefix(passString(buffer, piece));
			break;
		case State::skipped: {
			const auto mark = std::ranges::find_if(piece, isMark);
			piece.remove_prefix(static_cast<std::size_t>(mark - piece.begin()));
			if (!piece.empty()) {
				skip(buffer, piece.front());
				piece.remove_prefix(1);
			}
			break;
		}
		case State::page: {
			const auto count = std::min(piece.size(), longestPage - _kept);
			std::memmove(buffer + _kept, piece.data(), count);
			_kept += count;
			return;
		}
		case State::broken:
			return;
		case State::firstKey:
		case State::nextKey:
			if (const auto size = passKey(buffer, piece); size > 0) {
				piece.remove_prefix(size);
				break;
			}
			[[fallthrough]];
		case State::start:
		case State::colon:
		case State::firstElement:
		case State::value:
		case State::scalar:
		case State::behind:
		case State::done:
			step(buffer, piece.front());
			piece.remove_prefix(1);
			break;
		}
	}
}

void JsonSieve::end() noexcept
{
	if (_state != State::done && _state != State::page) {
		fail();
	}
}

/// Takes one byte outside strings and outside skipped values.
void JsonSieve::step(char* buffer, char c) noexcept
{
	if (isBlank(c)) {
		if (_state == State::scalar) {
			_state = State::behind;
		}
		return;
	}
	switch (_state) {
	case State::start:
		keep(buffer, c);
		_state = State::page;
		if (c == '{') {
			enter({false, true, _read});
		}
		return;
	case State::firstKey:
	case State::nextKey:
		if (c == '"') {
			_member = _kept;
			keep(buffer, c);
			_state = State::key;
		}
		else if (c == '}' && _state == State::firstKey) {
			close(buffer, c);
		}
		else {
			fail();
		}
		return;
	case State::colon:
		if (c != ':') {
			fail();
		}
		else if (_key == nullptr) {
			beginSkipping(false);
		}
		else {
			keep(buffer, c);
			_state = State::value;
		}
		return;
	case State::firstElement:
		if (c == ']') {
			close(buffer, c);
			return;
		}
		beginValue(buffer, c);
		return;
	case State::value:
		beginValue(buffer, c);
		return;
	case State::scalar:
		if (c == '"' || c == '{' || c == '[' || c == ':') {
			fail();
		}
		else if (c == ',' || c == '}' || c == ']') {
			close(buffer, c);
		}
		else {
			keep(buffer, c);
		}
		return;
	case State::behind:
		close(buffer, c);
		return;
	case State::done:
		fail();
		return;
	case State::key:
	case State::longKey:
	case State::text:
	case State::noText:
	case State::skipped:
	case State::skippedText:
	case State::page:
	case State::broken:
		return; // unreachable: add() handles these states
	}
}

void JsonSieve::beginValue(char* buffer, char c) noexcept
{
	const auto& around = _levels[_depth - 1];
	const bool hasText = around.isArray ? around.hasText : _key->hasText;
	switch (c) {
	case '"':
		keep(buffer, c);
		_state = hasText ? State::text : State::noText;
		return;
	case '{':
	case '[': {
		const bool isArray = c == '[';
		keep(buffer, c);
		if (!around.isArray && _depth < _levels.size() && (isArray || !_key->members.empty())) {
			enter({isArray, hasText, _key->members});
		}
		else {
			beginSkipping(true);
		}
		return;
	}
	case ',':
	case ':':
	case '}':
	case ']':
		fail();
		return;
	default:
		if (c == 'n' && _depth == 1) { // null: the member is removed
			_kept = _member;
			beginSkipping(false);
			return;
		}
		keep(buffer, c);
		_state = State::scalar;
	}
}

void JsonSieve::enter(const Level& level) noexcept
{
	_levels[_depth++] = level;
	_state = level.isArray ? State::firstElement : State::firstKey;
}

void JsonSieve::beginSkipping(bool inside) noexcept
{
	_state = State::skipped;
	_skippedDepth = 0;
	_skipsInside = inside;
}

/// Takes the byte behind a value, or the one that closes an empty object or array: the level around it continues or
/// ends.
void JsonSieve::close(char* buffer, char c) noexcept
{
	const auto& around = _levels[_depth - 1];
	const char last = buffer[_kept - 1];
	if (c == ',') {
		if (around.isArray || (last != '{' && last != ',')) {
			keep(buffer, c);
		}
		_state = around.isArray ? State::value : State::nextKey;
		return;
	}
	if (c != (around.isArray ? ']' : '}')) {
		fail();
		return;
	}
	if (last == ',' && !around.isArray) {
		--_kept;
	}
	keep(buffer, c);
	_state = --_depth == 0 ? State::done : State::behind;
}

/// Takes a byte with a meaning inside a value that is not kept.
void JsonSieve::skip(char* buffer, char c) noexcept
{
	switch (c) {
	case '"':
		_state = State::skippedText;
		return;
	case '{':
	case '[':
		++_skippedDepth;
		return;
	case ',':
		if (_skippedDepth == 0 && !_skipsInside) {
			close(buffer, c);
		}
		return;
	default: // a closing bracket
		if (_skippedDepth > 0) {
			--_skippedDepth;
		}
		else if (_skipsInside) {
			keep(buffer, c);
			_state = State::behind;
		}
		else {
			close(buffer, c);
		}
	}
}

/// Takes some of `rest`, which continues a string. Returns the number of bytes taken.
std::size_t JsonSieve::passString(char* buffer, std::string_view rest) noexcept
{
	const auto size = endOfString(rest, _escaped);
	const bool ends = size < rest.size();
	if (_state == State::key && _kept + size - _member > longestName) {
		_kept = _member;
		_state = State::longKey;
	}
	if (_state == State::key || _state == State::text) {
		std::memmove(buffer + _kept, rest.data(), size);
		_kept += size;
	}
	if (!ends) {
		return size;
	}
	if (_state == State::key) {
		endKey(buffer);
	}
	else if (_state == State::longKey) {
		_key = nullptr;
		_state = State::colon;
	}
	else if (_state == State::skippedText) {
		_state = State::skipped;
	}
	else {
		keep(buffer, '"');
		_state = State::behind;
	}
	return size + 1;
}

/// Takes the key that `rest` begins with, if all of it is there and it is as short as the keys that are read: the usual
/// case, in which a key that is not read need not be moved. Returns its size with both quotes, or 0.
std::size_t JsonSieve::passKey(char* buffer, std::string_view rest) noexcept
{
	if (rest.front() != '"') {
		return 0;
	}
	const auto end = rest.substr(0, longestName).find('"', 1);
	if (end == rest.npos || rest[end - 1] == '\\') {
		return 0;
	}
	_key = find(rest.substr(1, end - 1));
	_member = _kept;
	if (_key != nullptr) {
		std::memmove(buffer + _kept, rest.data(), end + 1);
		_kept += end + 1;
	}
	_state = State::colon;
	return end + 1;
}

const JsonKey* JsonSieve::find(std::string_view name) const noexcept
{
	for (const auto& key : _levels[_depth - 1].members) {
		if (key.name == name) {
			return &key;
		}
	}
	return nullptr;
}

void JsonSieve::endKey(char* buffer) noexcept
{
	_key = find(std::string_view(buffer + _member + 1, _kept - _member - 1));
	if (_key != nullptr) {
		keep(buffer, '"');
	}
	else {
		_kept = _member;
	}
	_state = State::colon;
}

void JsonSieve::fail() noexcept
{
	_kept = 0;
	_state = State::broken;
}

} // namespace issuer::vault
