#pragma once

#include "renewal/lease.h"
#include "renewal/policy.h"
#include "renewal/retry.h"

/// When to ask next: each rule a function of what is known. Pure. `dice` is a number in [0, 1).
namespace issuer::vault::renewal {

/// How close requests may come, to each other and to the end.
struct Pace
{
	Duration gap;   ///< no two requests start closer
	Duration guard; ///< the last planned attempt starts this long before the end; after it the gap alone counts
};

[[nodiscard]] Pace paceOf(const Policy& policy, Duration lease, Duration latency);

/// From one good renewal to the next.
[[nodiscard]] Duration interval(const Policy& policy, Duration lease);

/// When a token that is well is renewed: when its remaining life has fallen to what a fresh lease would have left.
/// So a restart does not change when its token is renewed; renewing at half of what happens to be left would double
/// the risk with each one.
[[nodiscard]] Instant renewal(const Policy& policy, Instant now, const Lease& lease, double dice);

/// `length`, times `factor`.
[[nodiscard]] Duration scaled(Duration length, double factor);

/// Of a token that no server has accepted yet: as after failures that may pass. Its refusals are doubted for a while,
/// since a token that was just made may not be known everywhere yet: asked again after 1, 2 and 4 s.
[[nodiscard]] Duration firstPause(const Policy& policy, const Retry& retry, double dice);

/// After failure `streak` of a kind that may pass.
[[nodiscard]] Duration passingPause(
	const Policy& policy, Duration gap, std::optional<Duration> remains, std::uint32_t streak, double dice);

/// After refusal `streak` of a token that should live on: a wrong source address, a disabled entity, a balancer or a
/// namespace fault say the same as death, and heal. The longer all this has been `failing`, the longer the pause, also
/// where failures of another kind keep interrupting the streak.
[[nodiscard]] Duration refusedPause(const Policy& policy, Duration remains, std::uint32_t streak, Duration failing);

/// Between probes of a dead token, or of one whose life is not known.
[[nodiscard]] Duration probePause(const Policy& policy, Duration first, std::uint32_t streak);

/// `wanted`, but never later than a guard before `end` while that still lies ahead; from there on, at once.
[[nodiscard]] Instant beforeEnd(Instant wanted, Instant now, Instant end, Duration guard);

/// What one attempt may take of a token of which no answer has told yet how long it lives, `failing` after the first
/// one: as long as that has lasted. So it is asked about again before the time that it has been waited for has passed
/// once more, and a server that is merely slow is given the whole request timeout in the end.
[[nodiscard]] Duration firstBudget(const Policy& policy, Duration failing, Duration latency);

/// What one attempt may take with `remains` to live: a server that hangs never eats the life later attempts need.
[[nodiscard]] Duration budget(
	const Policy& policy, const Pace& pace, Duration remains, Duration lease, Duration latency);

} // namespace issuer::vault::renewal
