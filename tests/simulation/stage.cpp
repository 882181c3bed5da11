#include "stage.h"

#include "reserve.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Answer;
using vault::renewal::Event;
using vault::renewal::Grant;
using vault::renewal::Note;
using vault::renewal::Operation;
using vault::renewal::Outcome;
using vault::renewal::Reason;
using vault::renewal::Reports;
using vault::renewal::State;
using vault::renewal::TokenFacts;
using vault::renewal::WrappedGrant;
using Verdict = vault::renewal::Trouble;

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
	_toldLease = {};
	_uncertainty = {};
	forgetPlan();
	record(_renewer.begin(moment()), false, false);
}

void Stage::send()
{
	forgetPlan();
	const auto state = _renewer.snapshot().state;
	const auto attempt = _renewer.attempt(moment());
	Exchange exchange;
	exchange.sent = _now;
	exchange.ended = _now;
	exchange.operation = attempt.operation;
	exchange.tokenAlive = _vault.alive(_now);
	exchange.toldLease = _toldLease;
	const bool endKnown = _toldLease > Duration::zero() && _toldEnd != Instant::max();
	exchange.remaining = endKnown ? _toldEnd - _now : Duration::max();
	exchange.stateBefore = state;
	exchange.life = _chronicle.lives;
	const auto* trouble = disturbance();
	exchange.duringOutage = trouble != nullptr && preventsRenewal(trouble->fault);
	_chronicle.exchanges.push_back(exchange);

	const bool readable = sourceReadable();
	if (!readable) {
		record(_renewer.credentialUnreadable(moment(), _haveToken), false, false);
		if (!_haveToken) {
			tell("no request: the credential source gives no token");
			return;
		}
	}
	_haveToken = true;
	const auto roundTrip = _world.network.latency + upTo(_world.network.jitter);
	Flight flight{};
	flight.sent = _now;
	flight.arrival = _now + roundTrip / 2;
	flight.deadline = _now + attempt.budget;
	flight.end = _now + roundTrip;
	flight.attempt = attempt;
	flight.exchange = _chronicle.exchanges.size() - 1;
	flight.life = _chronicle.lives;
	if (lost()) {
		flight.arrival = Instant::max();
	}
	flight.replyLost = lost();
	if (flight.arrival == Instant::max() || flight.replyLost) {
		_chronicle.exchanges.back().mischance = true;
		flight.end = flight.deadline;
	}
	if (flight.end >= flight.deadline) {
		flight.end = flight.deadline;
		flight.replyLost = true;
	}
	if (_timeline != nullptr) {
		tell(std::string(attempt.operation == Operation::renew ? "renew" : "look up") +
			 (attempt.increment ? " for " + inWords(*attempt.increment) : "") + ", " + inWords(attempt.budget) +
			 " to answer");
	}
	_flight = flight;
}

/// The request is at the server; or where a server ought to be.
void Stage::arrive()
{
	auto& flight = *_flight;
	flight.arrival = Instant::max();
	const auto* spell = disturbance();
	const auto fault = spell == nullptr ? std::nullopt : std::optional(spell->fault);
	const bool renews = flight.attempt.operation == Operation::renew;
	if (fault == Fault::hanging || (fault == Fault::frozenLeader && renews)) {
		flight.end = flight.deadline;
		flight.replyLost = true;
		return;
	}
	if (fault == Fault::frozen) {
		// Whoever has gone by then is not answered, and the server notices before it renews.
		flight.end = std::min(flight.deadline, spell->to + (flight.end - _now));
		if (spell->to < flight.deadline) {
			flight.arrival = std::max(spell->to, _now + 1us);
		}
		return;
	}
	if (fault == Fault::replyLost) {
		flight.end = flight.deadline;
		flight.replyLost = true;
	}
	auto answer = serve(flight);
	flight.served = _now;
	flight.endThen = _vault.end();
	if (!flight.replyLost) {
		flight.answer = std::move(answer);
	}
}

