#include "fleet_host.h"

#include "fleet/lateness.h"
#include "fleet/ring_text.h"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <utility>
#include <variant>

namespace issuer::fleets {

using namespace std::chrono_literals;

namespace {

std::string runOf(std::uint64_t seed)
{
	std::ostringstream text;
	text << std::hex << std::setfill('0') << std::setw(16) << seed;
	return text.str();
}

std::optional<std::vector<std::string>> membersIn(const std::optional<std::string>& ring)
{
	return ring ? std::optional(fleet::ringFrom(*ring).value()) : std::nullopt;
}

} // namespace

Host::Host(Surroundings surroundings, unsigned machine, std::uint64_t seed, std::optional<std::string> ring)
	: _around(surroundings), _machine(machine), _dice(seed), _run(runOf(_dice.bits())), _ring(std::move(ring)),
	  _plan({.member = _around.world.machines[machine].name,
				.run = _run,
				.takeover = _around.world.takeover,
				.issuersWithoutRing = _around.world.issuersWithoutRing},
		  membersIn(_ring)),
	  _door(
		  _around.world, _around.timing, _around.engine, machine, _dice.bits(),
		  [this](milliseconds pause, Timing::Call call) { later(pause, std::move(call)); }, [this] { return wall(); },
		  [this](const fleet::Fact& fact) { heard(fact); })
{
	if (const auto members = membersIn(_ring)) {
		_ringAtStart.emplace().assign(*members);
		_ringAtStart->add(_around.world.machines[machine].name);
	}
	tellStory("starts");
	_plan.configure(now(), configured());
	_door.join(_plan.member(), _run, _plan.lists());
	later(0ms, [this] { act(); });
}

void Host::later(milliseconds pause, Timing::Call call)
{
	_around.timing.in(pause, [this, alive = _alive, call = std::move(call)]() mutable {
		if (!*alive) {
			return;
		}
		if (_around.world.isDuring(Mishap::freezes, _machine, _around.timing.now())) {
			_held.push_back(std::move(call));
			return;
		}
		call();
	});
}

void Host::thaw()
{
	// One after the other: the plan acts between two of them.
	milliseconds pause{};
	for (auto& call : std::exchange(_held, {})) {
		later(pause++, std::move(call));
	}
}

void Host::die()
{
	tellStory("is dead");
	while (!_agents.empty()) {
		stopAgent(_agents.begin()->first, false);
	}
	*_alive = false;
}

void Host::leave()
{
	if (!_around.world.isDuring(Mishap::freezes, _machine, _around.timing.now())) {
		_door.leave();
	}
	die();
}

void Host::reload()
{
	tellStory("has the new list");
	_plan.configure(now(), configured());
	later(0ms, [this] { act(); });
}

fleet::WallTime Host::wallOf(Instant instant) const
{
	const auto& machine = _around.world.machines[_machine];
	const auto drifted = machine.drift * static_cast<double>((instant - worldBegins).count());
	return fleet::WallTime(1'000'000'000s) + (instant - worldBegins) + machine.ahead +
		   milliseconds(static_cast<std::int64_t>(drifted));
}

std::vector<std::string> Host::configured() const
{
	std::vector<std::string> names;
	for (unsigned issuer = 0; issuer < _around.world.issuers + _around.world.newIssuers; ++issuer) {
		if (_around.world.configuredFrom(_machine, issuer) <= _around.timing.now()) {
			names.push_back(_around.world.nameOf(issuer));
		}
	}
	return names;
}

void Host::heard(const fleet::Fact& fact)
{
	_plan.heard(now(), fact);
	_sawMembers = _sawMembers || std::holds_alternative<fleet::MembersListed>(fact);
	// Facts that come together are carried out together.
	later(0ms, [this] { act(); });
}

// The host's loop looks every 200 ms.
void Host::act()
{
	const auto actions = _plan.due(now());
	for (const auto& action : actions) {
		std::visit([this](const auto& one) { doOne(one); }, action);
	}
	const auto next = _plan.next() + milliseconds(static_cast<int>(_dice.below(200)));
	if (!_acts || *_acts <= _around.timing.now() || next < *_acts) {
		_acts = next;
		later(next - _around.timing.now(), [this, next] {
			if (_acts == next) {
				act();
			}
		});
	}
}

void Host::doOne(const fleet::Begin& begin)
{
	const auto issuer = issuerOf(begin.issuer);
	Agent agent{.number = ++_agentsMade, .end = {}, .next = _around.timing.now()};
	const bool imported = begin.state && import(agent, begin.state->text);
	const auto now = _around.timing.now();
	const auto known = _around.engine.knows(begin.issuer);
	const auto stood = [now](const std::optional<Instant>& since) { return since && *since <= now - 2s; };
	_around.chronicle.runs.push_back({.issuer = issuer,
		.machine = _machine,
		.from = now,
		.until = _around.world.ends,
		.why = begin.why,
		.fromState = imported,
		.stateStood = stood(known.told),
		.foretoldStood = stood(known.foretold),
		.foretold = agent.foretold,
		.amidFailures = mostFail(),
		.rankInRing = _ringAtStart
						  ? _ringAtStart->rankOf(_around.world.machines[_machine].name, fleet::shardOf(begin.issuer))
						  : std::nullopt,
		.sawMembers = _sawMembers});
	tellStory("begins " + begin.issuer +
			  (imported ? " from the state of " + begin.state->name.member : " by a look-up") +
			  (begin.why == fleet::Why::late               ? ", which is late"
				  : begin.why == fleet::Why::untold        ? ", which is untold"
				  : begin.why == fleet::Why::withoutEngine ? ", without the engine"
														   : ""));
	_agents.insert_or_assign(issuer, agent);
	later(5ms, [this, issuer, number = agent.number] {
		if (const auto found = _agents.find(issuer); found != _agents.end() && found->second.number == number) {
			tellPlan(issuer, found->second);
			wake(issuer, number, found->second.next);
		}
	});
}

void Host::doOne(const fleet::LetGo& letGo)
{
	tellStory("lets go of " + letGo.issuer);
	stopAgent(issuerOf(letGo.issuer), true);
}

bool Host::mostFail() const
{
	const auto failing = std::ranges::count_if(
		_agents, [](const auto& one) { return one.second.failures > 0 && one.second.state != ISSUER_STATE_EXPIRED; });
	return failing > 0 && 2 * static_cast<std::size_t>(failing) >= _agents.size();
}

void Host::stopAgent(unsigned issuer, bool isLetGo)
{
	_agents.erase(issuer);
	for (auto& run : _around.chronicle.runs) {
		if (run.issuer == issuer && run.machine == _machine && run.until == _around.world.ends) {
			run.until = _around.timing.now();
			run.isLetGo = isLetGo;
		}
	}
}

void Host::doOne(const fleet::WriteStates& write)
{
	auto states = write.states;
	for (auto& state : states) {
		state.text = exported(_agents.at(issuerOf(state.name.issuer)));
	}
	_door.write(std::move(states));
}

void Host::doOne(const fleet::SetRecord& record)
{
	_door.setRecord(record.kept, record.lists);
}

void Host::doOne(const fleet::ReadStates& read)
{
	_door.read(read.shards);
}

void Host::doOne(const fleet::DeleteStates& remove)
{
	for (const auto& name : remove.names) {
		tellStory("deletes the state of " + name.issuer + " by " + name.member);
	}
	_door.remove(remove.names);
}

void Host::doOne(const fleet::JoinAs& join)
{
	_door.join(join.member, _run, _plan.lists());
}

void Host::doOne(const fleet::SaveRing& save)
{
	_ring = save.text;
}

void Host::doOne(const fleet::Tell& tell)
{
	tellStory("says: " + tell.text);
}

std::string Host::exported(const Agent& agent) const
{
	if (!agent.end) {
		return {};
	}
	const auto number = [](fleet::WallTime time) { return std::to_string(time.time_since_epoch().count()); };
	return number(wallOf(*agent.end)) + ' ' + number(wallOf(agent.next)) + (agent.foretold ? " told" : " ");
}

// As the plugin does it: a life that ends further off than a whole lease is not used.
bool Host::import(Agent& agent, const std::string& text) const
{
	std::int64_t end = 0;
	std::int64_t next = 0;
	std::string foretold;
	std::istringstream words(text);
	if (!(words >> end >> next)) {
		return false;
	}
	words >> foretold;
	const auto mine = [this](std::int64_t time) {
		return _around.timing.now() + (fleet::WallTime(milliseconds(time)) - wall());
	};
	if (mine(end) > _around.timing.now() + _around.world.lease + 2s) {
		return false;
	}
	agent.end = mine(end);
	agent.next = mine(next);
	agent.foretold = foretold == "told";
	agent.state = agent.foretold ? ISSUER_STATE_CAPPED : ISSUER_STATE_ACTIVE;
	return true;
}

bool Host::reachesServer() const
{
	const auto& world = _around.world;
	return !world.isDuring(Mishap::cutFromServer, _machine, _around.timing.now()) &&
		   !world.isDuring(Mishap::serverAway, 0, _around.timing.now());
}

void Host::wake(unsigned issuer, std::uint64_t agent, Instant when)
{
	later(std::max(0ms, when - _around.timing.now()), [this, issuer, agent] { ask(issuer, agent); });
}

// A request takes up to 50 ms; one without an answer waits for its limit.
void Host::ask(unsigned issuer, std::uint64_t number)
{
	const auto found = _agents.find(issuer);
	if (found == _agents.end() || found->second.number != number) {
		return;
	}
	const auto& agent = found->second;
	const bool arrives = reachesServer();
	const auto pause = arrives ? milliseconds(10 + static_cast<int>(_dice.below(40)))
							   : std::min<milliseconds>(5s, _around.world.reserve / 8);
	std::optional<Instant> end;
	if (arrives) {
		const bool renews = agent.state == ISSUER_STATE_ACTIVE || agent.state == ISSUER_STATE_RETRYING;
		end = renews ? _around.server.renew(issuer, _machine, _around.timing.now())
					 : _around.server.lookUp(issuer, _machine, _around.timing.now());
	}
	later(pause, [=, this] { answered(issuer, number, arrives, end); });
}

void Host::answered(unsigned issuer, std::uint64_t number, bool arrived, std::optional<Instant> end)
{
	const auto found = _agents.find(issuer);
	if (found == _agents.end() || found->second.number != number) {
		return;
	}
	auto& agent = found->second;
	const auto now = _around.timing.now();
	const auto& world = _around.world;
	if (arrived && end) {
		const auto& wallEnd = _around.server.tokens()[issuer].wall;
		const bool capped = wallEnd && *end >= *wallEnd && agent.state != ISSUER_STATE_STARTING;
		agent.end = end;
		agent.failures = 0;
		agent.state = capped ? ISSUER_STATE_CAPPED : ISSUER_STATE_ACTIVE;
		agent.foretold = agent.foretold || capped;
		const auto earlier =
			static_cast<double>(std::min(world.reserve, world.lease - world.reserve).count()) * 0.1 * _dice.share();
		agent.next = capped ? *end : std::max(now, *end - world.reserve - milliseconds(static_cast<int>(earlier)));
	}
	else {
		++agent.failures;
		const bool dead = (arrived && !end) || (agent.end && *agent.end <= now);
		agent.state = dead ? ISSUER_STATE_EXPIRED : agent.end ? ISSUER_STATE_RETRYING : ISSUER_STATE_STARTING;
		const auto left = agent.end.value_or(now) - now;
		agent.next = now + (dead ? world.lease / 8 : std::clamp<milliseconds>(left / 8, 250ms, 15s));
	}
	tellPlan(issuer, agent);
	wake(issuer, number, agent.next);
}

void Host::tellPlan(unsigned issuer, const Agent& agent)
{
	_plan.told({.issuer = _around.world.nameOf(issuer),
		.state = agent.state,
		.end = agent.end ? wallOf(*agent.end) : fleet::WallTime{},
		.next = agent.state == ISSUER_STATE_STARTING ? fleet::WallTime{} : wallOf(agent.next)});
	later(0ms, [this] { act(); });
}

void Host::tellStory(const std::string& what) const
{
	if (_around.story) {
		*_around.story << std::fixed << std::setprecision(3) << std::setw(10)
					   << static_cast<double>((_around.timing.now() - worldBegins).count()) / 1000 << " s  "
					   << _around.world.machines[_machine].name << '/' << _machine << ' ' << what << '\n';
	}
}

} // namespace issuer::fleets
