#include "fake_vault/lease.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace issuer::test::lease {
namespace {

std::string capped(const std::string& what, seconds wanted, seconds max)
{
	return what + " of \"" + toText(wanted) + "\" exceeded the effective max_ttl of \"" + toText(max) + "\"; " + what +
		   " value is capped accordingly";
}

struct Unit
{
	std::string_view name;
	double nanoseconds;
};

// Longer names first: "ms" must not be read as minutes.
constexpr std::array<Unit, 7> units{
	{{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};

constexpr double largest = static_cast<double>(std::numeric_limits<std::int64_t>::max());

bool isNumeric(char c)
{
	return (c >= '0' && c <= '9') || c == '.';
}

/// Go's time.ParseDuration, with its texts, in nanoseconds.
tl::expected<double, std::string> parseWithUnits(std::string_view text)
{
	const auto quoted = "\"" + std::string(text) + "\"";
	std::string_view rest = text;
	const bool negative = rest.starts_with('-');
	if (negative) {
		rest.remove_prefix(1);
	}
	double sum = 0;
	do {
		double number = 0;
		const auto [end, error] =
			std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
		if (error != std::errc() || !isNumeric(rest.front())) {
			return tl::unexpected("time: invalid duration " + quoted);
		}
		rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
		const auto length = static_cast<std::size_t>(std::ranges::find_if(rest, isNumeric) - rest.begin());
		const auto name = rest.substr(0, length);
		const auto unit = std::ranges::find(units, name, &Unit::name);
		const bool tooLarge = number > largest;
		if (tooLarge || (unit != units.end() && sum + number * unit->nanoseconds > largest)) {
			return tl::unexpected("time: invalid duration " + quoted);
		}
		if (name.empty()) {
			return tl::unexpected("time: missing unit in duration " + quoted);
		}
		if (unit == units.end()) {
			return tl::unexpected("time: unknown unit \"" + std::string(name) + "\" in duration " + quoted);
		}
		sum += number * unit->nanoseconds;
		rest.remove_prefix(length);
	} while (!rest.empty());
	return negative ? -sum : sum;
}

std::optional<std::int64_t> wholeNumber(std::string_view text)
{
	std::int64_t number = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
	if (error == std::errc() && end == text.data() + text.size()) {
		return number;
	}
	return {};
}

tl::expected<seconds, std::string> parseSigned(std::string_view text)
{
	if (text.empty()) {
		return seconds(0);
	}
	const bool days = text.ends_with('d');
	if (const auto number = wholeNumber(days ? text.substr(0, text.size() - 1) : text)) {
		const std::int64_t unit = days ? 86400 : 1;
		if (static_cast<double>(*number) * static_cast<double>(unit) * 1e9 > largest) {
			return tl::unexpected<std::string>(
				"multiplication of durations resulted in overflow, one operand may be too large");
		}
		return seconds(*number * unit);
	}
	return parseWithUnits(text).map(
		[](double nanoseconds) { return seconds(static_cast<std::int64_t>(nanoseconds / 1e9)); });
}

} // namespace

std::optional<Grant> grant(ServerTime issued, ServerTime now, seconds wanted, const Limits& limits)
{
	Grant given{wanted, {}};
	const bool periodic = limits.period > seconds(0);
	if (periodic) {
		given.ttl = limits.period;
		if (limits.period > limits.mountMax) {
			given = {limits.mountMax, capped("period", limits.period, limits.mountMax)};
		}
	}
	const bool bounded = limits.explicitMax > seconds(0);
	if (periodic && !bounded) {
		return given;
	}
	const seconds max = bounded ? std::min(limits.explicitMax, limits.mountMax) : limits.mountMax;
	const auto left = std::chrono::floor<seconds>(issued) + max - std::chrono::floor<seconds>(now);
	if (left <= seconds(0)) {
		return {};
	}
	if (given.ttl > left) {
		return Grant{left, capped("TTL", given.ttl, left)};
	}
	return given;
}

seconds shownTtl(ServerTime expires, ServerTime now)
{
	return std::chrono::duration_cast<seconds>(expires - std::chrono::round<seconds>(now));
}

std::string toText(seconds duration)
{
	const auto hours = duration.count() / 3600;
	const auto minutes = duration.count() / 60 % 60;
	const auto rest = duration.count() % 60;
	std::string text;
	if (hours != 0) {
		text += std::to_string(hours) + "h";
	}
	if (minutes != 0 || (hours != 0 && rest != 0)) {
		text += std::to_string(minutes) + "m";
	}
	if (rest != 0 || text.empty()) {
		text += std::to_string(rest) + "s";
	}
	return text;
}

tl::expected<seconds, std::string> parse(std::string_view text)
{
	const auto duration = parseSigned(text);
	if (duration && *duration < seconds(0)) {
		return tl::unexpected("cannot provide negative value '" + std::to_string(duration->count()) + "'");
	}
	return duration;
}

} // namespace issuer::test::lease