Answer Stage::serve(const Flight& flight)
{
	const auto* spell = disturbance();
	const bool renews = flight.attempt.operation == Operation::renew;
	if (spell == nullptr || spell->fault == Fault::sourceUnreadable) {
		return atServer(flight);
	}
	const auto trouble = [](Verdict::Kind kind, Reason reason, const char* detail) {
		Verdict verdict;
		verdict.kind = kind;
		verdict.reason = reason;
		verdict.detail = detail;
		return verdict;
	};
	const auto refusal = [&] { return trouble(Verdict::Kind::refused, Reason::refused, "permission denied"); };
	const bool alive = _vault.alive(_now);
	switch (spell->fault) {
	case Fault::asleep:
	case Fault::sourceUnreadable:
	case Fault::hanging:
	case Fault::frozen:
	case Fault::replyLost:
		return atServer(flight);
	case Fault::refused: {
		auto verdict = trouble(Verdict::Kind::transport, Reason::network, "connection refused");
		verdict.unsent = true;
		return verdict;
	}
	case Fault::sealed:
		return trouble(Verdict::Kind::serverAway, Reason::sealed, "Vault is sealed");
	case Fault::internalError:
		return trouble(Verdict::Kind::serverAway, Reason::server, "internal error");
	case Fault::noLeader:
		return renews || !alive
				   ? trouble(Verdict::Kind::serverAway, Reason::server, "redirected to a leader that is gone")
				   : atServer(flight);
	case Fault::frozenLeader:
		return atServer(flight);
	case Fault::throttled:
		return trouble(Verdict::Kind::throttled, Reason::throttled, "rate limit quota exceeded");
	case Fault::throttledToEnd:
	case Fault::throttledTooFar: {
		auto verdict = trouble(Verdict::Kind::throttled, Reason::throttled, "rate limit quota exceeded");
		verdict.retryAfter = spell->fault == Fault::throttledTooFar
								 ? Duration(1h)
								 : Duration(std::chrono::ceil<seconds>(spell->to - _now));
		return verdict;
	}
	case Fault::proxyPage:
		return trouble(Verdict::Kind::malformed, Reason::malformed, "a page");
	case Fault::wrapped: {
		auto answer = atServer(flight);
		return renews && std::holds_alternative<Grant>(answer) ? Answer(WrappedGrant{}) : answer;
	}
	case Fault::namespaceGone:
		return trouble(Verdict::Kind::configuration, Reason::config, "namespace not found");
	case Fault::policyDenies:
		return alive ? Answer(trouble(Verdict::Kind::denied, Reason::refused, "1 error occurred: permission denied"))
					 : Answer(refusal());
	case Fault::unclearRefusal:
		return renews ? Answer(trouble(Verdict::Kind::unclearRefusal, Reason::refused, "computer says no"))
					  : atServer(flight);
	case Fault::roleGone:
	case Fault::userGone:
		return renews && alive ? Answer(trouble(Verdict::Kind::denied, Reason::refused, "role does not exist"))
							   : atServer(flight);
	case Fault::entityDisabled:
		return refusal();
	}
	return refusal();
}

Answer Stage::atServer(const Flight& flight)
{
	if (flight.attempt.operation == Operation::lookUp) {
		return _vault.lookUp(_now);
	}
	_deathNoted = _deathNoted && !_vault.alive(_now);
	return _vault.renew(_now, flight.attempt.increment);
}

