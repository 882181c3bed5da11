#pragma once

#include "renewal/memory.h"
#include "renewal/policy.h"

namespace issuer::vault::renewal {

/// The next request, as it follows from the facts.
struct Plan
{
	std::optional<Instant> at; ///< none: there is nothing to ask until something is told
	Operation operation = Operation::lookUp;
};

/// For the token in use. `dice` is a number in [0, 1) that jitters it.
[[nodiscard]] Plan planOf(const Policy& policy, const Memory& memory, double dice);

/// For a candidate, beside the token in use. `retry`: the candidate's.
[[nodiscard]] Plan planOfCandidate(const Policy& policy, const Memory& memory, const Retry& retry, double dice);

/// How long the request may take that goes out now.
[[nodiscard]] Duration budgetOf(const Policy& policy, const Memory& memory, Instant now);

/// The same for a candidate's: the token in use waits for its answer, until `nextOfCurrent`.
[[nodiscard]] Duration budgetOfCandidate(
	const Policy& policy, const Memory& memory, const Retry& retry, Instant now, std::optional<Instant> nextOfCurrent);

} // namespace issuer::vault::renewal
