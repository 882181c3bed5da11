#include "base/json_strings.h"

#include <algorithm>

namespace issuer::vault {

namespace {

bool isBlank(char c) noexcept
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Where the quote is that closes a string, or else where the text ends.
std::size_t endOfString(std::string_view text, std::size_t begin) noexcept
{
	for (auto quote = text.find('"', begin); quote != text.npos; quote = text.find('"', quote + 1)) {
		auto escapes = quote;
		while (escapes > begin && text[escapes - 1] == '\\') {
			--escapes;
		}
		if ((quote - escapes) % 2 == 0) { // or the last of them escapes the quote
			return quote;
		}
	}
	return text.size();
}

} // namespace

std::optional<JsonString> JsonStrings::next() noexcept
{
	const auto quote = _text.find('"', _position);
	if (quote == std::string_view::npos) {
		_position = _text.size();
		return std::nullopt;
	}

	const auto begin = quote + 1;
	const auto end = endOfString(_text, begin);
	_position = std::min(end + 1, _text.size());

	auto after = _position;
	while (after < _text.size() && isBlank(_text[after])) {
		++after;
	}
	return JsonString{begin, end - begin, after < _text.size() && _text[after] == ':'};
}

} // namespace issuer::vault
