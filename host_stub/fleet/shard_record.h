#pragma once

#include "fleet/actions.h"
#include "fleet/facts.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::fleet {

/// The part of this host in an issuer.
enum class Role : std::uint8_t
{
	none,    ///< it does not run here
	keeper,  ///< it runs here until the first of its shard keeps it
	watcher, ///< it runs here until a member of better rank renews it
};

/// An issuer that this host has configured.
struct IssuerRecord
{
	std::string name;
	Role role = Role::none;
	Why why = Why::first;
	std::optional<State> own{};           ///< as last told; none: it does not run here, or has not started
	bool unwritten = false;               ///< `own` is not given to the engine yet
	WallTime due{};                       ///< time at which its renewal is or was first due; 0: not known
	std::optional<Instant> untoldSince{}; ///< time of the first look that found no state which tells

	/// Notes that it does not run here any more.
	void stopped();
};

/// A shard in which this host has an issuer configured.
struct ShardRecord
{
	Shard number = 0;
	std::vector<IssuerRecord> issuers; ///< by name
	std::vector<State> seen;           ///< the states of these issuers as last read, in the times of this host's clock
	std::size_t rank = 0;              ///< of this host, as of the last change of members
	bool reading = false;              ///< a read is under way
	std::optional<Instant> look;       ///< time of the next look at what others keep
	std::optional<Instant> tidy;       ///< time at which states that are not needed are looked for
	std::optional<Instant> pause;      ///< no read before, since one failed

	/// Returns the issuer of this name; null: this host has none.
	[[nodiscard]] IssuerRecord* find(std::string_view name);
	[[nodiscard]] const IssuerRecord* find(std::string_view name) const;
	[[nodiscard]] bool has(Role role) const;
	/// Returns whether an issuer of the shard runs here.
	[[nodiscard]] bool runsAny() const { return has(Role::keeper) || has(Role::watcher); }
};

/// Returns the state that says most of an issuer; null: there is none that tells.
[[nodiscard]] const State* newestOf(const std::vector<State>& states, std::string_view issuer);

} // namespace issuer::fleet
