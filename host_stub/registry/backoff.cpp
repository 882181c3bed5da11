#include "registry/backoff.h"

#include <algorithm>
#include <cmath>

namespace issuer::registry {

std::chrono::milliseconds startBackoff(unsigned failures, double random)
{
	constexpr double first = 1000;
	constexpr double longest = 15'000;
	constexpr double spread = 0.2;
	const double doubled = std::ldexp(first, static_cast<int>(std::clamp(failures, 1U, 10U)) - 1);
	return std::chrono::milliseconds(std::lround(std::min(doubled, longest) * (1 - spread + 2 * spread * random)));
}

} // namespace issuer::registry
