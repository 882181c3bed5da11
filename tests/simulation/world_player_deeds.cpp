#include "world_player.h"

#include "reserve.h"

#include <algorithm>
#include <string>

/// The acts of operators and rivals on the token and the renewer, and the end of each world.
namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::State;

namespace {

bool reachesMachine(Deed deed)
{
	switch (deed) {
	case Deed::replaceCredential:
	case Deed::replaceByJunk:
	case Deed::restoreCredential:
	case Deed::renewNow:
	case Deed::stop:
	case Deed::begin:
	case Deed::handOver:
		return true;
	case Deed::revoke:
	case Deed::renewShort:
	case Deed::renewLong:
	case Deed::lowerMaxTtl:
	case Deed::raiseMaxTtl:
	case Deed::stepWallClock:
		return false;
	}
	return false;
}

bool isOfSource(Deed deed)
{
	return deed == Deed::replaceCredential || deed == Deed::replaceByJunk || deed == Deed::restoreCredential;
}

} // namespace

/// Renews as a rival. The renewer cannot know its effect on the token's life.
void WorldPlayer::renewAsRival(seconds increment)
{
	auto& vault = _current.vault;
	const auto before = vault.end();
	vault.renewBySomebodyElse(_now, increment);
	_current.undisturbed = false;
	if (vault.end() < before) {
		_current.shortened = true;
		_current.shortenedAt = _now;
	}
}

/// Does it later, if the machine sleeps or the source tells nothing now. True: it was put off, or will never be done.
bool WorldPlayer::putOff(Deed deed)
{
	const auto* obstacle = reachesMachine(deed) ? spellOf(Fault::asleep) : nullptr;
	if (obstacle == nullptr && isOfSource(deed)) {
		obstacle = sourceFailure();
	}
	if (obstacle == nullptr) {
		return false;
	}
	if (isOfSource(deed)) {
		const auto notDone = _deeds.begin() + static_cast<std::ptrdiff_t>(_deedsDone);
		const auto place =
			std::find_if(notDone, _deeds.end(), [&](const auto& other) { return other.first > obstacle->to; });
		_deeds.insert(place, {obstacle->to, deed});
	}
	return true;
}

void WorldPlayer::perform(Deed deed)
{
	if (putOff(deed)) {
		return;
	}
	tell(std::string(nameOf(deed)));
	const auto lease = _world.token.lease;
	auto& vault = _current.vault;
	switch (deed) {
	case Deed::revoke:
		vault.revoke(_now);
		break;
	case Deed::renewShort:
		renewAsRival(lease / 10);
		break;
	case Deed::renewLong:
		renewAsRival(2 * lease);
		break;
	case Deed::lowerMaxTtl:
		vault.setMaxTtl(std::chrono::ceil<seconds>(vault.age(_now) + Duration(lease) / 4));
		_current.undisturbed = false;
		_current.wallMoved = true;
		break;
	case Deed::raiseMaxTtl:
		if (const auto wall = vault.maxTtlEnd()) {
			vault.setMaxTtl(std::chrono::ceil<seconds>(vault.age(*wall) + 4 * Duration(lease)));
			_current.undisturbed = false;
			_current.wallMoved = true;
			_current.wallRaised = _now;
		}
		break;
	case Deed::replaceCredential:
		sourceGives(true);
		break;
	case Deed::replaceByJunk:
		sourceGives(false);
		break;
	case Deed::restoreCredential:
		restoreCredential();
		break;
	case Deed::renewNow:
		if (_running) {
			_chronicle.asked.push_back(_now);
			_renewer.renewNow(moment());
			checkArmed("a wish to renew");
		}
		break;
	case Deed::stop:
		stop();
		break;
	case Deed::begin:
		if (!_running && !_resumeAt) {
			begin();
		}
		break;
	case Deed::handOver:
		handOver();
		break;
	case Deed::stepWallClock:
		_skew += 1h;
		break;
	}
}

/// The source could not be read when the renewer began; now it can.
void WorldPlayer::readFirstToken()
{
	_haveToken = true;
	tell("the source gives the token");
	_current.askedSince = _now;
	forgetPlan();
	record(_renewer.candidateFound(moment()), false, false);
	if (_renewer.hasCandidate()) {
		_chronicle.broken.emplace_back("silent: the first token that there is waits as a candidate");
	}
	checkArmed("the first token");
}

