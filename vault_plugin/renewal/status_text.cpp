#include "renewal/announcements.h"
#include "renewal/format.h"
#include "renewal/schedule.h"

/// A sentence for each state: its meaning for the operator, and its end.
namespace issuer::vault::renewal {
namespace {

/// Returns the end of a text about a token that will die.
const char* adviceFor(const Successor& successor)
{
	switch (successor.outlook) {
	case Successor::Outlook::none:
		return format::replaceIt;
	case Successor::Outlook::planned:
		return "; a login replaces it before then";
	case Successor::Outlook::retrying:
		return "; the login that replaces it is tried again";
	case Successor::Outlook::failed:
		return "; the login that should replace it is refused";
	}
	return ""; // unreachable: the switch names every outlook
}

std::string unrenewable(Reason why, const std::string& death, const Successor& successor)
{
	const bool login = successor.outlook != Successor::Outlook::none;
	if (why == Reason::batch) {
		return "batch tokens cannot be renewed: this one ends at " + death + adviceFor(successor) +
			   (login ? "" : ", best by a service token");
	}
	if (why == Reason::limitedUses) {
		return "each request uses up one of the token's limited uses (num_uses): it is not renewed and ends at " +
			   death + format::replaceIt + ", best by one without num_uses";
	}
	return "the server does not renew this token (renewable: false): it ends at " + death + adviceFor(successor);
}

/// Returns the text of a token that lives, and whose next one a login brings.
std::string followed(const Situation& situation, const std::string& death)
{
	const auto& memory = situation.memory;
	if (memory.unrenewable != Reason::none) {
		return "alive until " + death + " and not renewable" + adviceFor(situation.successor);
	}
	return "alive until " + death + ", the end of its max TTL" + adviceFor(situation.successor);
}

std::string dead(Reason why, WallTime death, const Successor& successor)
{
	if (successor.isHoped()) {
		return why == Reason::expired ? "the token ended at " + format::date(death) + "; a login brings the next one"
									  : "the server does not accept the token; a login brings the next one";
	}
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
	const auto& [policy, memory, standing, now, next, successor] = situation;
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
		if (lease.capped(policy) || memory.unrenewable != Reason::none) {
			return followed(situation, death);
		}
		if (lease.maxTtlEnd) {
			return "alive until " + death + ", and renewed until its max TTL ends at " +
				   format::until(now.wallAt(*lease.maxTtlEnd), now.wall) + adviceFor(successor);
		}
		return "alive until " + death + "; renewed " + format::lifeInWords(interval(policy, lease.granted)) +
			   " after each renewal";
	case State::retrying:
		return "alive until " + death +
			   (standing.reason == Reason::refused ? "; the server does not accept the token, and is asked again"
												   : "; the last renewal failed, and is tried again");
	case State::capped:
		return "the token has reached its max TTL: no renewal reaches beyond " + death + adviceFor(successor);
	case State::notRenewable:
		return unrenewable(standing.reason, death, successor);
	case State::noExpiry:
		return "the token never expires: nothing to do";
	case State::denied:
		return "alive until " + death + ", but the server will not renew it; " +
			   (successor.isHoped() ? "a login replaces it"
									: "mend its policy, role or user, or replace the token before then");
	case State::expired:
		return dead(standing.reason, hourOfDeath(situation).value_or(now.wall), successor);
	}
	return {}; // unreachable: the switch names every state
}

std::optional<WallTime> hourOfDeath(const Situation& situation)
{
	const auto& lease = situation.memory.lease;
	return lease.known() ? std::optional(situation.now.wallAt(lease.endToTell())) : std::nullopt;
}

} // namespace issuer::vault::renewal
