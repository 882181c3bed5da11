#include "registry/backoff.h"

#include <algorithm>
#include <cmath>

namespace issuer::registry {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

namespace {

milliseconds doubling(milliseconds first, milliseconds longest, unsigned failures, double random)
{
	constexpr double spread = 0.2;
	const double doubled =
		std::ldexp(static_cast<double>(first.count()), static_cast<int>(std::clamp(failures, 1U, 10U)) - 1);
	const double pause = std::min(doubled, static_cast<double>(longest.count()));
	return milliseconds(std::lround(pause * (1 - spread + 2 * spread * random)));
}

} // namespace

milliseconds startBackoff(unsigned failures, double random)
{
	return doubling(1s, 15s, failures, random);
}

milliseconds deadCredentialBackoff(unsigned failures, double random)
{
	return doubling(1min, 1h, failures, random);
}

} // namespace issuer::registry
