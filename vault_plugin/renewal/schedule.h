#pragma once

#include "renewal/lease.h"
#include "renewal/policy.h"
#include "renewal/retry.h"

/// The times of requests: each rule a pure function of the facts. `chance` is a number in [0, 1).
namespace issuer::vault::renewal {

/// The least distances of requests, to each other and to the end.
struct Pace
{
	Duration gap;   ///< no two requests start closer
	Duration guard; ///< the last planned attempt starts this long before the end; after it the gap alone counts
};

[[nodiscard]] Pace paceOf(const Policy& policy, Duration lease, Duration latency);

/// Returns the time from one successful renewal to the next.
[[nodiscard]] Duration interval(const Policy& policy, Duration lease);

/// Returns when a token without trouble is renewed: when its remaining life has fallen to that of a fresh lease at its
/// renewal. So a restart does not change the time of the renewal; renewing at half of the remaining life would double
/// the risk with each one.
[[nodiscard]] Instant renewal(const Policy& policy, Instant now, const Lease& lease, double chance);

/// Returns `first`, doubled with each of `streak` after the first, up to `longest`.
[[nodiscard]] Duration doubling(Duration first, std::uint32_t streak, Duration longest);

/// Returns `length` times `factor`.
[[nodiscard]] Duration scaled(Duration length, double factor);

/// Returns the pause for a token that no server has accepted yet: as after failures that may pass. Its refusals are
/// doubted for a while, since a new token may not be known to every node: it is asked about again after 1, 2 and 4 s.
/// `remains`: the time within which it must be accepted; none: any will do.
[[nodiscard]] Duration firstPause(
	const Policy& policy, const Retry& retry, double chance, std::optional<Duration> remains = std::nullopt);

/// Returns the pause after failure `streak` of a kind that may pass.
[[nodiscard]] Duration passingPause(
	const Policy& policy, Duration gap, std::optional<Duration> remains, std::uint32_t streak, double chance);

/// Returns the pause after refusal `streak` of a token that should live on: a wrong source address, a disabled entity,
/// a balancer or a namespace fault say the same as death, and heal. The longer all this has been `failing`, the longer
/// the pause, also where failures of another kind keep interrupting the streak.
[[nodiscard]] Duration refusedPause(const Policy& policy, Duration remains, std::uint32_t streak, Duration failing);

/// Returns the pause between probes of a dead token, or of one whose end is unknown.
[[nodiscard]] Duration probePause(const Policy& policy, Duration first, std::uint32_t streak);

/// Returns `wanted`, but never later than a guard before `end` while that still lies ahead; from there on, `now`.
[[nodiscard]] Instant beforeEnd(Instant wanted, Instant now, Instant end, Duration guard);

/// Returns the time limit of an attempt before the first answer. Each attempt may take as long as the server has been
/// silent so far (`failing`), up to request_timeout: so a silent server is asked again soon, and a server that is
/// merely slow gets all of request_timeout in the end.
[[nodiscard]] Duration firstBudget(const Policy& policy, Duration failing, Duration latency);

/// Returns the time limit of an attempt with `remains` to live: a server that hangs never uses up the life that later
/// attempts need.
[[nodiscard]] Duration budget(const Policy& policy, const Pace& pace, Duration remains, Duration latency);

} // namespace issuer::vault::renewal
