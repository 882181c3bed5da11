#pragma once

#include "renewal/memory.h"

namespace issuer::vault::renewal {

/// A state and its reason, as they follow from the facts.
struct Standing
{
	State state = State::stopped;
	Reason reason = Reason::none;
};

/// Returns the state of a token that is being kept. Never `stopped`.
[[nodiscard]] Standing standingOf(const Policy& policy, const Memory& memory);

} // namespace issuer::vault::renewal
