#pragma once

#include <array>
#include <cstdint>
#include <string_view>

/// Classes of characters in HTTP/1.1 (RFC 9110, sections 5.5 and 5.6.2). A table, as each byte of a request and of a
/// reply's head is looked up.
namespace issuer::vault::transport::characters {

enum Kind : std::uint8_t
{
	control = 1, ///< all but the tab
	blank = 2,   ///< space or tab
	noToken = 4, ///< not allowed in a header's name
};

constexpr auto kinds = [] {
	std::array<std::uint8_t, 256> table{};
	for (std::size_t c = 0; c < table.size(); ++c) {
		const bool isBlank = c == ' ' || c == '\t';
		const bool isControl = (c < ' ' || c == 0x7f) && !isBlank;
		const bool isLetterOrDigit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		const bool isToken =
			isLetterOrDigit || std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
		table[c] =
			static_cast<std::uint8_t>((isControl ? control : 0) | (isBlank ? blank : 0) | (isToken ? 0 : noToken));
	}
	return table;
}();

/// Returns the classes of all the characters of `text` together.
inline unsigned kindsIn(std::string_view text) noexcept
{
	unsigned all = 0;
	for (const char c : text) {
		all |= kinds[static_cast<unsigned char>(c)];
	}
	return all;
}

/// Returns whether `text` can be the value of a header.
inline bool isClean(std::string_view text) noexcept
{
	return (kindsIn(text) & control) == 0;
}

/// Returns whether `text` can be a method or a path.
inline bool isWord(std::string_view text) noexcept
{
	return !text.empty() && (kindsIn(text) & (control | blank)) == 0;
}

/// Returns whether `text` can be the name of a header.
inline bool isToken(std::string_view text) noexcept
{
	return !text.empty() && (kindsIn(text) & noToken) == 0;
}

} // namespace issuer::vault::transport::characters
