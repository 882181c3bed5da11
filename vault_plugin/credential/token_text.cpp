#include "credential/token_text.h"

#include "credential/secret_pages.h"

#include <algorithm>

namespace issuer::vault::credential {

Result<std::string_view> tokenIn(std::string_view text)
{
	constexpr std::string_view blanks = " \t\r\n";
	const auto first = text.find_first_not_of(blanks);
	if (first == std::string_view::npos) {
		return failure("is empty");
	}
	const auto token = text.substr(first, text.find_last_not_of(blanks) + 1 - first);
	if (token.size() > longestSecret) {
		return failure("is longer than 64 KiB; a token has at most a few hundred characters");
	}

	const auto bad = std::ranges::find_if_not(token, [](char c) { return c > ' ' && c < 0x7f; });
	if (bad != token.end()) {
		const auto what = blanks.find(*bad) != std::string_view::npos ? "a blank or line end" : "not visible ASCII";
		return failure("is not one token: character " + std::to_string(bad - token.begin() + 1) + " of " +
					   std::to_string(token.size()) + " is " + what);
	}
	return token;
}

} // namespace issuer::vault::credential