void Stage::deliver()
{
	const auto flight = *_flight;
	_flight.reset();
	auto& exchange = _chronicle.exchanges[flight.exchange];
	exchange.ended = _now;
	exchange.answered = flight.answer.has_value();
	if (!_running || flight.life != _chronicle.lives) {
		// The renewer was stopped or has another token by now: what it hears must leave it cold.
		const auto before = _renewer.snapshot();
		if (!_renewer.answered({flight.sent, {}}, moment(), flight.answer.value_or(Verdict{})).empty() && !_running) {
			_chronicle.broken.emplace_back("stop: an answer that came after stop was reported");
		}
		if (!_running && (_renewer.next() || _renewer.snapshot().state != before.state)) {
			_chronicle.broken.emplace_back("stop: an answer that came after stop had an effect");
		}
		return;
	}
	Verdict tooLong;
	tooLong.kind = Verdict::Kind::transport;
	tooLong.reason = Reason::timeout;
	tooLong.detail = "no answer in time";
	const Answer answer = flight.answer.value_or(Answer(tooLong));
	bool wallShown = false;
	std::string words;
	if (const auto* grant = std::get_if<Grant>(&answer)) {
		exchange.extended = true;
		_toldLease = grant->lease;
		hearOfEnd(flight);
		wallShown = grant->capWarning;
		words = "renewed for " + inWords(grant->lease) + (grant->capWarning ? ", capped" : "");
	}
	else if (const auto* facts = std::get_if<TokenFacts>(&answer)) {
		if (_toldLease == Duration::zero()) {
			_toldLease = facts->period > 0s ? facts->period : facts->creationTtl;
		}
		if (std::exchange(_wrapped, false)) {
			_toldLease = std::min(_toldLease, std::max<Duration>(facts->ttl, 1s));
		}
		hearOfEnd(flight);
		wallShown = facts->explicitMaxTtl > 0s && facts->expires;
		words = "looked up: " + (facts->expires ? inWords(facts->ttl) + " left" : std::string("never ends"));
	}
	else if (const auto* verdict = std::get_if<Verdict>(&answer)) {
		exchange.failed = true;
		exchange.refused = verdict->kind == Verdict::Kind::refused || verdict->kind == Verdict::Kind::denied;
		words = verdict->detail;
	}
	else {
		_wrapped = true;
		words = "wrapped";
	}
	if (_timeline != nullptr) {
		tell("answer after " + inWords(_now - flight.sent) + ": " + words);
	}
	const auto sent = Moment{flight.sent, WallTime(flight.sent.time_since_epoch()) + _skew};
	record(_renewer.answered(sent, moment(), answer), true, wallShown);
	if (std::exchange(_replaceDue, false)) {
		replaceCredential();
	}
}

/// An answer has told the renewer when the token ends.
void Stage::hearOfEnd(const Flight& flight)
{
	_watchedSince = std::min(_watchedSince, _now);
	_uncertainty = std::max(_uncertainty, _now - flight.sent);
	if (_toldEnd != flight.endThen) {
		_toldEnd = flight.endThen;
		_toldSince = _now;
	}
	// Look-ups tell whole seconds: of a short lease too little.
	if (flight.attempt.operation == Operation::renew && _shortenedAt <= flight.served) {
		_shortened = false;
	}
}

/// What a rival does to the token's life the renewer cannot know.
void Stage::renewAsRival(seconds increment)
{
	const auto before = _vault.end();
	_vault.renewBySomebodyElse(_now, increment);
	_undisturbed = false;
	if (_vault.end() < before) {
		_shortened = true;
		_shortenedAt = _now;
	}
}

void Stage::perform(Deed deed)
{
	const bool reachesToken =
		deed == Deed::replaceCredential || deed == Deed::renewNow || deed == Deed::stop || deed == Deed::begin;
	if (reachesToken && spellOf(Fault::asleep) != nullptr) {
		return; // nobody calls on a machine that sleeps
	}
	tell(std::string(nameOf(deed)));
	const auto lease = _world.token.lease;
	switch (deed) {
	case Deed::revoke:
		_vault.revoke(_now);
		break;
	case Deed::renewShort:
		renewAsRival(lease / 10);
		break;
	case Deed::renewLong:
		renewAsRival(2 * lease);
		break;
	case Deed::lowerMaxTtl:
		_vault.setMaxTtl(std::chrono::ceil<seconds>(_vault.age(_now) + Duration(lease) / 4));
		_undisturbed = false;
		_wallMoved = true;
		break;
	case Deed::raiseMaxTtl:
		if (const auto wall = _vault.wall()) {
			_vault.setMaxTtl(std::chrono::ceil<seconds>(_vault.age(*wall) + 4 * Duration(lease)));
			_undisturbed = false;
			_wallMoved = true;
		}
		break;
	case Deed::replaceCredential:
		if (_running && sourceReadable()) {
			replaceCredential();
		}
		break;
	case Deed::renewNow:
		if (_running) {
			_renewer.renewNow(moment());
		}
		break;
	case Deed::stop:
		stop();
		break;
	case Deed::begin:
		if (!_running) {
			begin();
		}
		break;
	case Deed::stepWallClock:
		_skew += 1h;
		break;
	}
}

