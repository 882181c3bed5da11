#include "renewal/announcements.h"

#include "renewal/format.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace issuer::vault::renewal {
namespace {

/// Returns whether a duration has moved by so much that the operator should know.
bool differs(Duration told, Duration is, float share, Duration slack)
{
	const auto moved = std::chrono::abs(is - told);
	const std::chrono::duration<float, Duration::period> band = share * std::chrono::abs(told);
	return moved > slack && moved > band;
}

} // namespace

void Announcements::tell(const Conclusion& verdict)
{
	auto told = verdict;
	if (verdict.outcome == Outcome::notRenewable && _told.bound != Reason::none) {
		told.outcome = Outcome::failure; // already reported as not renewable
	}
	else if (verdict.outcome == Outcome::notRenewable && _situation.successor.isHoped()) {
		told.outcome = verdict.detail.empty() ? Outcome::success : Outcome::failure; // a login helps
	}
	if (told.outcome != Outcome::none) {
		_reports.emplace_back(event(told, std::string(told.detail)));
		noteFailure(told);
	}
	tellBound();
	if (hasNews()) {
		tellState(told, statusText(_situation), _situation.standing.reason);
	}
}

void Announcements::tellReplaced()
{
	_told.bound = Reason::none;
	_told.failing = false;
	tellBound();
	const bool starting = _situation.standing.state == State::starting;
	if (starting && _told.state == State::starting) {
		return; // nothing was in use before
	}
	tellState(
		{}, (starting ? "" : "the credential was replaced: ") + statusText(_situation), Reason::credentialChanged);
}

/// Reports that no renewal will save the token: once a life, or once for each max TTL.
void Announcements::tellBound()
{
	const auto& [state, reason] = _situation.standing;
	const auto& lease = _situation.memory.lease;
	if (_told.bound == Reason::maxTtl && !lease.maxTtlEnd && !lease.maxTtlReached) {
		_told.bound = Reason::none; // the max TTL was raised
	}
	const bool bounded = state == State::capped || state == State::notRenewable ||
						 (state == State::expired && reason == Reason::limitedUses);
	if (bounded && _told.bound == Reason::none) {
		_reports.emplace_back(event({Outcome::notRenewable, reason, {}, 0, 0, {}}, statusText(_situation)));
	}
}

void Announcements::tellState(const Conclusion& verdict, std::string detail, Reason reason)
{
	auto change = event({}, detail);
	change.reason = reason;
	_reports.emplace_back(std::move(change));
	noteChange(verdict, std::move(detail));
	_told.state = _situation.standing.state;
	_told.maxTtlEnd = _situation.memory.lease.maxTtlEnd;
	_told.lease = _situation.memory.lease.granted;
}

Event Announcements::event(const Conclusion& verdict, std::string detail)
{
	const auto& now = _situation.now;
	Event event;
	event.outcome = verdict.outcome;
	event.attempt = verdict.attempt;
	event.when = now.wall;
	event.state = _situation.standing.state;
	event.reason = verdict.reason;
	switch (verdict.outcome) {
	case Outcome::none:
		event.reason = _situation.standing.reason;
		break;
	case Outcome::success:
		++_told.successes;
		_told.lastSuccess = now.boot;
		event.reason = _situation.standing.reason;
		break;
	case Outcome::failure:
		++_told.failures;
		break;
	case Outcome::notRenewable:
		++_told.notRenewables;
		_told.bound = verdict.reason;
		break;
	}
	if (verdict.attempt > 0) {
		event.latency = _situation.memory.latency.last;
	}
	event.expires = hourOfDeath(_situation);
	if (event.expires) {
		event.ttl = std::max(*event.expires - now.wall, Duration::zero());
	}
	if (_situation.next) {
		event.next = now.wallAt(*_situation.next);
	}
	event.detail = std::move(detail);
	return event;
}

