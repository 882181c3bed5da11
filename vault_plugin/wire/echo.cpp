#include "wire/echo.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace issuer::vault::wire {
namespace {

constexpr std::string_view hidden = "…";
/// Shortest beginning of a token that is hidden, in bytes: "hvs." and "s." alone are no secret.
constexpr std::size_t tellingBeginning = 8;

/// Returns the character that `text` begins with, read as JSON spells the characters of a token, and the number of
/// bytes that spell it. `text` is not empty.
std::pair<char, std::size_t> spelled(std::string_view text)
{
	if (text[0] != '\\' || text.size() < 2) {
		return {text[0], 1};
	}
	if (text[1] == '/' || text[1] == '"' || text[1] == '\\') {
		return {text[1], 2};
	}
	constexpr std::size_t whole = 6; // \u0041
	const auto digits = text.substr(0, whole).substr(std::min<std::size_t>(2, text.size()));
	unsigned code = 0;
	const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
	const bool isAscii = text[1] == 'u' && digits.size() == 4 && error == std::errc() &&
						 end == digits.data() + digits.size() && code < 0x80;
	return isAscii ? std::pair(static_cast<char>(code), whole) : std::pair(text[0], std::size_t{1});
}

/// Returns whether `text` may spell `token`, or a beginning of it that tells it, somewhere. Rarely true.
bool mayRepeat(std::string_view text, std::string_view token)
{
	return text.find(token.substr(0, tellingBeginning)) != text.npos || text.find("\\u") != text.npos ||
		   text.find("\\/") != text.npos || token.find_first_of("\"\\") != token.npos;
}

struct Match
{
	std::size_t token = 0; ///< number of bytes of the token that match
	std::size_t text = 0;  ///< number of bytes of the text that spell them
};

Match match(std::string_view text, std::string_view token)
{
	Match matched;
	while (matched.token < token.size() && matched.text < text.size()) {
		const auto [character, size] = spelled(text.substr(matched.text));
		// Compared also as written: a token may itself hold a backslash, and a page need not be JSON.
		if (character == token[matched.token]) {
			matched.text += size;
		}
		else if (text[matched.text] == token[matched.token]) {
			matched.text += 1;
		}
		else {
			break;
		}
		++matched.token;
	}
	return matched;
}

} // namespace

void hideToken(WipedString& text, std::string_view token)
{
	if (token.empty() || !mayRepeat(text, token)) {
		return;
	}
	for (std::size_t at = 0; at < text.size();) {
		const char c = text[at];
		if (c != token[0] && c != '\\') {
			++at;
			continue;
		}
		const auto matched = match(std::string_view(text).substr(at), token);
		const bool isCut = at + matched.text == text.size() && matched.token >= tellingBeginning;
		if (matched.token < token.size() && !isCut) {
			++at;
			continue;
		}
		text.replace(at, matched.text, hidden);
		at += hidden.size();
	}
}

} // namespace issuer::vault::wire
