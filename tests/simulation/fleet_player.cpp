#include "fleet_chronicle.h"
#include "fleet_host.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace issuer::fleets {

namespace {

class Player
{
public:
	Player(const World& world, std::ostream* story)
		: _world(world), _engine(world, _timing), _server(world), _dice(world.seed + 1), _story(story),
		  _hosts(world.machines.size()), _rings(world.machines.size())
	{
		_engine.watch([this](const auto& name, const auto& member) {
			for (const auto& host : _hosts) {
				if (host) {
					host->door().changed(name, member);
				}
			}
		});
	}

	Chronicle play()
	{
		for (unsigned machine = 0; machine < _hosts.size(); ++machine) {
			_timing.at(_world.machines[machine].starts, [this, machine] { start(machine); });
		}
		for (const auto& one : _world.misfortunes) {
			_timing.at(one.from, [this, one] { begins(one); });
			_timing.at(one.until, [this, one] { ends(one); });
		}
		_timing.run(_world.ends);
		_chronicle.tokens = _server.tokens();
		for (const auto& [name, stored] : _engine.states()) {
			_chronicle.statesLeft.push_back(name);
		}
		return std::move(_chronicle);
	}

private:
	// A machine on which two deaths overlap starts again after the first.
	void start(unsigned machine)
	{
		if (!_hosts[machine]) {
			_hosts[machine] =
				std::make_unique<Host>(Host::Surroundings{_world, _timing, _engine, _server, _chronicle, _story},
					machine, _dice.bits(), _rings[machine]);
		}
	}

	// A dead host stays, since calls that it planned refer to it.
	void bury(unsigned machine)
	{
		_rings[machine] = _hosts[machine]->ring();
		_buried.push_back(std::move(_hosts[machine]));
	}

	void begins(const Misfortune& one)
	{
		const bool isMachines = one.who < _hosts.size() && _hosts[one.who];
		if (isMachines && (one.mishap == Mishap::dies || one.mishap == Mishap::leaves)) {
			one.mishap == Mishap::dies ? _hosts[one.who]->die() : _hosts[one.who]->leave();
			bury(one.who);
		}
		if (isMachines && one.mishap == Mishap::newList) {
			_hosts[one.who]->reload();
		}
	}

	void ends(const Misfortune& one)
	{
		if (one.mishap == Mishap::dies || one.mishap == Mishap::leaves) {
			_timing.at(std::max(one.until, _world.machines[one.who].starts), [this, one] { start(one.who); });
		}
		if (one.mishap == Mishap::freezes && _hosts[one.who]) {
			_hosts[one.who]->thaw();
		}
	}

	const World& _world;
	Timing _timing;
	Engine _engine;
	Server _server;
	simulation::Dice _dice;
	std::ostream* _story;
	Chronicle _chronicle;
	std::vector<std::unique_ptr<Host>> _hosts;
	std::vector<std::unique_ptr<Host>> _buried;
	std::vector<std::optional<std::string>> _rings;
};

} // namespace

Chronicle play(const World& world, std::ostream* story)
{
	return Player(world, story).play();
}

} // namespace issuer::fleets
