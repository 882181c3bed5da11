#pragma once

#include "ways.h"
#include "world.h"

#include <array>
#include <optional>
#include <vector>

namespace issuer::simulation {

/// The connections between the renewer and the server, and their fate.
class VirtualNetwork
{
public:
	struct Connection
	{
		unsigned number; ///< among those of its endpoint
		int endpoint;
		Instant opened;
		Instant idleSince;              ///< Instant::max(): in use
		std::optional<WayFault> broken; ///< until it is closed, even when its endpoint is well again
	};

	/// `troubles`: those that have begun; they grow. `resolutions`: receives the renewer's knowledge of the name.
	VirtualNetwork(
		const Topology& topology, const std::vector<NetTrouble>& troubles, std::vector<Resolution>& resolutions)
		: _topology(topology), _troubles(troubles), _resolutions(resolutions)
	{
	}

	/// The renewer forgets all that it knew, and has no connection.
	void forget(Instant now);

	/// A trouble of the connections begins: those that exist break.
	void breakConnections(WayFault how);

	/// Returns the fault of connecting to it now, or of asking over this connection.
	[[nodiscard]] std::optional<WayFault> faultOf(int endpoint, Instant now) const;
	[[nodiscard]] std::optional<WayFault> faultOf(const Connection& connection, Instant now) const;

	/// Asks the resolver, unless it has been asked and has not answered yet. Returns when it will have answered.
	[[nodiscard]] Instant askResolver(Instant now);
	/// Its answer, which has come: the endpoints that the name gives now, in order; none: it has failed.
	[[nodiscard]] std::vector<int> resolverAnswer(Instant now);

	/// Beside these the renewer knows another endpoint that the name gives, and that is well.
	[[nodiscard]] bool knowsAnother(Endpoints called, Instant now) const;

	/// Opens a connection, which is in use.
	Connection open(int endpoint, Instant now);
	/// Takes a kept connection into use, the youngest one; none: there is none that could be seen to be open.
	[[nodiscard]] std::optional<Connection> take(int endpoint, Instant now, Duration longestAge);
	void keep(Connection connection, Instant now);
	void closeIdle(int endpoint);

private:
	const Topology& _topology;
	const std::vector<NetTrouble>& _troubles;
	std::vector<Resolution>& _resolutions;
	std::vector<Connection> _idle;
	struct Query
	{
		Instant answered;
		bool fails;
	};
	std::optional<Query> _query;                   ///< not answered by the resolver, or its answer has not been taken
	std::array<unsigned, mostEndpoints> _opened{}; ///< connections, of each endpoint
};

} // namespace issuer::simulation
