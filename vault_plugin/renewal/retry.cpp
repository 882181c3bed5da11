#include "renewal/retry.h"

#include <algorithm>

namespace issuer::vault::renewal {

void Retry::count(Failing failing)
{
	streak = kind == failing ? streak + 1 : 1;
	kind = failing;
}

void Retry::fail(Failing failing, Reason why, Instant sent)
{
	if (failures == 0) {
		failingSince = sent;
	}
	++failures;
	reason = why;
	count(failing);
}

void Retry::succeed()
{
	failures = 0;
	streak = 0;
	kind = Failing::none;
	reason = Reason::none;
	refusals = 0;
	useless = 0;
	renewNext = false;
}

void Retry::answeredAt(Instant now, std::optional<Duration> retryAfter)
{
	asOf = now;
	constexpr Duration longest = std::chrono::years(10); // so that no sum overflows
	notBefore = retryAfter ? now + std::min(*retryAfter, longest) : Instant::min();
}

void Retry::lookUpWasUseless(const Policy& policy, bool probe)
{
	++useless;
	renewNext = probe || useless >= policy.uselessLookUps;
	atOnce = atOnce || probe || useless == policy.uselessLookUps;
}

bool Retry::refusedWithoutEnd(Operation operation, const Policy& policy)
{
	const bool followsRefusedLookUp = operation == Operation::renew && useless == 0 && refusals > 0;
	refusals += followsRefusedLookUp ? 0 : 1;
	useless = operation == Operation::lookUp ? 0 : useless;
	renewNext = operation == Operation::lookUp && refusals == 1;
	atOnce = atOnce || renewNext;
	return refusals > policy.refusalsDoubted;
}

Duration Retry::failingFor(Instant now) const
{
	const bool asked = failures > 0 && reason != Reason::credentialUnreadable;
	return asked ? now - failingSince : Duration::zero();
}

} // namespace issuer::vault::renewal
