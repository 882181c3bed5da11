#include "wire/sieved_values.h"

#include "base/json_strings.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

namespace issuer::vault::wire {
namespace {

using Kind = SievedValue::Kind;

/// Returns an empty text whose characters will not be inside the object, where nothing wipes them.
WipedString textOfUpTo(std::size_t size)
{
	WipedString text;
	text.reserve(size + 16);
	return text;
}

/// Reads the four digits of an escape such as \u0041 at the beginning of `text`.
std::optional<char32_t> codeUnit(std::string_view text)
{
	std::uint16_t unit = 0;
	const auto digits = text.substr(0, 4);
	const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
	const bool whole = digits.size() == 4 && error == std::errc() && end == digits.data() + digits.size();
	return whole ? std::optional<char32_t>(unit) : std::nullopt;
}

void appendUtf8(WipedString& text, char32_t code)
{
	const auto tail = [&](unsigned shift) { text += static_cast<char>(0x80U | (code >> shift & 0x3FU)); };
	if (code < 0x80) {
		text += static_cast<char>(code);
	}
	else if (code < 0x800) {
		text += static_cast<char>(0xC0U | code >> 6);
		tail(0);
	}
	else if (code < 0x10000) {
		text += static_cast<char>(0xE0U | code >> 12);
		tail(6);
		tail(0);
	}
	else {
		text += static_cast<char>(0xF0U | code >> 18);
		tail(12);
		tail(6);
		tail(0);
	}
}

/// Appends the character of an escape; `rest` begins behind "\u". Returns the number of bytes taken from it.
std::size_t appendEscaped(WipedString& text, std::string_view rest)
{
	const auto first = codeUnit(rest);
	if (!first) {
		return 0;
	}
	constexpr char32_t replacement = 0xFFFD;
	if (*first < 0xD800 || *first > 0xDFFF) {
		appendUtf8(text, *first);
		return 4;
	}
	const auto second = rest.substr(4).starts_with("\\u") ? codeUnit(rest.substr(6)) : std::nullopt;
	if (*first > 0xDBFF || !second || *second < 0xDC00 || *second > 0xDFFF) {
		appendUtf8(text, replacement);
		return 4;
	}
	appendUtf8(text, 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00));
	return 10;
}

WipedString unescaped(std::string_view written)
{
	auto text = textOfUpTo(written.size());
	for (std::size_t at = 0; at < written.size(); ++at) {
		if (written[at] != '\\' || at + 1 == written.size()) {
			text += written[at];
			continue;
		}
		constexpr std::string_view shorthands = "bfnrt";
		constexpr std::string_view meanings = "\b\f\n\r\t";
		const char c = written[++at];
		if (c == 'u') {
			at += appendEscaped(text, written.substr(at + 1));
		}
		else {
			const auto shorthand = shorthands.find(c);
			text += shorthand == shorthands.npos ? c : meanings[shorthand];
		}
	}
	return text;
}

/// The keys from the outermost object to the current member, joined by slashes.
class Path
{
public:
	void enter() { _outside.push_back(_text.size()); }

	void leave()
	{
		if (!_outside.empty()) {
			_text.resize(_outside.back());
			_outside.pop_back();
		}
	}

	void setKey(std::string_view key)
	{
		_text.resize(_outside.empty() ? 0 : _outside.back());
		_text.append(_text.empty() ? "" : "/").append(key);
	}

	[[nodiscard]] std::string_view text() const { return _text; }

private:
	std::string _text;                 ///< of keys that the sieve knows: no secret
	std::vector<std::size_t> _outside; ///< size of the path outside each object or list that is open
};

} // namespace

void forEachValue(std::string_view sieved, const std::function<void(SievedValue)>& visit)
{
	Path path;
	for (std::size_t at = 0; at < sieved.size();) {
		const char c = sieved[at];
		if (c == '"') {
			const auto end = endOfJsonString(sieved, at + 1);
			const auto inside = sieved.substr(at + 1, end - at - 1);
			at = end + 1;
			if (at < sieved.size() && sieved[at] == ':') {
				path.setKey(inside);
				++at;
			}
			else {
				visit({path.text(), Kind::text, unescaped(inside)});
			}
		}
		else if (c == '{' || c == '[') {
			visit({path.text(), c == '{' ? Kind::object : Kind::list, {}});
			path.enter();
			++at;
		}
		else if (c == '}' || c == ']') {
			path.leave();
			++at;
		}
		else if (c == ',' || c == ':') {
			++at;
		}
		else {
			const auto end = std::min(sieved.find_first_of(",:{}[]\"", at), sieved.size());
			auto literal = textOfUpTo(end - at);
			visit({path.text(), Kind::literal, literal.append(sieved.substr(at, end - at))});
			at = end;
		}
	}
}

} // namespace issuer::vault::wire
