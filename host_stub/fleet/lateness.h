#pragma once

#include "fleet/facts.h"

#include <cstdint>

/// The meaning of a state at a time. All times are by one clock: translate the states of others first (Members).
namespace issuer::fleet {

enum class Lateness : std::uint8_t
{
	none,
	late,     ///< a renewal is overdue by a quarter of the life that was left when it became due
	veryLate, ///< by half of it
};

/// Returns whether renewals are what the token of this state needs.
[[nodiscard]] bool canBeRenewed(const State& state);

/// Returns whether a state says how its issuer is. One of an issuer that is starting does not.
[[nodiscard]] bool tells(const State& state);

/// Returns the life that is left when a renewal is due (R); zero for a token that needs none.
[[nodiscard]] milliseconds reserveOf(const State& state);

[[nodiscard]] Lateness latenessOf(const State& state, WallTime now);

/// Returns whether a state proves that its writer keeps the issuer alive, or that nothing has to be done for it.
[[nodiscard]] bool isWell(const State& state, WallTime now);

/// Returns whether `one` says more of its issuer's token than `other`: the later end counts, and at the same end, give
/// or take 2 s, the state after which nothing can be done.
[[nodiscard]] bool isNewer(const State& one, const State& other);

} // namespace issuer::fleet
