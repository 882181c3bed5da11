#pragma once

#include "world.h"

#include <iosfwd>
#include <string_view>

namespace issuer::simulation {

/// Writes the events of a world, a line each: time, event, and the true remaining life of the token.
class Timeline
{
public:
	explicit Timeline(std::ostream& out) : _out(out) {}

	void begin(Instant start);
	void line(Instant now, Instant end, std::string_view what);

private:
	std::ostream& _out;
	Instant _start;
};

} // namespace issuer::simulation