/// Another text lies in the source: a token that the server will accept after a while, or one that it never does.
void WorldPlayer::sourceGives(bool usable)
{
	if (!_running || !_haveToken) {
		return;
	}
	if (_candidate) {
		noteDeath(*_candidate);
		callOff(_candidate->life);
	}
	auto plan = _world.token;
	plan.spent = {};
	plan.renewedBefore = 0;
	_candidate.emplace(plan, _now, ++_chronicle.lives);
	const auto lag = _settling ? milliseconds() : _world.replicationLag;
	_candidate->acceptedFrom = usable ? _now + lag : Instant::max();
	forgetPlan();
	const bool currentKept = !thinksDead();
	const auto reports = _renewer.candidateFound(moment());
	if (!_renewer.hasCandidate()) {
		if (currentKept && _current.vault.alive(_now)) {
			_chronicle.broken.emplace_back("dropped: a token that lives, for one that no server has accepted");
		}
		adopt();
	}
	record(reports, false, false);
	checkArmed("a new credential");
}

void WorldPlayer::restoreCredential()
{
	if (!_candidate || !_running) {
		return;
	}
	noteDeath(*_candidate);
	callOff(_candidate->life);
	_candidate.reset();
	forgetPlan();
	record(_renewer.candidateGone(moment()), false, false);
	if (_renewer.hasCandidate()) {
		_chronicle.broken.emplace_back("silent: a candidate that the source has taken back is kept");
	}
	checkArmed("a credential put back");
}

/// The candidate takes the place of the current token.
void WorldPlayer::adopt()
{
	noteDeath(_current);
	callOff(_current.life);
	tell("the new credential takes the place of the one before");
	_current = *std::exchange(_candidate, std::nullopt);
	forgetPlan();
}

/// The renewer takes the current token for dead, or has no reason yet to take it for alive.
bool WorldPlayer::thinksDead() const
{
	const auto state = _renewer.snapshot().state;
	return state == State::starting || state == State::expired || state == State::stopped;
}

/// The owner drops a request about a token that it no longer holds.
void WorldPlayer::callOff(int life)
{
	if (_flight && _flight->life == life) {
		_chronicle.exchanges[_flight->exchange].ended = _now;
		_flight.reset();
		_journey.reset();
	}
}

void WorldPlayer::stop()
{
	if (!_running) {
		return;
	}
	checkSilence();
	if (_flight) {
		// The transport cancels hanging requests: an answer that still comes is not taken.
		_flight->end = std::min(_flight->end, _now + 1ms);
		_journey.reset();
	}
	_running = false;
	const auto reports = _renewer.stopped(moment());
	record(reports, false, false);
	if (_renewer.snapshot().state != State::stopped || _renewer.next()) {
		_chronicle.broken.emplace_back("stop: the state is not STOPPED, or something is still planned");
	}
}

/// Another library's table and connections: nothing is known yet.
void WorldPlayer::useFreshClient()
{
	if (_world.topology.endpoints > 0) {
		_network.forget(_now);
		_router = _renewer.router(_world.topology);
	}
}

/// To a successor, which needs a moment to start. The renewer does not run meanwhile.
void WorldPlayer::handOver()
{
	if (!_running) {
		return;
	}
	stop();
	_resumeAt = _now + 2ms + upTo(std::min<Duration>(Duration(_world.token.lease) / 8, 10s));
	_chronicle.troubles.push_back({_now, *_resumeAt});
}

/// The hand-over contains no token: the successor continues with the source's token, if it is the same.
void WorldPlayer::resume()
{
	_resumeAt.reset();
	if (_candidate || !_haveToken || sourceFailure() != nullptr) {
		begin();
		return;
	}
	tell("its successor resumes");
	useFreshClient();
	_running = true;
	_lastAsked = _now;
	forgetPlan();
	record(_renewer.resume(moment()), false, false);
	checkArmed("a resumption");
}

