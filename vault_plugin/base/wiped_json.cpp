#include "base/wiped_json.h"

namespace issuer::vault {

void appendJsonString(WipedString& json, std::string_view text)
{
	constexpr std::string_view digits = "0123456789abcdef";
	json += '"';
	for (const char c : text) {
		const auto byte = static_cast<unsigned char>(c);
		if (byte < ' ') {
			json.append("\\u00");
			json += digits[byte >> 4];
			json += digits[byte & 15];
			continue;
		}
		if (c == '"' || c == '\\') {
			json += '\\';
		}
		json += c;
	}
	json += '"';
}

} // namespace issuer::vault
