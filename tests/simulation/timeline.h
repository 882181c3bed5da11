#pragma once

#include "world.h"

#include <iosfwd>
#include <string_view>

namespace issuer::simulation {

/// Writes what happens in a world, a line each: when, what, and how much life the token has left in truth.
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