void Stage::replaceCredential()
{
	if (_flight && _renewer.snapshot().state == State::starting) {
		_replaceDue = true; // a first answer is waited for, as it may be one that a start waits for
		return;
	}
	noteDeath();
	auto plan = _world.token;
	plan.spent = {};
	plan.renewedBefore = 0;
	_vault = VirtualVault(plan, _now);
	++_chronicle.lives;
	_deathNoted = false;
	_undisturbed = true;
	_shortened = false;
	_wallMoved = false;
	_haveToken = true;
	_watchedSince = Instant::max();
	_toldLease = {};
	_uncertainty = {};
	forgetPlan();
	// A request with the token before is called off.
	if (_flight) {
		_chronicle.exchanges[_flight->exchange].ended = _now;
		_flight.reset();
	}
	record(_renewer.credentialReplaced(moment()), false, false);
}

void Stage::stop()
{
	if (!_running) {
		return;
	}
	if (_flight) {
		// The transport calls off what hangs: then the answer comes, after all, when nobody listens any more.
		_flight->end = std::min(_flight->end, _now + 1ms);
	}
	_running = false;
	_replaceDue = false;
	const auto reports = _renewer.stopped(moment());
	record(reports, false, false);
	if (_renewer.snapshot().state != State::stopped || _renewer.next()) {
		_chronicle.broken.emplace_back("stop: the state is not STOPPED, or something is still planned");
	}
}

/// All faults end, and a new credential comes: every state must lead to one that is well.
void Stage::recover()
{
	for (auto& spell : _spells) {
		spell.to = std::min(spell.to, _now);
	}
	for (auto& trouble : _chronicle.troubles) {
		trouble.to = std::min(trouble.to, _now);
	}
	_spellsBegun = _spells.size();
	_deedsDone = _deeds.size();
	tell("all is well from now on, and a new credential comes");
	if (!_running) {
		begin();
	}
	replaceCredential();
	if (_replaceDue) {
		playUntil(_flight->end + 1us);
	}
	const auto most = reserveOf(_world.network, _world.token.lease).whole() + 4s;
	const auto lossless = _world.network.lossPercent == 0;
	// With losses each exchange may go wrong again; the odds against ten in a row are long enough.
	playUntil(_now + (lossless ? most : 3min));
	const auto snapshot = _renewer.snapshot();
	const bool wellEnough = snapshot.state == State::active || snapshot.state == State::capped ||
							snapshot.state == State::noExpiry || snapshot.state == State::notRenewable;
	const bool livesOn = _vault.alive(_now) && (_vault.end() - _now > most || _vault.end() == Instant::max());
	if (!wellEnough && livesOn && lossless && _vault.age(_now) >= most) {
		_chronicle.broken.emplace_back("liveness: the server is well, the credential is new, and the renewer is not");
	}
}

void Stage::noteDeath()
{
	if (_deathNoted) {
		return;
	}
	_deathNoted = true;
	Death death;
	death.at = _vault.end();
	death.told = std::min(_vault.end(), _toldEnd);
	if (_vault.alive(_now)) {
		return; // it was replaced while it lived
	}
	tell("the token is dead");
	death.watchedSince = _running ? std::max(_watchedSince, _toldSince) : Instant::max();
	death.lease = _toldLease;
	death.wall = _vault.wall();
	death.renewable = _vault.renewable() && _world.token.kind != Kind::limitedUses;
	death.killed = _vault.killed();
	death.shortened = _shortened;
	death.wallMoved = _wallMoved;
	death.warned = _renewer.warnedOfEnd();
	death.gaveUp = _renewer.gaveUp();
	death.life = _chronicle.lives;
	_chronicle.deaths.push_back(death);
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
