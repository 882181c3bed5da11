#include "renewal/standing.h"

namespace issuer::vault::renewal {

/// The order is the rule: limits of a token's life come before obstacles to its renewals.
Standing standingOf(const Policy& policy, const Memory& memory)
{
	const auto& lease = memory.lease;
	const auto& retry = memory.retry;
	if (memory.dead()) {
		return {State::expired, memory.death};
	}
	if (lease.end == Lease::End::never) {
		return {State::noExpiry, Reason::none};
	}
	if (lease.known() && retry.kind == Failing::refused) {
		return {State::retrying, Reason::refused};
	}
	if (memory.unrenewable != Reason::none) {
		return {State::notRenewable, memory.unrenewable};
	}
	if (lease.capped(policy)) {
		return {State::capped, Reason::maxTtl};
	}
	if (retry.kind == Failing::denied) {
		return {State::denied, Reason::refused};
	}
	if (!lease.known()) {
		return {State::starting, retry.reason};
	}
	if (retry.kind == Failing::passing) {
		return {State::retrying, retry.reason};
	}
	return {State::active, Reason::none};
}

Standing standingOf(const Policy& policy, const Memory& memory, const Successor& successor)
{
	const auto standing = standingOf(policy, memory);
	const bool bounded = standing.state == State::capped ||
						 (standing.state == State::notRenewable && standing.reason != Reason::limitedUses);
	if (!bounded) {
		return standing;
	}
	switch (successor.outlook) {
	case Successor::Outlook::none:
	case Successor::Outlook::failed:
		break;
	case Successor::Outlook::planned:
		return {State::active, Reason::none};
	case Successor::Outlook::retrying:
		return {State::retrying, successor.reason};
	}
	return standing;
}

} // namespace issuer::vault::renewal
