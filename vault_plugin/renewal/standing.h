#pragma once

#include "renewal/memory.h"
#include "renewal/token_life.h"

namespace issuer::vault::renewal {

/// A state and its reason, as they follow from the facts.
struct Standing
{
	State state = State::stopped;
	Reason reason = Reason::none;
};

/// Returns the state of a token that is being kept. Never `stopped`.
[[nodiscard]] Standing standingOf(const Policy& policy, const Memory& memory);

/// Returns the state to report, where a login may bring the next token: then the end of a token that cannot be renewed
/// beyond it needs no alarm.
[[nodiscard]] Standing standingOf(const Policy& policy, const Memory& memory, const Successor& successor);

} // namespace issuer::vault::renewal
