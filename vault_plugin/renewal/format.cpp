#include "renewal/format.h"

#include <array>
#include <cstdio>

namespace issuer::vault::renewal::format {

namespace {

template <class... Values>
std::string printed(const char* format, Values... values)
{
	std::array<char, 80> text{};
	std::snprintf(text.data(), text.size(), format, values...);
	return text.data();
}

} // namespace

std::string date(WallTime time)
{
	using namespace std::chrono;
	const auto day = floor<days>(time);
	const year_month_day calendar(day);
	const hh_mm_ss clock(floor<seconds>(time - day));
	return printed("%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(calendar.year()),
		static_cast<unsigned>(calendar.month()), static_cast<unsigned>(calendar.day()),
		static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
		static_cast<int>(clock.seconds().count()));
}

std::string lifeInWords(Duration length)
{
	if (length <= Duration::zero()) {
		return "0 s";
	}
	const auto tenths = length.count() / 100'000;
	if (tenths < 100) {
		return tenths % 10 == 0 ? printed("%d s", static_cast<int>(tenths / 10))
								: printed("%d.%d s", static_cast<int>(tenths / 10), static_cast<int>(tenths % 10));
	}
	const long long seconds = tenths / 10;
	if (seconds < 120) {
		return printed("%lld s", seconds);
	}
	if (seconds < 3600) {
		return seconds % 60 == 0 ? printed("%lld min", seconds / 60)
								 : printed("%lld min %lld s", seconds / 60, seconds % 60);
	}
	const long long minutes = seconds / 60;
	if (minutes < 24 * 60) {
		return printed("%lld h %lld min", minutes / 60, minutes % 60);
	}
	return printed("%lld d %lld h", minutes / (24 * 60), minutes / 60 % 24);
}

std::string until(std::optional<WallTime> end, WallTime now)
{
	return end ? date(*end) + " (" + lifeInWords(*end - now) + ")" : "an unknown time";
}

} // namespace issuer::vault::renewal::format
