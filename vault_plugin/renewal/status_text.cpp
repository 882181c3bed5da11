#include "renewal/announcements.h"
#include "renewal/format.h"
#include "renewal/schedule.h"

/// A sentence for each state: its meaning for the operator, and its end.
namespace issuer::vault::renewal {
namespace {

std::string unrenewable(Reason why, const std::string& death)
{
	if (why == Reason::batch) {
		return "batch tokens cannot be renewed: this one ends at " + death + format::replaceIt +
			   ", best by a service token";
	}
	if (why == Reason::limitedUses) {
		return "each request uses up one of the token's limited uses (num_uses): it is not renewed and ends at " +
			   death + format::replaceIt + ", best by one without num_uses";
	}
	return "the server does not renew this token (renewable: false): it ends at " + death + format::replaceIt;
}

std::string dead(Reason why, WallTime death)
{
	if (why == Reason::limitedUses) {
		return "the last use of the token (num_uses) is spent; replace the token";
	}
	if (why == Reason::expired) {
		return "the token ended at " + format::date(death) + "; replace the token";
	}
	return "the server does not accept the token; replace the token, unless its address binding, entity or auth "
		   "mount is at fault";
}

} // namespace

std::string statusText(const Situation& situation)
{
	const auto& [policy, memory, standing, now, next] = situation;
	const auto& lease = memory.lease;
	const auto death = format::until(hourOfDeath(situation), now.wall);
	switch (standing.state) {
	case State::stopped:
		return "stopped; the token is left as it is";
	case State::starting:
		return standing.reason == Reason::credentialChanged
				   ? "the credential was replaced: asking the server about the new one"
				   : "asking the server about the token";
	case State::active:
		if (lease.maxTtlEnd) {
			return "alive until " + death + ", and renewed until its max TTL ends at " +
				   format::until(now.wallAt(*lease.maxTtlEnd), now.wall) + format::replaceIt;
		}
		return "alive until " + death + "; renewed " + format::lifeInWords(interval(policy, lease.granted)) +
			   " after each renewal";
	case State::retrying:
		return "alive until " + death +
			   (standing.reason == Reason::refused ? "; the server does not accept the token, and is asked again"
												   : "; the last renewal failed, and is tried again");
	case State::capped:
		return "the token has reached its max TTL: no renewal reaches beyond " + death + format::replaceIt;
	case State::notRenewable:
		return unrenewable(standing.reason, death);
	case State::noExpiry:
		return "the token never expires: nothing to do";
	case State::denied:
		return "alive until " + death +
			   ", but the server will not renew it; mend its policy, role or user, or "
			   "replace the token before then";
	case State::expired:
		return dead(standing.reason, hourOfDeath(situation).value_or(now.wall));
	}
	return {}; // unreachable: the switch names every state
}

std::optional<WallTime> hourOfDeath(const Situation& situation)
{
	const auto& lease = situation.memory.lease;
	return lease.known() ? std::optional(situation.now.wallAt(lease.endToTell(situation.policy))) : std::nullopt;
}

} // namespace issuer::vault::renewal
