#include "stage.h"

#include "reserve.h"

#include <algorithm>
#include <string>

/// What people do to the token and to the renewer, and how each world ends.
namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::State;

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
			_chronicle.asked.push_back(_now);
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
	_askedSince = _now;
	_toldLease = {};
	_wrapped = false;
	_uncertainty = {};
	forgetPlan();
	// A request with the token before is called off.
	if (_flight) {
		_chronicle.exchanges[_flight->exchange].ended = _now;
		_flight.reset();
	}
	record(_renewer.candidateFound(moment()), false, false);
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
	death.hoped = std::max(death.told, std::min(_vault.end(), _hopedEnd));
	if (_vault.alive(_now)) {
		return; // it was replaced while it lived
	}
	tell("the token is dead");
	death.watchedSince = _running ? std::max(_watchedSince, _toldSince) : Instant::max();
	death.askedSince = _running ? _askedSince : Instant::max();
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

} // namespace issuer::simulation
