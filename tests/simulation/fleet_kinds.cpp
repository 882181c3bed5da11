#include "fleet_world.h"
#include "login_world.h"

#include "fleet/ring.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

/// The worlds of fleets. Half of them are drawn freely; the others are of a kind: a course of events that a rule is
/// for, and which chance alone brings about too rarely.
namespace issuer::fleets {

namespace {

using namespace std::chrono_literals;
using simulation::Dice;

/// Mishaps of one machine, and those of all.
constexpr std::array ofMachines{Mishap::dies, Mishap::leaves, Mishap::freezes, Mishap::cutFromEngine,
	Mishap::cutFromServer, Mishap::linkCut, Mishap::watchSlow, Mishap::leaseRevoked};
constexpr std::array ofAll{Mishap::nodeCut, Mishap::quorumLost, Mishap::wiped, Mishap::full, Mishap::serverAway};
constexpr unsigned nodes = 3;

milliseconds length(Dice& dice, milliseconds from, milliseconds to)
{
	return std::chrono::duration_cast<milliseconds>(dice.length(from, std::max(from, to)));
}

milliseconds part(Dice& dice, milliseconds whole)
{
	return milliseconds(std::llround(static_cast<double>(whole.count()) * dice.share()));
}

/// The making of one world.
class Maker
{
public:
	explicit Maker(std::uint64_t seed) : _dice(seed) { _world.seed = seed; }

	World make()
	{
		constexpr std::array kinds{&Maker::atOnce, &Maker::firstTwoCutFromServer, &Maker::cutWithOtherClocks,
			&Maker::deathWhileTheEngineIsAway, &Maker::startsWhileTheEngineIsAway, &Maker::longFullEngine,
			&Maker::longOutageOfTheServer, &Maker::deathAfterAWipe, &Maker::deathDuringAPause,
			&Maker::listFarAheadOfTheOthers, &Maker::listDuringACut, &Maker::takeoversOfACappedToken};
		const bool free = _dice.chance(0.5);
		const auto kind = _dice.below(kinds.size());
		addTimes();
		addMachines(free ? 1 + _dice.below(7) : 2 + _dice.below(5));
		if (free) {
			addFreely();
		}
		else {
			(this->*kinds.at(kind))();
		}
		if (_world.unseenDifference() > 2s) { // a record tells of a clock after a minute at the latest
			_world.ends += 1min;
		}
		std::ranges::sort(_world.misfortunes, {}, &Misfortune::from);
		return std::move(_world);
	}

private:
	// The promises need R of at least 2 (T + 5 s), and T is at least 2 s. A short T in a long lease would be the
	// same story with more words.
	void addTimes()
	{
		do {
			_world.lease = length(_dice, 30s, 1h);
			_world.reserve =
				milliseconds(std::llround(static_cast<double>(_world.lease.count()) * (0.1 + 0.8 * _dice.share())));
		} while (_world.reserve < 14s);
		const auto longest = std::min<milliseconds>(_world.reserve / 2 - 5s, 60s);
		_world.takeover = length(_dice, std::min(std::max<milliseconds>(2s, _world.lease / 180), longest), longest);
		_world.issuers = static_cast<unsigned>(1 + _dice.below(12));
		_world.sharesShards = _dice.chance(0.3);
		_world.quietFrom = worldBegins + 4 * _world.lease;
		_world.ends = _world.quietFrom + _world.takeover + _world.lease + 10s;
		if (_dice.chance(0.2)) {
			_world.maxTtl = _world.lease + part(_dice, 3 * _world.lease);
		}
	}

	void addMachines(std::size_t count)
	{
		const bool together = _dice.chance(0.6);
		const bool badClocks = _dice.chance(0.3);
		for (std::size_t machine = 0; machine < count; ++machine) {
			const auto late = !together && _dice.chance(0.3) ? _world.lease : milliseconds(200);
			_world.machines.push_back(
				{.name = "host-" + std::to_string(machine), .starts = worldBegins + part(_dice, late)});
			if (badClocks) {
				setClock(_world.machines.back());
			}
		}
	}

	void setClock(Machine& machine)
	{
		machine.ahead = part(_dice, _world.reserve) - _world.reserve / 2;
		machine.drift = (_dice.share() - 0.5) * 2e-4;
	}

