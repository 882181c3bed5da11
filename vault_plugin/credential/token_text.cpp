#include "credential/token_text.h"

#include "credential/secret_pages.h"

#include <algorithm>

namespace issuer::vault::credential {
namespace {

constexpr std::string_view blanks = " \t\r\n";

bool isOfName(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// Returns whether `text` is `VAULT_TOKEN=…`, with or without `export`. A text that merely ends in the padding of
/// base64 is not.
bool isAssignment(std::string_view text)
{
	constexpr std::string_view prefix = "export ";
	if (text.starts_with(prefix)) {
		text.remove_prefix(prefix.size());
	}
	const auto name = std::ranges::find_if_not(text, isOfName);
	const auto rest = text.substr(static_cast<std::size_t>(name - text.begin()));
	return name != text.begin() && rest.starts_with('=') && rest.find_first_not_of('=') != std::string_view::npos;
}

/// Returns what kind of text this is, if it is visibly not the secret alone; empty if it may be. Continues a sentence
/// after the name of the place. `kind`: of the secret, in words.
std::string otherThan(std::string_view kind, std::string_view raw, std::string_view text)
{
	const auto isZeroAt = [raw](std::size_t first) { return raw[first] == '\0' && raw[first + 2] == '\0'; };
	const bool isWide = raw.size() >= 4 && isZeroAt(0) != isZeroAt(1);
	if (raw.starts_with("\xFF\xFE") || raw.starts_with("\xFE\xFF") || isWide) {
		return "is UTF-16 text: save it as plain text, without a byte order mark";
	}
	if (raw.starts_with("\xEF\xBB\xBF")) {
		return "begins with a byte order mark: save it as plain text, without one";
	}
	if (text == "null" || text == "undefined" || text == "<nil>") {
		return "holds the word for \"nothing\" in place of a " + std::string(kind) +
			   ": look at the program that wrote it";
	}
	if (text.starts_with('{') || text.starts_with('[')) {
		return "holds JSON: it has to hold the " + std::string(kind) + " alone";
	}
	if (text.starts_with('"') || text.starts_with('\'') || text.starts_with('`')) {
		return "holds a text in quotes: take them off";
	}
	if (isAssignment(text)) {
		return "holds an assignment (NAME=…): it has to hold the " + std::string(kind) + " alone";
	}
	return {};
}

} // namespace

Result<std::string_view> tokenIn(std::string_view text)
{
	return wordIn(text, "token");
}

Result<std::string_view> wordIn(std::string_view text, std::string_view kind)
{
	const auto first = text.find_first_not_of(blanks);
	if (first == std::string_view::npos) {
		return failure("is empty");
	}
	const auto word = text.substr(first, text.find_last_not_of(blanks) + 1 - first);
	if (auto other = otherThan(kind, text, word); !other.empty()) {
		return failure(std::move(other));
	}
	if (word.size() > longestSecret) {
		return failure("is longer than 64 KiB; a " + std::string(kind) + " has far fewer characters");
	}

	const auto bad = std::ranges::find_if_not(word, [](char c) { return c > ' ' && c < 0x7f; });
	if (bad != word.end()) {
		const auto what = blanks.find(*bad) != std::string_view::npos ? "a blank or line end" : "not visible ASCII";
		return failure("is not one " + std::string(kind) + ": character " + std::to_string(bad - word.begin() + 1) +
					   " of " + std::to_string(word.size()) + " is " + what);
	}
	return word;
}

} // namespace issuer::vault::credential
