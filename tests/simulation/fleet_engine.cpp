#include "fleet_engine.h"

#include "fleet/lateness.h"
#include "fleet/ring.h"

#include <algorithm>
#include <set>
#include <utility>

namespace issuer::fleets {

using namespace std::chrono_literals;

namespace {

constexpr milliseconds election{3'000};
constexpr milliseconds leaseCheck{500};
constexpr milliseconds watchGivesUp{4'000};
constexpr unsigned nodes = 3;

} // namespace

Engine::Engine(const World& world, Timing& timing) : _world(world), _timing(timing)
{
	_timing.in(leaseCheck, [this] { tick(); });
	for (const auto& one : world.misfortunes) {
		if (one.mishap == Mishap::wiped || one.mishap == Mishap::leaseRevoked) {
			_timing.at(one.from, [this, one] { revokeAsTheWorldDoes(one); });
		}
	}
}

void Engine::revokeAsTheWorldDoes(const Misfortune& misfortune)
{
	if (misfortune.mishap == Mishap::wiped) {
		_states.clear();
		_known.clear();
	}
	std::vector<LeaseId> revoked;
	for (const auto& [name, record] : _records) {
		if (misfortune.mishap == Mishap::wiped || name == _world.machines[misfortune.who].name) {
			revoked.push_back(record.lease);
		}
	}
	std::ranges::for_each(revoked, [this](auto lease) { revoke(lease); });
}

// The first node leads. A new leader takes the time of an election to be there, also where the old one is cut off.
bool Engine::hasLeader() const
{
	return std::ranges::none_of(_world.misfortunes, [now = _timing.now()](const Misfortune& one) {
		const bool elects =
			one.mishap == Mishap::nodeCut && one.who == 0 && one.from <= now && now < one.from + election;
		return elects || (one.mishap == Mishap::quorumLost && one.from <= now && now < one.until + election);
	});
}

bool Engine::serves(unsigned node, unsigned machine) const
{
	return hasLeader() && !_world.isDuring(Mishap::nodeCut, node, _timing.now()) &&
		   !_world.isCut(machine, node, _timing.now());
}

void Engine::tick()
{
	const bool led = hasLeader();
	if (led && !_led) {
		for (auto& [lease, end] : _leases) {
			end = _timing.now() + _world.takeover;
		}
	}
	_led = led;
	std::vector<LeaseId> ended;
	for (const auto& [lease, end] : _leases) {
		if (led && end <= _timing.now()) {
			ended.push_back(lease);
		}
	}
	std::ranges::for_each(ended, [this](auto lease) { revoke(lease); });
	_timing.in(leaseCheck, [this] { tick(); });
}

Engine::LeaseId Engine::grant()
{
	_leases[++_latest] = _timing.now() + _world.takeover;
	return _latest;
}

bool Engine::keepAlive(LeaseId lease)
{
	const auto found = _leases.find(lease);
	if (found != _leases.end()) {
		found->second = _timing.now() + _world.takeover;
	}
	return found != _leases.end();
}

void Engine::revoke(LeaseId lease)
{
	_leases.erase(lease);
	std::vector<std::string> gone;
	for (const auto& [name, record] : _records) {
		if (record.lease == lease) {
			gone.push_back(name);
		}
	}
	for (const auto& name : gone) {
		_records.erase(name);
		for (const auto& watcher : _watchers) {
			watcher(name, {});
		}
	}
}

void Engine::write(const fleet::State& state)
{
	const auto foretells = [](const fleet::State& one) { return one.text.ends_with("told"); };
	const auto old = _states.find(state.name);
	const bool forgets = old != _states.end() && foretells(old->second.state) && !foretells(state);
	_states[state.name] = {state, _timing.now()};
	if (!fleet::tells(state)) {
		return;
	}
	auto& known = _known[state.name.issuer];
	known.told = known.told.value_or(_timing.now());
	if (foretells(state)) {
		known.foretold = known.foretold.value_or(_timing.now());
	}
	// A host that began without the engine may have written over what an earlier process of its name knew.
	if (forgets && std::ranges::none_of(_states, [&](const auto& one) {
			return one.first.issuer == state.name.issuer && foretells(one.second.state);
		})) {
		known.foretold.reset();
	}
}

Engine::Knowledge Engine::knows(const std::string& issuer) const
{
	const auto found = _known.find(issuer);
	return found == _known.end() ? Knowledge() : found->second;
}

void Engine::put(const fleet::Member& member, LeaseId lease)
{
	if (_leases.contains(lease)) {
		_records[member.record.name] = {member, lease};
		for (const auto& watcher : _watchers) {
			watcher(member.record.name, member);
		}
	}
}

Door::Door(const World& world, Timing& timing, Engine& engine, unsigned machine, std::uint64_t seed, Later later,
	Wall wall, Listener listener)
	: _world(world), _timing(timing), _engine(engine), _machine(machine), _dice(seed), _later(std::move(later)),
	  _wall(std::move(wall)), _listener(std::move(listener)), _node(machine % nodes)
{
}

void Door::unlessRejoined(milliseconds pause, Timing::Call call)
{
	_later(pause, [this, join = _joins, call = std::move(call)] {
		if (join == _joins) {
			call();
		}
	});
}

void Door::join(const std::string& name, const std::string& run, const fleet::ListDigests& lists)
{
	++_joins;
	_granted = false;
	_waiting.clear();
	_self = {.record = {.name = name, .run = run, .url = {}, .version = {}, .written = {}, .kept = {}}, .lists = lists};
	grant();
	unlessRejoined(1s, [this] { watchOn(); });
	_flushing = false;
}

// A try has a fifth of the lease, and the next goes to the next node.
void Door::failed()
{
	_node = (_node + 1) % nodes;
	if (++_failures % nodes == 0) {
		_listener(fleet::Away{"no endpoint answers"});
	}
}

void Door::grant()
{
	if (!reaches() || _engine.isFull()) {
		unlessRejoined(_world.takeover / 5, [this] {
			failed();
			grant();
		});
		return;
	}
	unlessRejoined(milliseconds(2 + static_cast<int>(_dice.below(8))), [this] {
		_failures = 0;
		_granted = true;
		_refused = false;
		_lease = _engine.grant();
		_self.record.kept.reset();
		_watching = false;
		putRecord();
		_listener(fleet::Joined{});
		list();
		unlessRejoined(_world.takeover / 5, [this] { keepAlive(); });
	});
}

void Door::putRecord()
{
	if (reaches() && !_engine.isFull()) {
		_self.record.written = _wall();
		_engine.put(_self, _lease);
	}
	unlessRejoined(1min, [this] { putRecord(); });
}

void Door::keepAlive()
{
	const auto asked = _timing.now();
	if (!reaches()) {
		unlessRejoined(_world.takeover / 5, [this] {
			failed();
			keepAlive();
		});
		return;
	}
	unlessRejoined(milliseconds(1 + static_cast<int>(_dice.below(5))), [this, asked] {
		_failures = 0;
		if (_engine.keepAlive(_lease)) {
			_listener(fleet::Answered{asked});
			unlessRejoined(_world.takeover / 5, [this] { keepAlive(); });
			return;
		}
		_listener(fleet::LeaseLost{});
		join(_self.record.name, _self.record.run, _self.lists);
	});
}

void Door::list()
{
	_watching = true;
	_watchBroken.reset();
	fleet::MembersListed listed;
	for (const auto& [name, record] : _engine.records()) {
		listed.members.push_back(record.member);
	}
	_listener(listed);
	if (const auto own = _engine.records().find(_self.record.name);
		own != _engine.records().end() && own->second.member.record.run != _self.record.run) {
		_listener(fleet::NameTaken{own->second.member.record});
	}
}

// A watch whose node has no leader ends after a while; events meanwhile are lost to it, and listing again heals that.
void Door::watchOn()
{
	if (_watching && !reaches() && !_watchBroken) {
		_watchBroken = _timing.now();
	}
	if (_granted && _watchBroken && reaches() && _timing.now() >= *_watchBroken + watchGivesUp) {
		list();
	}
	unlessRejoined(1s, [this] { watchOn(); });
}

void Door::changed(const std::string& name, const std::optional<fleet::Member>& member)
{
	if (!_watching || _watchBroken) {
		return;
	}
	if (!reaches()) {
		_watchBroken = _timing.now();
		return;
	}
	const auto slow = _world.isDuring(Mishap::watchSlow, _machine, _timing.now()) ? 3'000U : 5U;
	_heard = std::max(_heard, _timing.now() + milliseconds(1 + static_cast<int>(_dice.below(slow))));
	unlessRejoined(_heard - _timing.now(), [this, name, member] {
		if (!member) {
			_listener(fleet::MemberGone{name});
		}
		else if (name == _self.record.name && member->record.run != _self.record.run) {
			_listener(fleet::NameTaken{member->record});
		}
		else {
			_listener(fleet::MemberPut{*member});
		}
	});
}

void Door::setRecord(const fleet::ShardSet& kept, const fleet::ListDigests& lists)
{
	later([this, kept, lists] {
		_self.record.kept = kept;
		_self.lists = lists;
		_self.record.written = _wall();
		_engine.put(_self, _lease);
	});
}

void Door::write(std::vector<fleet::State> states)
{
	later([this, states = std::move(states)] {
		std::ranges::for_each(states, [this](const auto& state) { _engine.write(state); });
	});
}

void Door::remove(std::vector<fleet::StateName> names)
{
	later([this, names = std::move(names)] {
		std::ranges::for_each(names, [this](const auto& name) { _engine.remove(name); });
	});
}

// A batch is written at once where it can be, in the order in which it was asked for.
void Door::later(Write write)
{
	_waiting.push_back(std::move(write));
	if (!std::exchange(_flushing, true)) {
		unlessRejoined(milliseconds(10 + static_cast<int>(_dice.below(500))), [this] { flush(); });
	}
}

void Door::flush()
{
	if (_granted && reaches()) {
		const bool refused = _engine.isFull();
		if (refused != std::exchange(_refused, refused)) {
			_listener(refused ? fleet::Fact(fleet::WritesRefused{"no space"}) : fleet::Fact(fleet::WritesAccepted{}));
		}
		if (!refused) {
			_flushing = false;
			for (const auto& write : std::exchange(_waiting, {})) {
				write();
			}
			return;
		}
	}
	unlessRejoined(milliseconds(10 + static_cast<int>(_dice.below(500))), [this] { flush(); });
}

void Door::read(std::vector<fleet::Shard> shards)
{
	if (!reaches()) {
		unlessRejoined(_world.takeover, [this, shards = std::move(shards)] { _listener(fleet::ReadFailed{shards}); });
		return;
	}
	fleet::StatesRead read{std::move(shards), {}};
	const std::set<fleet::Shard> wanted(read.shards.begin(), read.shards.end());
	for (const auto& [name, stored] : _engine.states()) {
		if (wanted.contains(fleet::shardOf(name.issuer))) {
			read.states.insert(
				read.states.begin() + static_cast<std::ptrdiff_t>(_dice.below(read.states.size() + 1)), stored.state);
		}
	}
	unlessRejoined(
		milliseconds(2 + static_cast<int>(_dice.below(200))), [this, read = std::move(read)] { _listener(read); });
}

void Door::leave()
{
	if (_granted && reaches()) {
		if (!_engine.isFull()) {
			for (const auto& write : std::exchange(_waiting, {})) {
				write();
			}
		}
		_engine.revoke(_lease);
	}
	++_joins;
}

} // namespace issuer::fleets
