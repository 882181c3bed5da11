#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace issuer::vault {

/// One string of a JSON text, by its position there: the characters between the quotes, escapes as they are written.
struct JsonString
{
	std::size_t begin = 0;
	std::size_t size = 0;
	bool key = false;      ///< a colon follows it
	std::size_t after = 0; ///< position of the next thing in the text: of a key, its value

	[[nodiscard]] std::size_t end() const noexcept { return begin + size; }
};

/// Returns the position of the quote that closes the string whose characters begin at `begin`, or else the text's end.
[[nodiscard]] std::size_t endOfJsonString(std::string_view text, std::size_t begin) noexcept;

/// Walks the strings of a JSON text from front to back without copying any, so that secrets can be removed before a
/// parser makes copies of them. Takes any bytes: if the text is not JSON, the strings are the parts between quotes, and
/// an unfinished one reaches to the end. Borrows the text, which may be written to meanwhile, up to the end of the
/// string last given.
class JsonStrings
{
public:
	explicit JsonStrings(std::string_view text) noexcept : _text(text) {}

	[[nodiscard]] std::optional<JsonString> next() noexcept;

	/// Continues at `position`, which is outside a string.
	void skipTo(std::size_t position) noexcept { _position = position; }

private:
	std::string_view _text;
	std::size_t _position = 0;
};

} // namespace issuer::vault
