#include "wire/page.h"

#include <algorithm>

namespace issuer::vault::wire {
namespace {

std::string lowerCase(std::string_view text)
{
	std::string lower(text);
	std::ranges::transform(
		lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
	return lower;
}

} // namespace

std::string wordsOfPage(std::string_view page)
{
	if (!page.starts_with('<')) {
		return std::string(page);
	}
	constexpr std::string_view title = "<title>";
	const auto lower = lowerCase(page);
	if (const auto at = lower.find(title); at != lower.npos) {
		const auto begin = at + title.size();
		return std::string(page.substr(begin, page.find('<', begin) - begin));
	}
	std::string words;
	bool inTag = false;
	for (const char c : page) {
		inTag = inTag || c == '<';
		words += inTag ? ' ' : c;
		inTag = inTag && c != '>';
	}
	return words;
}

} // namespace issuer::vault::wire
