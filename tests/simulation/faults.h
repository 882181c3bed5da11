#pragma once

#include "renewal/facts.h"
#include "world.h"

#include <optional>

namespace issuer::simulation {

/// Returns the answer that replaces the server's own while `fault` holds, for `remaining` more; nothing: the server's
/// own answer.
[[nodiscard]] std::optional<vault::renewal::Answer> answerInstead(
	Fault fault, vault::renewal::Operation operation, bool tokenAlive, Duration remaining);

/// Below 500, and in the server's own language: nothing is wrong with the way that it came.
[[nodiscard]] bool isGoodReply(const vault::renewal::Answer& answer);

} // namespace issuer::simulation
