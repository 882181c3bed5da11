#include "stage.h"

#include "reserve.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Event;
using vault::renewal::Note;
using vault::renewal::Outcome;
using vault::renewal::Reason;
using vault::renewal::Reports;

namespace {

/// Every world begins here; far from zero, so that tokens may be older.
constexpr Instant beginning(std::chrono::hours(30'000));

/// Longer ones bring nothing new, but many requests to play.
constexpr Duration longestSpell = std::chrono::hours(48);

/// No world needs so many; one that does asks without a pause.
constexpr std::size_t mostExchanges = 20'000;

} // namespace

Stage::Stage(const World& world, Renewer& renewer, Timeline* timeline)
	: _world(world), _renewer(renewer), _timeline(timeline), _vault(world.token, beginning), _dice(world.dice),
	  _start(beginning), _now(beginning), _skew(world.clockSkew)
{
	const Duration lease = world.token.lease;
	for (const auto& incident : world.incidents) {
		const auto from = _start + incident.start.of(lease);
		const auto length = std::min(incident.length.of(lease), longestSpell);
		_spells.push_back({incident.fault, from, from + length, incident.toTheBrink});
	}
	std::ranges::stable_sort(_spells, {}, &Spell::from);
	for (const auto& happening : world.happenings) {
		_deeds.emplace_back(_start + happening.at.of(lease), happening.deed);
	}
	std::ranges::stable_sort(_deeds, {}, [](const auto& deed) { return deed.first; });
}

Chronicle Stage::play()
{
	if (_timeline != nullptr) {
		_timeline->begin(_start);
	}
	_chronicle.began = _start;
	begin();
	// Long leases are watched for forty days at most: enough for one to end.
	playUntil(_start + std::min<Duration>(_world.leases * Duration(_world.token.lease), std::chrono::days(40)));
	// Dead, and no other token to come: what does it ask for then?
	_deedsDone = _deeds.size();
	if (!_vault.alive(_now) && !_replaceDue) {
		playUntil(_now + _world.afterwards);
	}
	recover();
	stop();
	_chronicle.ended = _now;
	return std::move(_chronicle);
}

void Stage::playUntil(Instant end)
{
	while (true) {
		enum class Next
		{
			nothing,
			spell,
			deed,
			arrival,
			delivery,
			request,
			death,
		} what = Next::nothing;
		Instant when = end;
		const auto consider = [&](std::optional<Instant> candidate, Next kind) {
			if (candidate && *candidate < when) {
				when = *candidate;
				what = kind;
			}
		};
		consider(_deathNoted ? std::nullopt : std::optional(_vault.end()), Next::death);
		consider(_spellsBegun < _spells.size() ? std::optional(_spells[_spellsBegun].from) : std::nullopt, Next::spell);
		consider(_deedsDone < _deeds.size() ? std::optional(_deeds[_deedsDone].first) : std::nullopt, Next::deed);
		if (_flight) {
			consider(_flight->arrival, Next::arrival);
			consider(awake(_flight->end), Next::delivery);
		}
		else if (_running) {
			const auto planned = _renewer.next();
			if (planned != _planned) {
				_planned = planned;
				_lateNext = planned ? std::optional(std::max(*planned, _now) + upTo(_world.network.lateness)) : planned;
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
			return;
		case Next::spell:
			startSpell(_spells[_spellsBegun++]);
			break;
		case Next::deed:
			perform(_deeds[_deedsDone++].second);
			break;
		case Next::arrival:
			arrive();
			break;
		case Next::delivery:
			deliver();
			break;
		case Next::request:
			send();
			break;
		case Next::death:
			noteDeath();
			break;
		}
	}
}

/// The same instant planned again is another plan: the machine is late anew.
void Stage::forgetPlan()
{
	_planned.reset();
	_lateNext.reset();
}

void Stage::begin()
{
	tell("the renewer begins");
	_running = true;
	_chronicle.lives += _now > _start ? 1 : 0;
	_watchedSince = Instant::max();
	_askedSince = _now;
	_toldLease = {};
	_uncertainty = {};
	forgetPlan();
	record(_renewer.begin(moment()), false, false);
}

void Stage::startSpell(Spell& spell)
{
	if (spell.toTheBrink) {
		spell.to = std::clamp(brink(), spell.from, spell.from + longestSpell);
	}
	if (preventsRenewal(spell.fault)) {
		_chronicle.troubles.push_back({spell.from, spell.to});
	}
	if (_timeline != nullptr) {
		tell(std::string(nameOf(spell.fault)) + ", for " + inWords(spell.to - spell.from));
	}
}

/// The last moment at which a server can return and still save the token.
Instant Stage::brink() const
{
	if (_vault.end() == Instant::max()) {
		return _now;
	}
	const auto lease = std::max(_vault.lease(), _toldLease);
	return _vault.end() - reserveOf(_world.network, lease).whole() - 1us;
}

const Stage::Spell* Stage::spellOf(Fault fault) const
{
	const auto found = std::find_if(_spells.begin(), _spells.begin() + static_cast<std::ptrdiff_t>(_spellsBegun),
		[&](const Spell& spell) { return spell.fault == fault && spell.from <= _now && _now < spell.to; });
	return found == _spells.begin() + static_cast<std::ptrdiff_t>(_spellsBegun) ? nullptr : &*found;
}

/// What a request meets: where several faults hold, the one that stands first on its way.
const Stage::Spell* Stage::disturbance() const
{
	const Spell* first = nullptr;
	for (std::size_t index = 0; index < _spellsBegun; ++index) {
		const auto& spell = _spells[index];
		if (spell.from <= _now && _now < spell.to && (first == nullptr || spell.fault < first->fault)) {
			first = &spell;
		}
	}
	return first;
}

/// A machine that sleeps does what was due as soon as it wakes.
std::optional<Instant> Stage::awake(std::optional<Instant> instant) const
{
	if (!instant) {
		return {};
	}
	const auto* sleep = spellOf(Fault::asleep);
	return sleep != nullptr && *instant < sleep->to ? sleep->to : *instant;
}

Duration Stage::upTo(milliseconds most)
{
	if (most <= 0ms) {
		return {};
	}
	_dice = _dice * 6364136223846793005U + 1442695040888963407U;
	return Duration(
		static_cast<Duration::rep>((_dice >> 20U) % static_cast<std::uint64_t>(Duration(most).count() + 1)));
}

bool Stage::lost()
{
	return upTo(100s) < _world.network.lossPercent * Duration(1s);
}

void Stage::record(const Reports& reports, bool answer, bool wallShown)
{
	Saying saying;
	saying.at = _now;
	saying.wallClock = moment().wall;
	saying.snapshot = _renewer.snapshot();
	saying.wall = _vault.wall();
	saying.end = _vault.end();
	saying.life = _chronicle.lives;
	saying.wallShown = wallShown;
	saying.undisturbed = _undisturbed;
	saying.answer = answer;
	saying.untold = _wrapped || (_watchedSince <= _now && _toldEnd <= _now);
	saying.uncertainty = _uncertainty;
	for (const auto& report : reports) {
		if (const auto* event = std::get_if<Event>(&report)) {
			++saying.events;
			saying.outcomes += event->outcome == Outcome::none ? 0 : 1;
			saying.notRenewableForMaxTtl +=
				event->outcome == Outcome::notRenewable && event->reason == Reason::maxTtl ? 1 : 0;
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

void Stage::tell(const std::string& what)
{
	if (_timeline != nullptr) {
		_timeline->line(_now, _vault.end(), what);
	}
}

} // namespace issuer::simulation
