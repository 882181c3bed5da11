#include "config/secret_text.h"

#include <charconv>
#include <optional>

namespace issuer::vault::config {
namespace {

/// Takes an escape off `rest`, which begins right after a backslash, and returns the character it stands for.
std::optional<char> takeEscaped(std::string_view& rest)
{
	constexpr std::string_view letters = "\"\\/bfnrt";
	constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
	const auto letter = rest.substr(0, 1);
	if (letter == "u") {
		constexpr std::size_t digits = 4;
		const auto code = rest.substr(1, digits);
		unsigned number = 0;
		const auto [end, error] = std::from_chars(code.data(), code.data() + code.size(), number, 16);
		if (error != std::errc() || end != code.data() + digits || number > 0x7f) {
			return std::nullopt;
		}
		rest.remove_prefix(1 + digits);
		return static_cast<char>(number);
	}
	const auto place = letter.empty() ? letters.npos : letters.find(letter.front());
	if (place == letters.npos) {
		return std::nullopt;
	}
	rest.remove_prefix(1);
	return meanings[place];
}

} // namespace

Result<WipedString> unescapedSecret(std::string_view written)
{
	WipedString plain;
	plain.reserve(written.size() + 16); // at once, and long enough to live on the heap, where it is wiped
	for (auto rest = written; !rest.empty();) {
		const auto character = rest.front();
		rest.remove_prefix(1);
		if (character >= '\0' && character < ' ') {
			return failure("holds a line end or another control character, which JSON wants escaped");
		}
		if (character != '\\') {
			plain += character;
		}
		else if (const auto meant = takeEscaped(rest)) {
			plain += *meant;
		}
		else {
			return failure("is not visible ASCII, or holds an escape that JSON does not have");
		}
	}
	return plain;
}

} // namespace issuer::vault::config
