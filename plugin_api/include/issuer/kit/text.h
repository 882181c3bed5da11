/// Texts that cross the contract: borrowed UTF-8, and made fit for people where their source cannot be trusted to be.
#pragma once

#include <issuer/lifecycle.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace issuer::kit {

/// Lends `text` for the call that carries it.
[[nodiscard]] inline issuer_str borrow(std::string_view text) noexcept
{
	return {text.data(), text.size()};
}

/// Shows a text that the other side lends; valid for as long as it is lent.
[[nodiscard]] inline std::string_view view(issuer_str text) noexcept
{
	return text.len == 0 ? std::string_view() : std::string_view(text.ptr, text.len);
}

/// Returns the size of the well-formed UTF-8 character at the beginning of `text`, or 0 if there is none: no overlong
/// forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] constexpr std::size_t characterSize(std::string_view text) noexcept
{
	const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
	const auto continues = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80; };
	const unsigned first = at(0);
	const unsigned second = at(1);
	if (text.empty()) {
		return 0;
	}
	if (first < 0x80) {
		return 1;
	}
	if (first >= 0xC2 && first <= 0xDF && continues(1)) {
		return 2;
	}
	if (first >= 0xE0 && first <= 0xEF && continues(1) && continues(2)) {
		return (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ? 0 : 3;
	}
	if (first >= 0xF0 && first <= 0xF4 && continues(1) && continues(2) && continues(3)) {
		return (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90) ? 0 : 4;
	}
	return 0;
}

/// Gives `put` the text as one line of UTF-8, character by character: a control character becomes a space, a byte that
/// is no UTF-8 a question mark. Ends early when `put` answers false.
template <class Put>
constexpr void asOneLine(std::string_view text, const Put& put)
{
	while (!text.empty()) {
		const std::size_t size = characterSize(text);
		const bool isControl = size == 1 && (static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7F);
		if (!put(size == 0 ? std::string_view("?") : isControl ? std::string_view(" ") : text.substr(0, size))) {
			return;
		}
		text.remove_prefix(size == 0 ? 1 : size);
	}
}

/// A text as one line of UTF-8. Copies it only where it is not one already; the original must outlive it.
class OneLine
{
public:
	explicit OneLine(std::string_view text) : _text(text)
	{
		std::size_t fine = 0;
		while (fine < text.size() && text[fine] >= ' ' && text[fine] <= '~') { // as nearly all texts are, to their end
			++fine;
		}
		asOneLine(text.substr(fine), [&](std::string_view character) {
			const bool isItself = character.data() == text.data() + fine;
			fine += isItself ? character.size() : 0;
			return isItself;
		});
		if (fine < text.size()) {
			asOneLine(text, [&](std::string_view character) {
				_copy.append(character);
				return true;
			});
			_text = _copy;
		}
	}
	OneLine(const OneLine&) = delete;
	OneLine& operator=(const OneLine&) = delete;

	[[nodiscard]] issuer_str lend() const noexcept { return borrow(_text); }

private:
	std::string_view _text;
	std::string _copy;
};

} // namespace issuer::kit
