#pragma once

#include "fleet_chronicle.h"
#include "fleet_engine.h"
#include "fleet_server.h"
#include "fleet_timing.h"

#include "fleet/plan.h"
#include "fleet/ring.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace issuer::fleets {

/// A process: the plan as shipped, its door to the engine, and a model of the plugin for each issuer that it runs. A
/// model renews when R is left, tries again after failures, and reads and writes the state that travels.
class Host
{
public:
	/// Everything that hosts share.
	struct Surroundings
	{
		const World& world;
		Timing& timing;
		Engine& engine;
		Server& server;
		Chronicle& chronicle;
		std::ostream* story; ///< null: none is told
	};

	Host(Surroundings surroundings, unsigned machine, std::uint64_t seed, std::optional<std::string> ring);
	Host(const Host&) = delete;
	Host& operator=(const Host&) = delete;

	/// Ends at once.
	void die();
	/// Ends as SIGTERM has it end: rule 6.
	void leave();
	/// Goes on after it has stood still.
	void thaw();
	/// Reads its configuration again.
	void reload();

	[[nodiscard]] Door& door() { return _door; }
	/// Returns the stored text of the members last seen.
	[[nodiscard]] const std::optional<std::string>& ring() const { return _ring; }

private:
	struct Agent
	{
		std::uint64_t number; ///< distinguishes it from an earlier one of the same issuer
		issuer_state state = ISSUER_STATE_STARTING;
		std::optional<Instant> end; ///< of the token, as far as it knows
		Instant next;
		unsigned failures = 0; ///< in a row
		bool foretold = false; ///< the end of the token is told to the operator
	};

	void later(milliseconds pause, Timing::Call call);
	void heard(const fleet::Fact& fact);
	void act();
	void doOne(const fleet::Begin& begin);
	void doOne(const fleet::LetGo& letGo);
	void doOne(const fleet::WriteStates& write);
	void doOne(const fleet::SetRecord& record);
	void doOne(const fleet::ReadStates& read);
	void doOne(const fleet::DeleteStates& remove);
	void doOne(const fleet::JoinAs& join);
	void doOne(const fleet::SaveRing& save);
	void doOne(const fleet::Tell& tell);

	[[nodiscard]] fleet::WallTime wall() const { return wallOf(_around.timing.now()); }
	[[nodiscard]] fleet::WallTime wallOf(Instant instant) const;
	[[nodiscard]] fleet::Moment now() const { return {_around.timing.now(), wall()}; }
	[[nodiscard]] std::vector<std::string> configured() const;
	[[nodiscard]] bool reachesServer() const;
	[[nodiscard]] bool import(Agent& agent, const std::string& text) const;
	[[nodiscard]] std::string exported(const Agent& agent) const;
	void wake(unsigned issuer, std::uint64_t agent, Instant when);
	void ask(unsigned issuer, std::uint64_t agent);
	void answered(unsigned issuer, std::uint64_t agent, bool arrived, std::optional<Instant> end);
	void tellPlan(unsigned issuer, const Agent& agent);
	void stopAgent(unsigned issuer, bool isLetGo);
	/// Returns whether half of the issuers that run here fail, or more.
	[[nodiscard]] bool mostFail() const;
	void tellStory(const std::string& what) const;

	Surroundings _around;
	const unsigned _machine;
	simulation::Dice _dice;
	const std::string _run;
	std::shared_ptr<bool> _alive = std::make_shared<bool>(true);
	std::vector<Timing::Call> _held; ///< what came while it stood still
	std::optional<std::string> _ring;
	std::optional<fleet::Ring> _ringAtStart; ///< with this host; none: an earlier process stored none
	fleet::Plan _plan;
	Door _door;
	std::map<unsigned, Agent> _agents;
	std::uint64_t _agentsMade = 0;
	bool _sawMembers = false;
	std::optional<Instant> _acts; ///< time of the act() that is planned
};

} // namespace issuer::fleets
