#include "base/sanitize.h"

#include <Poco/UTF8Encoding.h>
#include <Poco/Unicode.h>

#include <algorithm>

namespace issuer::vault {
namespace {

struct Character
{
	std::size_t size; ///< bytes
	bool legal;
	bool visible;
};

/// Returns the character that `text`, which is not empty, begins with.
Character firstOf(std::string_view text)
{
	const Poco::UTF8Encoding utf8;
	const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
	const auto code = utf8.queryConvert(bytes, static_cast<int>(std::min<std::size_t>(text.size(), 4)));
	if (code < 0) {
		return {1, false, true};
	}
	const auto size = static_cast<std::size_t>(code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4);
	Poco::Unicode::CharacterProperties properties{};
	Poco::Unicode::properties(code, properties);
	const auto invisible =
		properties.category == Poco::Unicode::UCP_OTHER || properties.category == Poco::Unicode::UCP_SEPARATOR;
	return {size, true, !invisible};
}

} // namespace

std::string sanitize(std::string_view text, std::size_t most)
{
	std::string line;
	bool blank = false;
	while (!text.empty()) {
		const auto character = firstOf(text);
		if (!character.visible) {
			blank = !line.empty();
		}
		else {
			const auto shown = character.legal ? text.substr(0, character.size) : std::string_view("\uFFFD");
			if (line.size() + (blank ? 1 : 0) + shown.size() > most) {
				return line + "…";
			}
			line += blank ? " " : "";
			line += shown;
			blank = false;
		}
		text.remove_prefix(character.size);
	}
	return line;
}

} // namespace issuer::vault