bool Announcements::hasNews() const
{
	const auto& [policy, memory, standing, now, next, successor] = _situation;
	if (standing.state != _told.state) {
		return true;
	}
	const auto& lease = memory.lease;
	if (standing.state == State::active &&
		differs(_told.lease, lease.granted, policy.announceBeyond, Duration::zero())) {
		return true;
	}
	if (!lease.maxTtlEnd || !_told.maxTtlEnd) {
		return lease.maxTtlEnd.has_value() != _told.maxTtlEnd.has_value();
	}
	return differs(
		*_told.maxTtlEnd - now.boot, *lease.maxTtlEnd - now.boot, policy.announceBeyond, 2 * policy.forecastSlack);
}

/// Notes the first failure of an outage, then those at doubling counts.
void Announcements::noteFailure(const Conclusion& verdict)
{
	if (verdict.outcome != Outcome::failure || !std::has_single_bit(verdict.attempt) ||
		_situation.standing.state == State::expired) {
		return;
	}
	auto text = std::string(verdict.detail) + "; attempt " + std::to_string(verdict.attempt);
	if (const auto death = hourOfDeath(_situation)) {
		text += "; alive until " + format::until(death, _situation.now.wall);
	}
	if (_situation.next) {
		text += "; next try in " + format::lifeInWords(*_situation.next - _situation.now.boot);
	}
	_told.failing = note(Level::warn, std::move(text)) || _told.failing;
}

void Announcements::noteChange(const Conclusion& verdict, std::string text)
{
	if (_told.state == State::stopped) {
		return; // no note: the caller of start knows
	}
	switch (_situation.standing.state) {
	case State::stopped:
		break; // no note: the caller of stop knows
	case State::retrying:
		if (verdict.outcome == Outcome::none) { // with an outcome, its failure is noted instead
			note(Level::warn, std::move(text));
		}
		break;
	case State::active:
		if (std::exchange(_told.failing, false)) {
			text = "recovered after " + std::to_string(verdict.failures) +
				   (verdict.failures == 1 ? " failed attempt in " : " failed attempts in ") +
				   format::lifeInWords(_situation.now.boot - verdict.failingSince) + "; " + text;
		}
		note(_situation.memory.lease.maxTtlEnd && !_situation.successor.isHoped() ? Level::warn : Level::info,
			std::move(text));
		break;
	case State::starting:
	case State::noExpiry:
		note(Level::info, std::move(text));
		break;
	case State::capped:
	case State::notRenewable:
	case State::denied:
		note(Level::warn, std::move(text));
		break;
	case State::expired:
		note(Level::error, std::move(text));
		break;
	}
}

void Announcements::tellCandidateFound()
{
	note(Level::info, "the credential source gave a new token: asking the server about it; the token from before stays "
					  "in use until it is accepted");
}

void Announcements::tellCandidateFailed(std::string_view why, bool first, bool believed)
{
	const auto text = "the new token is not in use yet: " + std::string(why) + "; the token in use stays in use";
	if (believed) {
		_reports.emplace_back(event({Outcome::failure, Reason::refused, {}, 0, 0, {}}, text));
	}
	if (first || believed) {
		note(Level::warn, text);
	}
}

void Announcements::tellUnreadable(std::string_view why)
{
	if (!_told.unreadable) {
		_told.unreadable = note(Level::warn,
			"the credential source gives no token: " + std::string(why) + "; the token in use stays in use");
	}
}

/// Adds a line, if the log's budget allows it: a few at once, then one at a time, so that no server
/// can flood the log. A few are reserved for deaths. Returns whether it was added.
bool Announcements::note(Level level, std::string text)
{
	const auto& policy = _situation.policy;
	const Duration pause = policy.notePause;
	const auto most = policy.notesAtOnce;
	if (_told.notesCounted == Instant::min()) {
		_told.notesUnspent = most;
		_told.notesCounted = _situation.now.boot;
	}
	const auto earned = (_situation.now.boot - _told.notesCounted) / pause;
	if (earned > 0) {
		_told.notesUnspent = static_cast<std::int32_t>(std::min<std::int64_t>(_told.notesUnspent + earned, most));
		_told.notesCounted += earned * pause;
	}
	if (_told.notesUnspent <= (level == Level::error ? -policy.deathsAtOnce : 0)) {
		return false;
	}
	--_told.notesUnspent;
	_reports.emplace_back(Note{level, std::move(text)});
	return true;
}

} // namespace issuer::vault::renewal
