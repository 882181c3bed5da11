#include "world_player.h"

#include "lost_in_vain.h"
#include "reserve.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Event;
using vault::renewal::Note;
using vault::renewal::Operation;
using vault::renewal::Outcome;
using vault::renewal::Reason;
using vault::renewal::Reports;
using vault::renewal::State;

namespace {

/// Every world begins here; far from zero, so that tokens may be older.
constexpr Instant beginning(std::chrono::hours(30'000));

/// Longer ones bring nothing new, but many requests to play.
constexpr Duration longestSpell = std::chrono::hours(48);

/// An owner whose runs fail tries again every second or so.
constexpr Duration longestOf(Fault fault)
{
	return fault == Fault::runsFail ? std::chrono::minutes(5) : longestSpell;
}

/// No world needs so many; one that does asks without a pause.
constexpr std::size_t mostExchanges = 20'000;

bool meetsRequest(Fault fault, Operation operation)
{
	const bool renews = operation == Operation::renew;
	const bool ofMachine = fault == Fault::asleep || fault == Fault::runsFail;
	return !ofMachine && !isOfSource(fault) && !(spoilsLookUps(fault) && renews) &&
		   !(fault == Fault::lastRenewal && !renews);
}

} // namespace

WorldPlayer::WorldPlayer(const World& world, Renewer& renewer, Timeline* timeline)
	: _world(world), _renewer(renewer), _timeline(timeline),
	  _network(world.topology, _chronicle.netTroubles, _chronicle.resolutions),
	  _router(world.topology.endpoints > 0 ? renewer.router(world.topology) : nullptr),
	  _current(world.token, beginning, 0), _dice(world.dice), _start(beginning), _now(beginning), _skew(world.clockSkew)
{
	const Duration lease = world.token.lease;
	_current.acceptedFrom = beginning + world.replicationLag;
	for (const auto& incident : world.incidents) {
		const auto from = _start + incident.start.of(lease);
		const auto length = std::min(incident.length.of(lease), longestOf(incident.fault));
		_spells.push_back({incident.fault, from, from + length, incident.toTheBrink});
	}
	std::ranges::stable_sort(_spells, {}, &Spell::from);
	if (world.topology.endpoints > 0) {
		for (const auto& incident : world.topology.incidents) {
			const auto from = _start + incident.start.of(lease);
			_netTroubles.push_back({incident, from, from + std::min(incident.length.of(lease), longestSpell)});
		}
		std::ranges::stable_sort(_netTroubles, {}, &NetTrouble::from);
	}
	for (const auto& happening : world.happenings) {
		_deeds.emplace_back(_start + happening.at.of(lease), happening.deed);
	}
	std::ranges::stable_sort(_deeds, {}, [](const auto& deed) { return deed.first; });
}

Chronicle WorldPlayer::play()
{
	if (_timeline != nullptr) {
		_timeline->begin(_start);
	}
	_chronicle.began = _start;
	begin();
	// Long leases are watched for forty days at most: enough for one to end.
	playUntil(_start + std::min<Duration>(_world.leases * Duration(_world.token.lease), std::chrono::days(40)));
	// Dead, and no other token will come: checks its requests from now on.
	_deedsDone = _deeds.size();
	if (!_current.vault.alive(_now) && !_candidate) {
		playUntil(_now + _world.afterwards);
	}
	recover();
	stop();
	_chronicle.ended = _now;
	return std::move(_chronicle);
}

void WorldPlayer::playUntil(Instant end)
{
	while (true) {
		enum class Next
		{
			nothing,
			spell,
			netTrouble,
			deed,
			resumption,
			reading,
			arrival,
			journey,
			delivery,
			request,
			death,
			candidateDeath,
		} what = Next::nothing;
		Instant when = end;
		const auto consider = [&](std::optional<Instant> candidate, Next kind) {
			if (candidate && *candidate < when) {
				when = *candidate;
				what = kind;
			}
		};
		consider(_current.deathNoted ? std::nullopt : std::optional(_current.vault.end()), Next::death);
		if (_candidate && !_candidate->deathNoted) {
			consider(_candidate->vault.end(), Next::candidateDeath);
		}
		consider(_spellsBegun < _spells.size() ? std::optional(_spells[_spellsBegun].from) : std::nullopt, Next::spell);
		consider(_netTroublesBegun < _netTroubles.size() ? std::optional(_netTroubles[_netTroublesBegun].from)
														 : std::nullopt,
			Next::netTrouble);
		consider(_deedsDone < _deeds.size() ? std::optional(_deeds[_deedsDone].first) : std::nullopt, Next::deed);
		consider(_resumeAt, Next::resumption);
		if (_running && !_haveToken) {
			const auto* failure = sourceFailure();
			consider(awake(failure == nullptr ? _now : failure->to), Next::reading);
		}
		if (_flight) {
			consider(_flight->arrival, Next::arrival);
			if (_journey) {
				consider(_journey->reachesServer() ? _journey->wake() : awake(_journey->wake()), Next::journey);
			}
			consider(awake(_flight->end), Next::delivery);
		}
		else if (_running) {
			const auto planned = _renewer.next();
			if (planned != _planned) {
				_planned = planned;
				_lateNext = planned ? std::optional(startOf(std::max(*planned, _now))) : planned;
			}
			consider(awake(_lateNext), Next::request);
		}
		_now = std::max(_now, when);
		if (_chronicle.exchanges.size() > mostExchanges) {
			_chronicle.broken.emplace_back("endless: requests without end");
			_flight.reset();
			_running = false;
			_now = end;
			return;
		}
		switch (what) {
		case Next::nothing:
			checkSilence();
			return;
		case Next::spell:
			startSpell(_spells[_spellsBegun++]);
			break;
		case Next::netTrouble: {
			const auto& trouble = _netTroubles[_netTroublesBegun++];
			startNetTrouble(trouble, trouble.incident.toTheBrink);
			break;
		}
		case Next::deed:
			perform(_deeds[_deedsDone++].second);
			break;
		case Next::resumption:
			resume();
			break;
		case Next::reading:
			readFirstToken();
			break;
		case Next::arrival:
			arrive();
			break;
		case Next::journey:
			travel();
			break;
		case Next::delivery:
			deliver();
			break;
		case Next::request:
			send();
			break;
		case Next::death:
			noteDeath(_current);
			break;
		case Next::candidateDeath:
			noteDeath(*_candidate);
			break;
		}
	}
}

/// The same instant planned again is another plan: the machine is late anew.
void WorldPlayer::forgetPlan()
{
	_planned.reset();
	_lateNext.reset();
}

/// The owner reads the source, and begins with the token that it gives.
void WorldPlayer::begin()
{
	tell("the renewer begins");
	if (_candidate) {
		adopt();
	}
	useFreshClient();
	_running = true;
	_chronicle.lives += _now > _start ? 1 : 0;
	_current.life = _chronicle.lives;
	_current.forget(_now);
	_haveToken = sourceFailure() == nullptr;
	_lastAsked = _now;
	forgetPlan();
	record(_renewer.begin(moment()), false, false);
	checkArmed("begin");
	if (spellOf(Fault::sourceUnreadable) != nullptr) {
		record(_renewer.credentialUnreadable(moment(), false), false, false);
		checkArmed("an unreadable source at begin");
	}
}

void WorldPlayer::startSpell(Spell& spell)
{
	if (spell.toTheBrink) {
		spell.to = std::clamp(brink(), spell.from, spell.from + longestOf(spell.fault));
	}
	if (preventsRenewal(spell.fault)) {
		_chronicle.troubles.push_back({spell.from, spell.to});
	}
	if (_timeline != nullptr) {
		tell(std::string(nameOf(spell.fault)) + ", for " + inWords(spell.to - spell.from));
	}
	const bool noticed = _running && _haveToken && spellOf(Fault::asleep) == nullptr;
	if (spell.fault == Fault::sourceUnreadable && noticed) {
		record(_renewer.credentialUnreadable(moment(), true), false, false);
		checkArmed("an unreadable source");
	}
}

void WorldPlayer::startNetTrouble(NetTrouble trouble, bool toTheBrink)
{
	if (toTheBrink) {
		trouble.to = std::clamp(brink(), trouble.from, trouble.from + longestSpell);
	}
	if (_timeline != nullptr) {
		tell(inWords(trouble.incident) + ", for " + inWords(trouble.to - trouble.from));
	}
	_chronicle.netTroubles.push_back(trouble);
	if (trouble.incident.fault == NetFault::connections) {
		_network.breakConnections(trouble.incident.how);
		if (_journey) {
			_journey->breakConnection(trouble.incident.how);
		}
	}
}

/// When a request that is due goes out: its machine is late, and hanging neighbours may hold all slots.
Instant WorldPlayer::startOf(Instant due)
{
	const bool waits = holds(_chronicle.netTroubles, NetFault::slotsTaken, due, due);
	return due + upTo(_world.network.lateness) + (waits ? _renewer.slotWait(due) : Duration{});
}

/// The last moment at which a server can return and still save the token.
Instant WorldPlayer::brink() const
{
	const auto& vault = _current.vault;
	if (vault.end() == Instant::max()) {
		return _now;
	}
	const auto lease = std::max(vault.lease(), _current.toldLease);
	return vault.end() - neededBefore(_world, reserveOf(_world, lease)) - 1us;
}

const WorldPlayer::Spell* WorldPlayer::spellOf(Fault fault) const
{
	const auto found = std::find_if(_spells.begin(), _spells.begin() + static_cast<std::ptrdiff_t>(_spellsBegun),
		[&](const Spell& spell) { return spell.fault == fault && spell.from <= _now && _now < spell.to; });
	return found == _spells.begin() + static_cast<std::ptrdiff_t>(_spellsBegun) ? nullptr : &*found;
}

/// Returns the fault that a request of this kind meets: where several hold, the first one on its way.
const WorldPlayer::Spell* WorldPlayer::disturbance(Operation operation) const
{
	const Spell* first = nullptr;
	for (std::size_t index = 0; index < _spellsBegun; ++index) {
		const auto& spell = _spells[index];
		const bool holds = spell.from <= _now && _now < spell.to && meetsRequest(spell.fault, operation);
		if (holds && (first == nullptr || spell.fault < first->fault)) {
			first = &spell;
		}
	}
	return first;
}

/// Nothing can be read from the credential source while this lasts.
const WorldPlayer::Spell* WorldPlayer::sourceFailure() const
{
	const auto* unreadable = spellOf(Fault::sourceUnreadable);
	return unreadable == nullptr ? spellOf(Fault::sourceHangs) : unreadable;
}

HeldToken* WorldPlayer::tokenOf(int life)
{
	if (_current.life == life) {
		return &_current;
	}
	return _candidate && _candidate->life == life ? &*_candidate : nullptr;
}

/// Returns the time at which the machine carries out a step that is due at `instant`: as soon as it wakes, if it
/// sleeps.
std::optional<Instant> WorldPlayer::awake(std::optional<Instant> instant) const
{
	if (!instant) {
		return {};
	}
	const auto* sleep = spellOf(Fault::asleep);
	return sleep != nullptr && *instant < sleep->to ? sleep->to : *instant;
}

Duration WorldPlayer::upTo(Duration most)
{
	if (most <= 0ms) {
		return {};
	}
	_dice = _dice * 6364136223846793005U + 1442695040888963407U;
	return Duration(static_cast<Duration::rep>((_dice >> 20U) % static_cast<std::uint64_t>(most.count() + 1)));
}

bool WorldPlayer::lost()
{
	return upTo(100s) < _world.network.lossPercent * Duration(1s);
}

void WorldPlayer::record(const Reports& reports, bool answer, bool wallShown)
{
	Saying saying;
	saying.at = _now;
	saying.wallClock = moment().wall;
	saying.snapshot = _renewer.snapshot();
	saying.maxTtlEnd = _current.vault.maxTtlEnd();
	saying.end = _current.vault.end();
	saying.life = _current.life;
	saying.wallShown = wallShown;
	saying.undisturbed = _current.undisturbed;
	saying.answer = answer;
	saying.untold = _current.wrapped || (_current.watchedSince <= _now && _current.toldEnd <= _now);
	saying.uncertainty = _current.uncertainty;
	saying.last = _current.last;
	saying.hasCandidate = _candidate.has_value();
	saying.held = _now - _current.askedSince;
	for (const auto& report : reports) {
		if (const auto* event = std::get_if<Event>(&report)) {
			++saying.events;
			saying.outcomes += event->outcome == Outcome::none ? 0 : 1;
			const bool notRenewable = event->outcome == Outcome::notRenewable;
			saying.notRenewables += notRenewable ? 1 : 0;
			saying.notRenewableForMaxTtl += notRenewable && event->reason == Reason::maxTtl ? 1 : 0;
			if (_timeline != nullptr) {
				tell("  event: " + std::string(nameOf(event->state)) + ' ' + std::string(nameOf(event->outcome)) +
					 ": " + event->detail);
			}
		}
		else if (const auto* note = std::get_if<Note>(&report)) {
			++saying.notes;
			tell("  log: " + note->text);
		}
	}
	_chronicle.sayings.push_back(saying);
}

/// A renewer that runs has a next step or awaits an answer, except where asking would be of no use or would do harm.
void WorldPlayer::checkArmed(const char* after)
{
	if (!_running || _flight || _renewer.next()) {
		return;
	}
	const auto snapshot = _renewer.snapshot();
	const bool neverAsks = snapshot.state == State::noExpiry || snapshot.reason == Reason::limitedUses;
	if (!neverAsks || _renewer.hasCandidate()) {
		_chronicle.broken.push_back("silent: after " + std::string(after) +
									" nothing is planned and no answer awaited, " +
									std::string(nameOf(snapshot.state)));
	}
}

/// Is it asked about often enough for a revocation to be known within hours? docs/renewal.md says 6 h, spread by a
/// tenth.
void WorldPlayer::checkSilence()
{
	constexpr Duration longest = std::chrono::minutes(6 * 66);
	if (!_running || _flight || spellOf(Fault::asleep) != nullptr) {
		return;
	}
	auto since = _lastAsked;
	for (const auto& spell : _spells) {
		since = spell.fault == Fault::asleep && spell.to <= _now ? std::max(since, spell.to) : since;
	}
	const auto snapshot = _renewer.snapshot();
	const bool neverAsks = snapshot.state == State::noExpiry || snapshot.reason == Reason::limitedUses;
	if (!neverAsks && _now - since > longest + _world.network.lateness) {
		_chronicle.broken.push_back(
			"silent: nothing is asked for " + inWords(_now - since) + ", " + std::string(nameOf(snapshot.state)));
	}
}

/// A token that is well is renewed when the configured share of its lease is spent; or within 5 s where that is past.
void WorldPlayer::checkPunctual(const Flight& flight)
{
	const auto next = _renewer.next();
	if (_renewer.snapshot().state != State::active || !next || _current.toldLease <= Duration::zero()) {
		return;
	}
	const auto lease = _current.toldLease;
	const auto& policy = _world.policy;
	const auto share = std::chrono::duration_cast<Duration>(lease * policy.fraction);
	const auto interval = std::min<Duration>(std::max<Duration>(share, policy.minInterval), lease * 2 / 3);
	const auto remains = std::max(flight.endThen - _now, Duration::zero());
	const auto spread = std::min<Duration>(remains / 10 + 300ms, 5s);
	// A look-up tells the end to a second and a half.
	const auto due = std::max(flight.endThen - lease + interval + 1500ms, _now + spread + 500ms);
	if (*next > due + (_now - flight.sent)) {
		_chronicle.broken.push_back("silent: the next renewal is planned " + inWords(*next - due) + " too late");
	}
}

void WorldPlayer::tell(const std::string& what)
{
	if (_timeline != nullptr) {
		_timeline->line(_now, _current.vault.end(), what);
	}
}

} // namespace issuer::simulation
