#include "observe/web/accept_encoding.h"

#include <algorithm>
#include <optional>
#include <string>

namespace issuer::observe::web {

namespace {

std::string_view trimmed(std::string_view text)
{
	constexpr std::string_view blanks = " \t";
	const std::size_t first = text.find_first_not_of(blanks);
	return first == std::string_view::npos ? std::string_view()
										   : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string lowered(std::string_view text)
{
	std::string lower(text);
	std::ranges::transform(
		lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
	return lower;
}

/// Returns the part before the first `separator`, and removes both from `text`.
std::string_view takePart(std::string_view& text, char separator)
{
	const std::string_view part = text.substr(0, text.find(separator));
	text.remove_prefix(std::min(part.size() + 1, text.size()));
	return trimmed(part);
}

/// Returns whether parameters as ";q=0.5" leave an encoding acceptable: more than 0, with three digits at most.
bool isWanted(std::string_view parameters)
{
	while (!parameters.empty()) {
		const std::string parameter = lowered(takePart(parameters, ';'));
		if (!parameter.starts_with("q=")) {
			continue;
		}
		const std::string_view weight = std::string_view(parameter).substr(2);
		const bool isNumber = (weight.starts_with("0") || weight.starts_with("1")) && weight.size() <= 5 &&
							  (weight.size() == 1 || weight[1] == '.') &&
							  std::ranges::all_of(weight.substr(std::min<std::size_t>(weight.size(), 2)),
								  [](char digit) { return digit >= '0' && digit <= '9'; });
		return isNumber && weight.find_first_of("123456789") != std::string_view::npos;
	}
	return true;
}

} // namespace

Packing packingFor(std::string_view acceptEncoding)
{
	std::optional<bool> gzip;
	std::optional<bool> identity;
	std::optional<bool> others;
	while (!acceptEncoding.empty()) {
		std::string_view parameters = takePart(acceptEncoding, ',');
		const std::string coding = lowered(takePart(parameters, ';'));
		const bool wanted = isWanted(parameters);
		if (coding == "gzip" || coding == "x-gzip") {
			gzip = wanted;
		}
		else if (coding == "identity") {
			identity = wanted;
		}
		else if (coding == "*") {
			others = wanted;
		}
	}
	if (!gzip.value_or(others.value_or(false))) {
		return Packing::never;
	}
	return identity.value_or(others.value_or(true)) ? Packing::ifLarge : Packing::always;
}

} // namespace issuer::observe::web
