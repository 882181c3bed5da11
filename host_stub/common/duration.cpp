#include "common/duration.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace issuer {

namespace {

struct Unit
{
	std::string_view name;
	double milliseconds;
};

constexpr std::array units{
	Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};

/// In ms, ten years: longer than any wait here, and far from any overflow.
constexpr double longest = 3650.0 * 86'400'000;

const Unit* unitNamed(std::string_view name)
{
	for (const Unit& unit : units) {
		if (unit.name == name) {
			return &unit;
		}
	}
	return nullptr;
}

} // namespace

Result<std::chrono::milliseconds> parseDuration(std::string_view text)
{
	const auto wrong = [&] {
		return failure("\"" + std::string(text) + "\" is not a duration such as \"90s\" or \"1h30m\"");
	};
	constexpr std::string_view digits = "0123456789.";
	double total = 0;
	std::string_view rest = text;
	do {
		double number = 0;
		const std::size_t length = std::min(rest.find_first_not_of(digits), rest.size());
		const auto [end, error] = std::from_chars(rest.data(), rest.data() + length, number, std::chars_format::fixed);
		if (length == 0 || error != std::errc() || end != rest.data() + length) {
			return wrong();
		}
		rest.remove_prefix(length);
		const std::string_view name = rest.substr(0, std::min(rest.find_first_of(digits), rest.size()));
		const Unit* unit =
			name.empty() && rest.data() + rest.size() == text.data() + text.size() && length == text.size()
				? unitNamed("s")
				: unitNamed(name);
		if (unit == nullptr) {
			return wrong();
		}
		rest.remove_prefix(name.size());
		total += number * unit->milliseconds;
	} while (!rest.empty());
	if (total > longest) {
		return wrong();
	}
	return std::chrono::milliseconds(std::llround(total));
}

std::string inWords(std::chrono::milliseconds duration)
{
	struct Word
	{
		std::int64_t seconds;
		const char* name;
	};
	constexpr std::array words{Word{86'400, " d"}, Word{3600, " h"}, Word{60, " min"}, Word{1, " s"}};

	constexpr std::int64_t tenthsBelow = 10'000; // ms; shorter durations are shown with tenths

	const std::int64_t milliseconds = std::max<std::int64_t>(duration.count(), 0);
	if (const std::int64_t tenths = milliseconds / 100; milliseconds < tenthsBelow) {
		return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : '.' + std::to_string(tenths % 10)) + " s";
	}
	const std::int64_t seconds = milliseconds / 1000;
	std::size_t unit = 0;
	while (seconds < words[unit].seconds) { // ends with the seconds at the latest, of which there are ten
		++unit;
	}
	std::string text = std::to_string(seconds / words[unit].seconds) + words[unit].name;
	const std::int64_t remainder = seconds % words[unit].seconds;
	if (unit + 1 < words.size() && remainder >= words[unit + 1].seconds) {
		text += ' ' + std::to_string(remainder / words[unit + 1].seconds) + words[unit + 1].name;
	}
	return text;
}

} // namespace issuer
