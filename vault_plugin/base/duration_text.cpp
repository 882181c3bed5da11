#include "base/duration_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace issuer::vault {
namespace {

using namespace std::chrono_literals;

constexpr Duration longest = std::chrono::years(100);

struct Unit
{
	std::string_view name;
	Duration length;
};

constexpr std::array units{
	Unit{"d", 24h},
	Unit{"h", 1h},
	Unit{"m", 1min},
	Unit{"s", 1s},
	Unit{"ms", 1ms},
	Unit{"us", 1us},
	Unit{"µs", 1us},
};

std::optional<Duration> unitLength(std::string_view name)
{
	for (const auto& unit : units) {
		if (unit.name == name) {
			return unit.length;
		}
	}
	return std::nullopt;
}

/// Returns `number` times `unit`; nothing if `number` is not one, or the product is longer than the longest duration.
std::optional<Duration> multiple(std::string_view number, Duration unit)
{
	double count = 0;
	const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
	if (error != std::errc() || end != number.data() + number.size()) {
		return std::nullopt;
	}
	const auto length = count * static_cast<double>(unit.count());
	if (length > static_cast<double>(longest.count())) {
		return std::nullopt;
	}
	return Duration(std::llround(length));
}

} // namespace

Result<Duration> parseDuration(std::string_view text)
{
	auto rest = text;
	Duration sum{};
	do {
		const auto number = rest.substr(0, rest.find_first_not_of("0123456789."));
		rest.remove_prefix(number.size());
		const auto name = rest.substr(0, rest.find_first_of("0123456789"));
		rest.remove_prefix(name.size());

		const auto bareSeconds = name.empty() && number.size() == text.size();
		const auto unit = bareSeconds ? std::optional<Duration>(1s) : unitLength(name);
		const auto part = unit ? multiple(number, *unit) : std::nullopt;
		if (!part || sum + *part > longest) {
			return failure("not a length of time of at most 100 years, such as \"90s\", \"1h30m\" or 90");
		}
		sum += *part;
	} while (!rest.empty());
	return sum;
}

std::string durationText(Duration duration)
{
	if (duration <= Duration::zero()) {
		return "0s";
	}
	std::string text;
	const auto take = [&](Duration unit, std::string_view name) {
		if (const auto count = duration / unit; count > 0) {
			text += std::to_string(count);
			text += name;
			duration %= unit;
		}
	};
	take(1h, "h");
	take(1min, "m");
	take(1s, "s");
	take(1ms, "ms");
	take(1us, "us");
	return text;
}

} // namespace issuer::vault
