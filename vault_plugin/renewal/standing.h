#pragma once

#include "renewal/memory.h"

namespace issuer::vault::renewal {

/// What the facts come to.
struct Standing
{
	State state = State::stopped;
	Reason reason = Reason::none;
};

/// The state of a token that is being kept, as it follows from the facts. Never `stopped`.
[[nodiscard]] Standing standingOf(const Policy& policy, const Memory& memory);

} // namespace issuer::vault::renewal
