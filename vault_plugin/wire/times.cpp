#include "wire/times.h"

#include <algorithm>

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeParser.h>

namespace issuer::vault::wire {

Duration secondsOf(double seconds)
{
	using Seconds = std::chrono::duration<double>;
	constexpr Seconds longest = std::chrono::years(100);
	return std::chrono::duration_cast<Duration>(std::clamp(Seconds(seconds), Seconds::zero(), longest));
}

std::optional<WallTime> timeOf(const std::string& text)
{
	Poco::DateTime time;
	int zone = 0;
	if (!Poco::DateTimeParser::tryParse(Poco::DateTimeFormat::ISO8601_FRAC_FORMAT, text, time, zone)) {
		return std::nullopt;
	}
	time.makeUTC(zone);
	const auto sinceEpoch = Duration(time.timestamp().epochMicroseconds());
	return sinceEpoch > Duration::zero() && sinceEpoch < std::chrono::duration<double>(latestTime)
			   ? std::optional(WallTime(sinceEpoch))
			   : std::nullopt;
}

} // namespace issuer::vault::wire
