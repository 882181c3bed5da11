#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace issuer::observe {

/// The part that this host has in its fleet, at one moment.
struct FleetStatus
{
	/// A member's account of its issuers.
	struct Pulse
	{
		std::map<std::string, std::size_t> severities;          ///< number of issuers, by severity
		std::vector<std::pair<std::string, std::string>> worst; ///< name and severity; ten at most
	};

	/// Another member, or this host itself.
	struct Member
	{
		std::string name;
		std::string url;                          ///< of its status page; empty: not told
		std::string version;                      ///< of its host program
		std::size_t shards = 0;                   ///< number of shards that it keeps
		std::optional<std::int64_t> clockAheadMs; ///< of its clock against this host's; empty: not known
		std::optional<Pulse> pulse = {};          ///< empty: not asked for, or not known
	};

	std::string fleet;
	std::string member; ///< this host's name
	bool joined = false;
	bool settled = false; ///< it has joined once, or keeps what is its own while the engine is away
	bool engineUp = false;
	bool writesRefused = false;
	std::optional<std::int64_t> secondsSinceAnswer; ///< of the engine; empty: it has never answered
	std::vector<Member> members;
	std::map<int, std::size_t> shardsByRank; ///< number of shards of which this host is first, second, third
	std::size_t kept = 0;
	std::size_t watchedOver = 0;
	std::size_t late = 0;
	std::string caFile;                             ///< authorities of the members' pages; empty: the system's
	std::vector<std::string> unkept;                ///< issuers that no member keeps, ten at most
	std::map<std::string, std::uint64_t> takeovers; ///< number of issuers begun here, by reason
	std::uint64_t stateWrites = 0;
};

/// Returns the host's part in its fleet, as far as this host knows it by itself; empty: it has none. [thread-safe]
using FleetSnapshot = std::function<std::optional<FleetStatus>()>;

} // namespace issuer::observe
