#pragma once

#include "fleet/facts.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Requests of the plan, as plain data. The host carries actions out in their order.
namespace issuer::fleet {

/// The reason for which an issuer is begun here.
enum class Why : std::uint8_t
{
	first,         ///< this member is first of its shard
	late,          ///< its keeper does not renew it
	untold,        ///< no state tells how it is
	withoutEngine, ///< the engine was away when this host started
};

/// Creates the issuer's instance, imports the state, starts it. A state that the plugin refuses is left away. The host
/// tells the plan (Told) once it has started; it may begin thousands at once.
struct Begin
{
	std::string issuer;
	std::optional<State> state; ///< the newest there is; none: the plugin looks the token up
	Why why = Why::first;
};

/// Stops the issuer's instance; the token lives on. Nothing more is told of it.
struct LetGo
{
	std::string issuer;
};

/// Writes the states of issuers that run here. The host fills in `plugin` and `text` (snapshot_state).
struct WriteStates
{
	std::vector<State> states; ///< without plugin and text
};

/// Replaces the shards and the list of this host's own record. To be put after all states asked for before.
struct SetRecord
{
	ShardSet kept;
	ListDigests lists{};
};

/// Reads the states of shards, as many at once as the engine takes.
struct ReadStates
{
	std::vector<Shard> shards;
};

/// Deletes states. To be done after all states asked for before are written.
struct DeleteStates
{
	std::vector<StateName> names;
};

/// Leaves this name to the other process that has it, and joins under another.
struct JoinAs
{
	std::string member;
};

/// Stores a text in the state directory, for the next start of this host; replaces the previous one.
struct SaveRing
{
	std::string text;
};

/// A line for the operator.
struct Tell
{
	issuer_log_level level = ISSUER_LOG_INFO;
	std::string text;
};

using Action = std::variant<Begin, LetGo, WriteStates, SetRecord, ReadStates, DeleteStates, JoinAs, SaveRing, Tell>;
using Actions = std::vector<Action>;

} // namespace issuer::fleet
