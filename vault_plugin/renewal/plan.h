#pragma once

#include "renewal/memory.h"
#include "renewal/policy.h"

namespace issuer::vault::renewal {

/// The next request, as it follows from the facts.
struct Plan
{
	std::optional<Instant> at; ///< none: no request until a new fact comes
	Operation operation = Operation::lookUp;
};

/// Plans for the token in use. `chance` is a number in [0, 1) for the jitter. `replaceable`: a login can bring another
/// one, so that a refusal is to be known for sure soon.
[[nodiscard]] Plan planOf(const Policy& policy, const Memory& memory, double chance, bool replaceable = false);

/// Plans for a candidate, beside the token in use. `retry`: the candidate's. `provenFirst`: it is of a login, and does
/// not take the place of a token that ends before the server has accepted it.
[[nodiscard]] Plan planOfCandidate(
	const Policy& policy, const Memory& memory, const Retry& retry, bool provenFirst, double chance);

/// Returns the time limit of a request that is sent now.
[[nodiscard]] Duration budgetOf(const Policy& policy, const Memory& memory, Instant now);

/// Returns the same for a candidate's request: the token in use waits for its answer, until `nextOfCurrent`.
[[nodiscard]] Duration budgetOfCandidate(
	const Policy& policy, const Memory& memory, const Retry& retry, Instant now, std::optional<Instant> nextOfCurrent);

} // namespace issuer::vault::renewal
