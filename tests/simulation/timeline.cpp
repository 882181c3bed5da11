#include "timeline.h"

#include <iomanip>
#include <ostream>
#include <string>

namespace issuer::simulation {

void Timeline::begin(Instant start)
{
	_start = start;
	_out << std::setw(14) << "time" << std::setw(14) << "life left"
		 << "  what happens\n";
}

void Timeline::line(Instant now, Instant end, std::string_view what)
{
	const auto left = end == Instant::max() ? std::string("for ever")
					  : end <= now          ? std::string("dead")
											: inWords(end - now);
	_out << std::setw(14) << inWords(now - _start) << std::setw(14) << left << "  " << what << '\n';
}

} // namespace issuer::simulation
