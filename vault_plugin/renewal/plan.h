#pragma once

#include "renewal/memory.h"
#include "renewal/policy.h"
#include "renewal/token_life.h"

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

/// The source's newest token, while it is not in use.
struct Candidate
{
	Retry retry;
	Plan plan;
	bool provenFirst = false;        ///< never adopted before the server has accepted it
	std::optional<FirstGrant> grant; ///< its lease, where its maker told
};

/// Plans for a candidate, beside the token in use, whose next request is at `nextOfCurrent`; none: none is planned.
[[nodiscard]] Plan planOfCandidate(const Policy& policy, const Memory& memory, const Candidate& candidate,
	double chance, std::optional<Instant> nextOfCurrent);

/// Returns the time limit of a request that is sent now.
[[nodiscard]] Duration budgetOf(const Policy& policy, const Memory& memory, Instant now);

/// Returns the same for a candidate's request: the token in use waits for its answer, until `nextOfCurrent`.
[[nodiscard]] Duration budgetOfCandidate(
	const Policy& policy, const Memory& memory, const Retry& retry, Instant now, std::optional<Instant> nextOfCurrent);

} // namespace issuer::vault::renewal
