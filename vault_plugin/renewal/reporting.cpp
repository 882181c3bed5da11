#include "renewal/keeper.h"
#include "renewal/telling.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>

/// What to tell: an event for each attempt and each change, and a few lines for the log.
namespace issuer::vault::renewal {
namespace {

/// Moved by so much that people want to know.
bool differs(Duration told, Duration is, float share, Duration slack)
{
	const auto moved = std::chrono::abs(is - told);
	const std::chrono::duration<float, Duration::period> band = share * std::chrono::abs(told);
	return moved > slack && moved > band;
}

} // namespace

Reports Keeper::report(const Moment& now, const Verdict& verdict)
{
	Reports reports;
	if (verdict.outcome != Outcome::none) {
		reports.emplace_back(event(now, verdict));
		noteFailure(reports, now, verdict);
	}
	tellOfWall(reports, now);
	if (hasNews(now.boot)) {
		Verdict news;
		news.detail = sentence(now);
		reports.emplace_back(event(now, news));
		noteChange(reports, now, verdict);
		_memory.toldState = _memory.running ? _memory.state : State::stopped;
		_memory.toldWall = _memory.life.wall;
		_memory.toldLease = _memory.life.lease;
	}
	return reports;
}

/// Once a life, or once a wall: no renewal will save it.
void Keeper::tellOfWall(Reports& reports, const Moment& now)
{
	const bool bounded = _memory.state == State::capped || _memory.state == State::notRenewable ||
						 (_memory.state == State::expired && _memory.reason == Reason::limitedUses);
	if (_memory.running && bounded && !_memory.toldNotRenewable) {
		Verdict verdict;
		verdict.outcome = Outcome::notRenewable;
		verdict.reason = _memory.reason;
		verdict.detail = sentence(now);
		reports.emplace_back(event(now, verdict));
	}
}

Event Keeper::event(const Moment& now, const Verdict& verdict)
{
	Event event;
	event.outcome = verdict.outcome;
	event.attempt = verdict.attempt;
	event.when = now.wall;
	event.state = _memory.running ? _memory.state : State::stopped;
	switch (verdict.outcome) {
	case Outcome::none:
		event.reason = _memory.running ? _memory.reason : Reason::none;
		break;
	case Outcome::success:
		++_memory.successes;
		event.reason = _memory.reason;
		break;
	case Outcome::failure:
		++_memory.failuresEver;
		event.reason = verdict.reason;
		break;
	case Outcome::notRenewable:
		++_memory.notRenewables;
		_memory.toldNotRenewable = true;
		event.reason = verdict.reason;
		break;
	}
	if (verdict.attempt > 0) {
		event.latency = _memory.lastLatency;
	}
	if (endKnown()) {
		event.expires = now.wallAt(endToTell());
		event.ttl = std::max(*event.expires - now.wall, Duration::zero());
	}
	if (const auto planned = next()) {
		event.next = now.wallAt(*planned);
	}
	event.detail = verdict.detail;
	return event;
}

bool Keeper::hasNews(Instant now) const
{
	const auto state = _memory.running ? _memory.state : State::stopped;
	if (state != _memory.toldState) {
		return true;
	}
	const auto& life = _memory.life;
	if (state == State::active && differs(_memory.toldLease, life.lease, _policy->announceBeyond, Duration::zero())) {
		return true;
	}
	if (!life.wall || !_memory.toldWall) {
		return life.wall.has_value() != _memory.toldWall.has_value();
	}
	return differs(*_memory.toldWall - now, *life.wall - now, _policy->announceBeyond, 2 * _policy->forecastSlack);
}

std::optional<WallTime> Keeper::hourOfDeath(const Moment& now) const
{
	return endKnown() ? std::optional(now.wallAt(endToTell())) : std::nullopt;
}

/// The first of an outage, then at doubling counts.
void Keeper::noteFailure(Reports& reports, const Moment& now, const Verdict& verdict)
{
	if (verdict.outcome != Outcome::failure || !std::has_single_bit(_memory.failures) ||
		_memory.state == State::expired) {
		return;
	}
	auto text = verdict.detail + "; attempt " + std::to_string(verdict.attempt);
	if (const auto death = hourOfDeath(now)) {
		text += "; alive until " + telling::until(death, now.wall);
	}
	if (const auto planned = next()) {
		text += "; next try in " + telling::lifeInWords(*planned - now.boot);
	}
	_memory.toldFailing = note(reports, now.boot, Level::warn, std::move(text)) || _memory.toldFailing;
}

void Keeper::noteChange(Reports& reports, const Moment& now, const Verdict& verdict)
{
	if (!_memory.running || _memory.toldState == State::stopped) {
		return; // who starts and stops knows
	}
	auto text = sentence(now);
	switch (_memory.state) {
	case State::stopped:
		break;
	case State::retrying:
		if (verdict.outcome == Outcome::none) { // otherwise its failure is told
			note(reports, now.boot, Level::warn, std::move(text));
		}
		break;
	case State::active:
		if (std::exchange(_memory.toldFailing, false)) {
			text = "recovered after " + std::to_string(verdict.failures) +
				   (verdict.failures == 1 ? " failed attempt in " : " failed attempts in ") +
				   telling::lifeInWords(now.boot - verdict.failingSince) + "; " + text;
		}
		note(reports, now.boot, _memory.life.wall ? Level::warn : Level::info, std::move(text));
		break;
	case State::starting:
	case State::noExpiry:
		note(reports, now.boot, Level::info, std::move(text));
		break;
	case State::capped:
	case State::notRenewable:
	case State::denied:
		note(reports, now.boot, Level::warn, std::move(text));
		break;
	case State::expired:
		note(reports, now.boot, Level::error, std::move(text));
		break;
	}
}

/// A few at once, then one at a time: whatever a server does, the log stays quiet. A few are set aside for deaths.
bool Keeper::note(Reports& reports, Instant now, Level level, std::string text)
{
	const Duration pause = _policy->notePause;
	const auto most = _policy->notesAtOnce;
	if (_memory.notesCounted == Instant::min()) {
		_memory.notesUnspent = most;
		_memory.notesCounted = now;
	}
	const auto earned = (now - _memory.notesCounted) / pause;
	if (earned > 0) {
		_memory.notesUnspent = static_cast<std::int32_t>(std::min<std::int64_t>(_memory.notesUnspent + earned, most));
		_memory.notesCounted += earned * pause;
	}
	if (_memory.notesUnspent <= (level == Level::error ? -_policy->deathsAtOnce : 0)) {
		return false;
	}
	--_memory.notesUnspent;
	reports.emplace_back(Note{level, std::move(text)});
	return true;
}

} // namespace issuer::vault::renewal
