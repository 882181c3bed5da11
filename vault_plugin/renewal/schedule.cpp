#include "renewal/schedule.h"

#include <algorithm>
#include <cmath>

namespace issuer::vault::renewal {

Duration doubling(Duration first, std::uint32_t streak, Duration longest)
{
	constexpr std::uint32_t enough = 20; // a million times the first: beyond every limit, and far from an overflow
	const auto doublings = std::min(std::max(streak, 1U) - 1, enough);
	return std::min<Duration>(first * (std::int64_t{1} << doublings), longest);
}

Duration scaled(Duration length, double factor)
{
	return Duration(std::llround(static_cast<double>(length.count()) * factor));
}

Pace paceOf(const Policy& policy, Duration lease, Duration latency)
{
	if (lease <= Duration::zero()) {
		return {policy.longestGap, policy.longestGap}; // unknown: nothing is urgent
	}
	const auto gap =
		std::clamp<Duration>(scaled(lease, 1 / policy.gapsPerLease), policy.shortestGap, policy.longestGap);
	const auto wanted = std::min(scaled(latency, policy.latenciesPerGuard), scaled(lease, 1 / policy.guardsPerLease));
	return {gap, std::max<Duration>(gap, std::min<Duration>(wanted, policy.longestGuard))};
}

Duration interval(const Policy& policy, Duration lease)
{
	const auto wanted = std::max(scaled(lease, policy.fraction), policy.minInterval);
	return std::min(wanted, scaled(lease, policy.latestShare));
}

Instant renewal(const Policy& policy, Instant now, const Lease& lease, double chance)
{
	const auto whole = interval(policy, lease.granted);
	const auto due = lease.earliest - lease.granted + whole - scaled(whole, policy.jitter * chance);
	if (due >= now) {
		return due;
	}
	const auto remains = std::max(lease.earliest - now, Duration::zero());
	const auto spread = std::min<Duration>(policy.longestSpread, scaled(remains, 1 / policy.spreadsPerLife));
	return now + scaled(spread, chance);
}

Duration firstPause(const Policy& policy, const Retry& retry, double chance, std::optional<Duration> remains)
{
	if (retry.notBefore > retry.asOf || retry.failures == 0) {
		return Duration::zero(); // the server has named the pause
	}
	if (retry.isDoubting(policy)) {
		return doubling(policy.firstPause, retry.refusals, policy.longestPause);
	}
	return passingPause(policy, policy.longestGap, remains, retry.failures, chance);
}

Duration passingPause(
	const Policy& policy, Duration gap, std::optional<Duration> remains, std::uint32_t streak, double chance)
{
	auto pause = doubling(policy.firstPause, streak, policy.longestPause);
	if (remains) {
		pause = std::min(pause, scaled(*remains, 1 / policy.pausesPerLife));
	}
	return std::max(scaled(pause, 1 + policy.pauseJitter * (2 * chance - 1)), gap);
}

Duration refusedPause(const Policy& policy, Duration remains, std::uint32_t streak, Duration failing)
{
	const auto first = std::min<Duration>(policy.firstRefusedPause, scaled(remains, 1 / policy.pausesPerLife));
	return std::max(doubling(first, streak, remains), scaled(failing, 1 / policy.refusalsPerOutage));
}

Duration probePause(const Policy& policy, Duration first, std::uint32_t streak)
{
	return doubling(first, streak, policy.longestProbe);
}

Instant beforeEnd(Instant wanted, Instant now, Instant end, Duration guard)
{
	const auto last = end - guard;
	return now < last ? std::min(wanted, last) : now;
}

Duration firstBudget(const Policy& policy, Duration failing, Duration latency)
{
	return std::min(std::max({Duration(policy.firstBudget), failing, 2 * latency}), policy.requestTimeout);
}

Duration budget(const Policy& policy, const Pace& pace, Duration remains, Duration latency)
{
	const auto share = scaled(remains, 1 / policy.attemptsPerLife);
	const auto atLeast = std::min<Duration>(1s, remains / 2);
	// A server known to be slow is given time to answer: a shorter limit would lose each grant.
	const auto known = std::min(2 * latency, std::max(remains, latency + pace.gap));
	return std::min(std::max({share, atLeast, known, pace.gap}), policy.requestTimeout);
}

} // namespace issuer::vault::renewal