	void addFreely()
	{
		const auto earliest = worldBegins + 10s;
		const auto span = _world.quietFrom - earliest - _world.lease;
		const auto mishaps = _dice.chance(0.15) ? 0 : _dice.chance(0.5) ? 1 : 1 + _dice.below(6);
		for (std::size_t mishap = 0; mishap < mishaps; ++mishap) {
			const auto from = earliest + part(_dice, span);
			addAnything(from, length(_dice, _world.takeover / 4, 2 * _world.lease));
		}
		if (_dice.chance(0.15)) {
			_world.newIssuers = static_cast<unsigned>(1 + _dice.below(3));
			for (unsigned machine = 0; machine < _world.machines.size(); ++machine) {
				addList(machine, worldBegins + part(_dice, 3 * _world.lease));
			}
		}
		if (_dice.chance(0.07)) {
			auto twin = _world.machines[_dice.below(_world.machines.size())];
			twin.starts = worldBegins + part(_dice, 3 * _world.lease);
			_world.machines.push_back(twin);
			if (_world.newIssuers > 0) {
				addList(static_cast<unsigned>(_world.machines.size()) - 1, twin.starts);
			}
		}
	}

	// Several mishaps in quick succession, each in the midst of what follows from the one before.
	void atOnce()
	{
		auto from = middle();
		for (auto mishaps = 2 + _dice.below(4); mishaps > 0; --mishaps) {
			addAnything(from, length(_dice, 1s, std::max<milliseconds>(_world.reserve, 3 * _world.takeover)));
			from += length(_dice, 10ms, _dice.chance(0.5) ? _world.takeover : _world.reserve / 2);
		}
	}

	// Rule 4: the first is cut from the server, and in half of these worlds the second as well.
	void firstTwoCutFromServer()
	{
		const auto ranked = ranking();
		const auto from = middle();
		const auto until = from + length(_dice, _world.reserve, 2 * _world.lease);
		const auto cut = ranked.size() > 2 && _dice.chance(0.6) ? 2U : 1U;
		for (unsigned rank = 0; rank < cut; ++rank) {
			add(Mishap::cutFromServer, ranked[rank], from + part(_dice, 5s), until);
		}
	}

	// The same among clocks that differ.
	void cutWithOtherClocks()
	{
		std::ranges::for_each(_world.machines, [this](auto& machine) { setClock(machine); });
		if (_dice.chance(0.5)) {
			firstTwoCutFromServer();
		}
		else {
			add(Mishap::dies, ranking().front(), middle(), _world.quietFrom);
		}
	}

	// Rule 5.
	void deathWhileTheEngineIsAway()
	{
		const auto from = middle();
		const auto until = from + length(_dice, _world.lease, 2 * _world.lease);
		add(Mishap::quorumLost, 0, from, until);
		add(_dice.chance(0.5) ? Mishap::dies : Mishap::cutFromServer, ranking().front(),
			from + part(_dice, 2 * _world.takeover), until);
	}

	// Rule 7: the machines start in an outage of the engine, or all of them start anew in it.
	void startsWhileTheEngineIsAway()
	{
		if (_dice.chance(0.5)) {
			add(Mishap::quorumLost, 0, worldBegins, worldBegins + 4 * _world.takeover + part(_dice, _world.lease));
			if (_dice.chance(0.5)) {
				_world.issuersWithoutRing = _dice.below(_world.issuers);
			}
			return;
		}
		const auto from = middle();
		add(Mishap::quorumLost, 0, from, from + 4 * _world.takeover + length(_dice, _world.lease, 2 * _world.lease));
		for (unsigned machine = 0; machine < _world.machines.size(); ++machine) {
			const auto dies = from + part(_dice, _world.takeover);
			add(Mishap::dies, machine, dies, dies + length(_dice, 1s, _world.takeover));
		}
	}

	void longFullEngine()
	{
		for (auto& machine : _world.machines) {
			machine.starts = worldBegins + part(_dice, 200ms);
		}
		add(Mishap::full, 0, worldBegins + 10s + part(_dice, _world.lease / 2), _world.quietFrom);
	}

	void longOutageOfTheServer()
	{
		const auto from = middle();
		add(Mishap::serverAway, 0, from, from + length(_dice, _world.lease / 2, 2 * _world.lease));
	}

	void deathAfterAWipe()
	{
		const auto from = middle();
		add(Mishap::wiped, 0, from, from);
		const auto dies = from + _world.takeover + length(_dice, 1s, _world.lease);
		add(_dice.chance(0.5) ? Mishap::dies : Mishap::leaves, ranking().front(), dies,
			dies + length(_dice, 1s, _world.lease));
	}

	// Rule 3: the first comes back and says that it keeps its shards. The second, which stands still, hears of it only
	// once the first has died again.
	void deathDuringAPause()
	{
		const auto ranked = ranking();
		const auto from = middle();
		const auto back = from + 2 * _world.takeover + 10s;
		add(Mishap::dies, ranked[0], from, back);
		add(Mishap::freezes, ranked[1], back - length(_dice, 1ms, 100ms), back + 3 * _world.takeover + 25s);
		add(Mishap::dies, ranked[0], back + 5s, _world.quietFrom);
	}

