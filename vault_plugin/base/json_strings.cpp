#include "base/json_strings.h"

#include <algorithm>

namespace issuer::vault {

std::optional<JsonString> JsonStrings::next() noexcept
{
	const auto quote = _text.find('"', _position);
	if (quote == std::string_view::npos) {
		_position = _text.size();
		return std::nullopt;
	}

	const auto begin = quote + 1;
	auto end = begin;
	while (end < _text.size() && _text[end] != '"') {
		end += _text[end] == '\\' ? 2U : 1U;
	}
	end = std::min(end, _text.size());
	_position = std::min(end + 1, _text.size());

	const auto after = _text.find_first_not_of(" \t\r\n", _position);
	return JsonString{begin, end - begin, after != std::string_view::npos && _text[after] == ':'};
}

} // namespace issuer::vault
