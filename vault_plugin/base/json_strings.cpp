#include "base/json_strings.h"

#include <algorithm>

namespace issuer::vault {

namespace {

std::size_t behindBlanks(std::string_view text, std::size_t at) noexcept
{
	while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n')) {
		++at;
	}
	return at;
}

} // namespace

std::size_t endOfJsonString(std::string_view text, std::size_t begin) noexcept
{
	for (auto quote = text.find('"', begin); quote != text.npos; quote = text.find('"', quote + 1)) {
		auto escapes = quote;
		while (escapes > begin && text[escapes - 1] == '\\') {
			--escapes;
		}
		if ((quote - escapes) % 2 == 0) { // an odd number: the last one escapes the quote
			return quote;
		}
	}
	return text.size();
}

std::optional<JsonString> JsonStrings::next() noexcept
{
	while (_position < _text.size() && _text[_position] != '"') { // seldom far
		++_position;
	}
	if (_position == _text.size()) {
		return std::nullopt;
	}

	const auto begin = _position + 1;
	const auto end = endOfJsonString(_text, begin);
	_position = std::min(end + 1, _text.size());

	const auto after = behindBlanks(_text, _position);
	const bool isKey = after < _text.size() && _text[after] == ':';
	return JsonString{begin, end - begin, isKey, isKey ? behindBlanks(_text, after + 1) : after};
}

} // namespace issuer::vault