	// Rule 4: one machine has a list that the others get much later.
	void listFarAheadOfTheOthers()
	{
		_world.newIssuers = static_cast<unsigned>(1 + _dice.below(3));
		const auto alone = _dice.below(_world.machines.size());
		const auto first = worldBegins + _world.lease / 2 + part(_dice, _world.lease / 4);
		for (unsigned machine = 0; machine < _world.machines.size(); ++machine) {
			addList(machine, machine == alone ? first : first + _world.lease + part(_dice, _world.lease));
		}
		if (_dice.chance(0.4)) { // the newer list is restarted, so that others are first for a while
			const auto dies = first + part(_dice, _world.lease);
			add(Mishap::dies, ranking().front(), dies, dies + length(_dice, 1s, _world.lease));
		}
	}

	// Rule 3: the lists become equal while one that is cut off cannot hear that the other has died.
	void listDuringACut()
	{
		_world.sharesShards = true;
		_world.issuers = 3 * static_cast<unsigned>(_dice.below(4)) + 1;
		_world.newIssuers = 1;
		const auto ranked = ranking(_world.issuers);
		const auto from = middle() + _world.lease / 2;
		const auto lateFirst = worldBegins + _world.lease / 4;
		_world.machines[ranked[0]].starts = lateFirst;
		const auto equal = from + 2 * _world.takeover + 20s;
		for (unsigned machine = 0; machine < _world.machines.size(); ++machine) {
			addList(machine, machine == ranked[1] ? equal : lateFirst);
		}
		add(Mishap::cutFromEngine, ranked[1], from, equal + length(_dice, 10s, _world.lease));
		add(Mishap::dies, ranked[0], from + 1s, _world.quietFrom);
	}

	// A forecast is handed from host to host, one of which has begun without it.
	void takeoversOfACappedToken()
	{
		_world.maxTtl = 2 * _world.lease + part(_dice, 2 * _world.lease);
		const auto ranked = ranking();
		const auto capped = worldBegins + _world.maxTtl - _world.lease;
		auto from = capped + part(_dice, _world.lease / 4);
		add(Mishap::quorumLost, 0, from, from + 4 * _world.takeover + 5s);
		_world.machines[ranked[0]].starts = from + 1s;
		from += 5 * _world.takeover + 15s + part(_dice, _world.lease / 4);
		add(Mishap::dies, ranked[0], from, _world.quietFrom);
	}

	[[nodiscard]] Instant middle() { return worldBegins + _world.lease / 2 + part(_dice, _world.lease); }

	/// Returns the numbers of the machines as an issuer's shard ranks them.
	[[nodiscard]] std::vector<unsigned> ranking()
	{
		return ranking(static_cast<unsigned>(_dice.below(_world.issuers)));
	}

	[[nodiscard]] std::vector<unsigned> ranking(unsigned issuer) const
	{
		fleet::Ring ring;
		for (const auto& machine : _world.machines) {
			ring.add(machine.name);
		}
		const auto shard = fleet::shardOf(_world.nameOf(issuer));
		std::vector<unsigned> ranked(_world.machines.size());
		for (unsigned machine = 0; machine < ranked.size(); ++machine) {
			ranked[*ring.rankOf(_world.machines[machine].name, shard) - 1] = machine;
		}
		return ranked;
	}

	void addAnything(Instant from, milliseconds lasts)
	{
		const bool all = _dice.chance(0.3);
		const auto mishap = all ? ofAll[_dice.below(ofAll.size())] : ofMachines[_dice.below(ofMachines.size())];
		const auto among = mishap == Mishap::nodeCut ? nodes : all ? 1 : _world.machines.size();
		add(mishap, static_cast<unsigned>(_dice.below(among)), from, from + lasts);
		_world.misfortunes.back().node = static_cast<unsigned>(_dice.below(nodes));
	}

	void add(Mishap mishap, unsigned who, Instant from, Instant until)
	{
		const auto latest = _world.quietFrom;
		_world.misfortunes.push_back(
			{mishap, who, std::min(from, latest), std::clamp(until, std::min(from, latest), latest)});
	}

	void addList(unsigned machine, Instant from) { add(Mishap::newList, machine, from, from); }

	Dice _dice;
	World _world;
};

} // namespace

World worldOf(std::uint64_t seed)
{
	return Maker(seed).make();
}

} // namespace issuer::fleets
