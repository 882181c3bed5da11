#pragma once

#include "base/time.h"

#include <algorithm>

namespace issuer::vault::renewal {

/// The time that the server takes to answer. Follows a slower answer at once and quicker ones slowly: ten quick answers
/// later a twentieth of the difference is left. An attempt without an answer changes nothing.
struct Latency
{
	Duration recent{}; ///< to plan with
	Duration last{};   ///< of the latest attempt, answered or not

	void measure(Duration taken, bool answered)
	{
		last = taken;
		if (answered) {
			recent = taken + std::max(recent - taken, Duration::zero()) * 3 / 4;
		}
	}
};

} // namespace issuer::vault::renewal
