#pragma once

#include "fleet/time.h"

#include "issuer/lifecycle.h"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

/// Facts that the plan hears, as plain data: from the engine by way of a Directory, and from this host's own plugins.
namespace issuer::fleet {

/// Number of a shard: the first 12 bits of SHA-256(issuer's name). The same in every release.
using Shard = std::uint16_t;
constexpr std::size_t shardCount = 4096;

/// A set of shards. Bit n stands for shard n.
using ShardSet = std::bitset<shardCount>;

/// For each 16 shards, the first 8 bytes of the SHA-256 of the sorted names that a member has configured there; 0 for
/// no names. Two members with equal digests have the same issuers there.
using ListDigests = std::array<std::uint64_t, shardCount / 16>;

/// A member as it describes itself to the others.
struct MemberRecord
{
	std::string name;
	std::string run;     ///< random text of one process; a record with another run is another process's
	std::string url;     ///< of its status page; empty: it has none that others reach
	std::string version; ///< of the host
	WallTime written;    ///< its wall clock when it wrote this record
	ShardSet kept;       ///< shards of which it keeps every issuer that it has configured

	friend bool operator==(const MemberRecord&, const MemberRecord&) = default;
};

/// The name of a state. Each member writes its own and no other's.
struct StateName
{
	std::string issuer;
	std::string member; ///< its writer

	friend auto operator<=>(const StateName&, const StateName&) = default;
};

/// Knowledge about an issuer that a successor needs. Holds no secret.
struct State
{
	StateName name;
	WallTime end{};  ///< end of the token's lease by the writer's clock; 0: none is known, or it lives for ever
	WallTime next{}; ///< time at which its renewal is due, or was first due while renewals fail; 0: none is
	issuer_state state = ISSUER_STATE_STARTING;
	std::string plugin{}; ///< id of the plugin that wrote `text`
	std::string text{};   ///< the plugin's own, for issuer.handover/1; empty: it has none

	friend bool operator==(const State&, const State&) = default;
};

// --- Facts of the engine -----------------------------------------------------------------------------------------

/// This host has a lease, and its record stands with no shard kept. Everything else it has written before may be gone.
struct Joined
{
};

/// The lease ended, or the engine does not know it any more. The Directory joins again by itself.
struct LeaseLost
{
};

/// A keepalive succeeded.
struct Answered
{
	Instant asked; ///< time at which it was sent
};

/// Every endpoint was tried, and none answered a keepalive or a grant.
struct Away
{
	std::string why; ///< for the operator
};

/// The engine answers, but refuses to write: it is full, or the user may not. Reads and keepalives go on.
struct WritesRefused
{
	std::string why; ///< for the operator
};

/// Writes are accepted again.
struct WritesAccepted
{
};

/// A member's record, and the digests of its list if they are known yet.
struct Member
{
	MemberRecord record;
	ListDigests lists{};
};

/// All members that there are now, this host too once it has joined. Comes after each (re)start of a watch and replaces
/// all that was known.
struct MembersListed
{
	std::vector<Member> members;
};

/// A member came, or its record or list changed.
struct MemberPut
{
	Member member;
};

/// A member left, or its lease ended.
struct MemberGone
{
	std::string name;
};

/// The answer to one read: all states of these shards.
struct StatesRead
{
	std::vector<Shard> shards;
	std::vector<State> states; ///< in any order
};

/// A read got no answer. It is not tried again unless it is asked for again.
struct ReadFailed
{
	std::vector<Shard> shards;
};

/// The record under this host's name is another process's, which put it later than this one did.
struct NameTaken
{
	MemberRecord by;
};

using Fact = std::variant<Joined, LeaseLost, Answered, Away, WritesRefused, WritesAccepted, MembersListed, MemberPut,
	MemberGone, StatesRead, ReadFailed, NameTaken>;

// --- Facts of this host ------------------------------------------------------------------------------------------

/// The state of an issuer that runs here, as its plugin told it. Comes when it has started, at each success, and
/// whenever its state changes.
struct Told
{
	std::string issuer;
	issuer_state state = ISSUER_STATE_STARTING;
	WallTime end{};  ///< end of the token's lease; 0: unknown, or never
	WallTime next{}; ///< the next planned request; 0: none
};

} // namespace issuer::fleet