void WorldPlayer::recover()
{
	for (auto& spell : _spells) {
		spell.to = std::min(spell.to, _now);
	}
	for (auto& trouble : _chronicle.troubles) {
		trouble.to = std::min(trouble.to, _now);
	}
	for (auto& trouble : _chronicle.netTroubles) {
		trouble.to = std::min(trouble.to, _now);
	}
	_netTroublesBegun = _netTroubles.size();
	_spellsBegun = _spells.size();
	_settling = true;
	_deedsDone = _deeds.size();
	tell("all is well from now on, and a new credential comes");
	if (_resumeAt) {
		resume();
	}
	else if (!_running) {
		begin();
	}
	if (!_haveToken) {
		readFirstToken();
	}
	sourceGives(true);
	if (_flight) {
		playUntil(_flight->deadline + 1us); // it may have hung until now; the candidate is next
	}
	// A resolver that hung is not asked again before it has given up, and pauses double until then.
	const bool resolverHung = std::ranges::any_of(_chronicle.netTroubles,
		[](const NetTrouble& trouble) { return trouble.incident.fault == NetFault::resolverHangs; });
	// A kept connection that is silent may take a quarter of an attempt before it is given up.
	const bool connectionsBroke = std::ranges::any_of(_chronicle.netTroubles,
		[](const NetTrouble& trouble) { return trouble.incident.fault == NetFault::connections; });
	// The token in use goes first until it must be dead, however vague a slow answer has left its end.
	const auto most = reserveOf(_world, _world.token.lease).whole() + 4s + _current.uncertainty +
					  (resolverHung ? 5 * resolverTimeout : Duration{}) +
					  (connectionsBroke ? _world.policy.requestTimeout / 4 : Duration{});
	const auto lossless = _world.network.lossPercent == 0;
	// With losses each exchange may go wrong again; the odds against ten in a row are long enough.
	playUntil(_now + (lossless ? most : 3min));
	if (_renewer.snapshot().state == State::retrying && _renewer.snapshot().consecutiveFailures <= 2) {
		playUntil(_now + most); // an answer was slower than one attempt could wait for: the next one is as good
	}
	const auto snapshot = _renewer.snapshot();
	const bool wellEnough = snapshot.state == State::active || snapshot.state == State::capped ||
							snapshot.state == State::noExpiry || snapshot.state == State::notRenewable;
	const auto& vault = _current.vault;
	const bool livesOn = vault.alive(_now) && (vault.end() - _now > most || vault.end() == Instant::max());
	if (!wellEnough && livesOn && lossless && vault.age(_now) >= most) {
		_chronicle.broken.emplace_back("liveness: the server is well, the credential is new, and the renewer is not");
	}
	if (_renewer.hasCandidate() && lossless && _candidate->vault.alive(_now)) {
		_chronicle.broken.emplace_back("liveness: a new credential that the server accepts is not adopted");
	}
}

void WorldPlayer::noteDeath(HeldToken& token)
{
	if (token.deathNoted) {
		return;
	}
	token.deathNoted = true;
	const auto& vault = token.vault;
	Death death;
	death.at = vault.end();
	death.told = std::min(vault.end(), token.toldEnd);
	death.hoped = std::max(death.told, std::min(vault.end(), token.hopedEnd));
	if (vault.alive(_now)) {
		return; // it was replaced while it lived
	}
	death.ofCandidate = &token != &_current;
	tell(death.ofCandidate ? "the candidate is dead" : "the token is dead");
	death.watchedSince = _running ? std::max(token.watchedSince, token.toldSince) : Instant::max();
	death.askedSince = _running && _haveToken ? token.askedSince : Instant::max();
	death.lease = token.toldLease;
	death.maxTtlEnd = vault.maxTtlEnd();
	death.renewable = vault.renewable() && _world.token.kind != Kind::limitedUses;
	death.killed = vault.killed();
	death.shortened = token.shortened;
	death.wallMoved = token.wallMoved;
	death.wallRaised = token.wallRaised;
	death.last = token.last;
	death.acceptedFrom = token.acceptedFrom;
	death.warned = _renewer.warnedOfEnd();
	death.gaveUp = _renewer.gaveUp();
	death.life = token.life;
	_chronicle.deaths.push_back(death);
}

} // namespace issuer::simulation
