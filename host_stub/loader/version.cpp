#include "loader/version.h"

#include <algorithm>

namespace issuer::loader {

namespace {

/// Removes the part before the first `separator` from `text`, and returns it.
std::string_view takePart(std::string_view& text, char separator)
{
	const std::size_t end = std::min(text.find(separator), text.size());
	const std::string_view part = text.substr(0, end);
	text.remove_prefix(std::min(end + 1, text.size()));
	return part;
}

bool isNumber(std::string_view text)
{
	return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Compares numbers of any length.
std::strong_ordering compareNumbers(std::string_view one, std::string_view other)
{
	one.remove_prefix(std::min(one.find_first_not_of('0'), one.size()));
	other.remove_prefix(std::min(other.find_first_not_of('0'), other.size()));
	const auto bySize = one.size() <=> other.size();
	return bySize != 0 ? bySize : one <=> other;
}

/// Compares numbers by value, words as text, and puts numbers before words.
std::strong_ordering compareParts(std::string_view one, std::string_view other)
{
	if (isNumber(one) && isNumber(other)) {
		return compareNumbers(one, other);
	}
	const auto byKind = isNumber(other) <=> isNumber(one);
	return byKind != 0 ? byKind : one <=> other;
}

} // namespace

std::strong_ordering compareVersions(std::string_view one, std::string_view other)
{
	one = takePart(one, '+');
	other = takePart(other, '+');
	std::string_view oneNumbers = takePart(one, '-'); // the rest is the pre-release
	std::string_view otherNumbers = takePart(other, '-');
	while (!oneNumbers.empty() || !otherNumbers.empty()) {
		const std::string_view a = takePart(oneNumbers, '.');
		const std::string_view b = takePart(otherNumbers, '.');
		if (const auto order = compareParts(a.empty() ? "0" : a, b.empty() ? "0" : b); order != 0) {
			return order;
		}
	}
	if (one.empty() || other.empty()) {
		return one.empty() <=> other.empty(); // without a pre-release: later
	}
	while (!one.empty() && !other.empty()) {
		const std::string_view a = takePart(one, '.');
		const std::string_view b = takePart(other, '.');
		if (const auto order = compareParts(a, b); order != 0) {
			return order;
		}
	}
	return other.empty() <=> one.empty(); // with more parts: later
}

bool isVersionOf(std::string_view version, std::string_view wanted)
{
	return version.starts_with(wanted) &&
		   (wanted.empty() || version.size() == wanted.size() ||
			   std::string_view(".-+").find(version[wanted.size()]) != std::string_view::npos);
}

} // namespace issuer::loader
