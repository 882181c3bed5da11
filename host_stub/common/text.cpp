#include "common/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace issuer {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// Returns the number of bytes of the character at the start of `text`, which is not empty; 0 if it is not UTF-8.
std::size_t characterLength(std::string_view text)
{
	const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
	const std::uint8_t first = byte(0);
	if (first < 0x80) {
		return 1;
	}
	const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
	if (first < 0xC2 || first > 0xF4 || text.size() < length) {
		return 0;
	}
	for (std::size_t i = 1; i < length; ++i) {
		if ((byte(i) & 0xC0) != 0x80) {
			return 0;
		}
	}
	const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
	const bool surrogate = first == 0xED && byte(1) > 0x9F;
	const bool beyond = first == 0xF4 && byte(1) > 0x8F;
	return overlong || surrogate || beyond ? 0 : length;
}

/// Returns whether a character is C0, DEL or C1: those that a terminal might obey.
bool isControl(std::string_view character)
{
	const auto first = static_cast<std::uint8_t>(character[0]);
	return first < 0x20 || first == 0x7F || (first == 0xC2 && static_cast<std::uint8_t>(character[1]) < 0xA0);
}

/// The code point of one whole character.
char32_t codePoint(std::string_view character)
{
	const auto first = static_cast<std::uint8_t>(character[0]);
	char32_t code = character.size() == 1 ? first : first & (0x7FU >> character.size());
	for (const char byte : character.substr(1)) {
		code = code << 6 | (static_cast<std::uint8_t>(byte) & 0x3FU);
	}
	return code;
}

/// Characters that show nothing, or the same as others: of Unicode's classes Cf, Zl, Zp and Zs, and those of its
/// property Default_Ignorable_Code_Point.
bool isUnseen(char32_t code)
{
	constexpr std::pair<char32_t, char32_t> ranges[] = {{0xA0, 0xA0}, {0xAD, 0xAD}, {0x34F, 0x34F}, {0x600, 0x605},
		{0x61C, 0x61C}, {0x6DD, 0x6DD}, {0x70F, 0x70F}, {0x890, 0x891}, {0x8E2, 0x8E2}, {0x115F, 0x1160},
		{0x1680, 0x1680}, {0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x2000, 0x200F}, {0x2028, 0x202F}, {0x205F, 0x206F},
		{0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0},
		{0xFFF0, 0xFFFB}, {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3},
		{0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};
	return std::ranges::any_of(
		ranges, [code](const auto& range) { return code >= range.first && code <= range.second; });
}

template <class Visit>
void forEachCharacter(std::string_view text, const Visit& visit)
{
	while (!text.empty()) {
		const std::size_t length = characterLength(text);
		visit(length == 0 ? replacement : text.substr(0, length));
		text.remove_prefix(length == 0 ? 1 : length);
	}
}

} // namespace

bool isUtf8(std::string_view text)
{
	while (!text.empty()) {
		const std::size_t length = characterLength(text);
		if (length == 0) {
			return false;
		}
		text.remove_prefix(length);
	}
	return true;
}

bool isVisible(std::string_view text)
{
	bool visible = isUtf8(text);
	forEachCharacter(text, [&](std::string_view character) {
		visible = visible && !isControl(character) && !isUnseen(codePoint(character));
	});
	return visible;
}

std::string sanitize(std::string_view text)
{
	std::string line;
	line.reserve(text.size());
	forEachCharacter(text, [&](std::string_view character) { line += isControl(character) ? " " : character; });
	return line;
}

std::string jsonString(std::string_view text)
{
	std::string json = "\"";
	json.reserve(text.size() + 2);
	forEachCharacter(text, [&](std::string_view character) {
		if (character == "\"" || character == "\\") {
			json += '\\';
			json += character;
		}
		else if (isControl(character)) {
			std::array<char, 8> escape{};
			const auto code = static_cast<std::uint8_t>(character.back()); // of C1, too, the last byte is the code
			std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(code));
			json += escape.data();
		}
		else {
			json += character;
		}
	});
	return json + '"';
}

} // namespace issuer
