#pragma once

#include <iosfwd>

namespace issuer::fleets {

/// Prints, for 1,000,000 issuers on 100 members, how evenly they are spread, what moves when members come and go, and
/// the rate of requests at the server when some die: with states, and with look-ups in their place.
void printScale(std::ostream& out);

} // namespace issuer::fleets
