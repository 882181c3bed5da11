#pragma once

#include "fleet_server.h"
#include "fleet_world.h"

#include "fleet/actions.h"

#include <optional>
#include <string>
#include <vector>

namespace issuer::fleets {

/// The events of a world that promises are about.
struct Chronicle
{
	/// A stretch of time in which an issuer ran in a process.
	struct Run
	{
		unsigned issuer;
		unsigned machine;
		Instant from;
		Instant until;
		fleet::Why why;
		bool fromState; ///< no look-up was needed
		/// A state of this token, in the engine for two seconds, with which none would have been needed.
		bool stateStood;
		/// ... which said that the end of the token had been told to the operator.
		bool foretoldStood;
		bool foretold; ///< the same in the state that it began with
		/// Half of the issuers that ran in the process, or more, failed when it began.
		bool amidFailures;
		/// The process's rank for it among the members that an earlier process had stored; none: none were stored.
		std::optional<std::size_t> rankInRing;
		bool sawMembers;      ///< the process had seen a list of the members
		bool isLetGo = false; ///< it ended since the plan let go of it
	};

	std::vector<Run> runs;
	std::vector<Server::Token> tokens;        ///< as they were at the end
	std::vector<fleet::StateName> statesLeft; ///< in the engine, at the end
};

/// Plays a world with the plan as shipped; tells its story.
[[nodiscard]] Chronicle play(const World& world, std::ostream* story = nullptr);

} // namespace issuer::fleets
