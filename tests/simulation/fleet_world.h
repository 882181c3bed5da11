#pragma once

#include "fleet/time.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

/// Worlds of fleets: hosts that share issuers by way of an engine of three nodes, a server, and their mishaps. All
/// times are the world's own, which every boot clock shows; wall clocks differ.
namespace issuer::fleets {

using fleet::Instant;
using fleet::milliseconds;

enum class Mishap : std::uint8_t
{
	dies,          ///< a process is killed; another starts on its machine at the end
	leaves,        ///< a process ends in good order; another starts on its machine at the end
	freezes,       ///< a process stands still
	cutFromEngine, ///< nothing comes through, and no connection is closed
	cutFromServer,
	linkCut,      ///< nothing comes through between a process and one node of the engine
	watchSlow,    ///< events reach a process up to 3 s late
	leaseRevoked, ///< the engine revokes the living lease of a member, once
	newList,      ///< from here on a process has all issuers configured
	nodeCut,      ///< a node of the engine is cut off from the two others
	quorumLost,   ///< the engine has no leader
	wiped,        ///< the engine forgets everything, once
	full,         ///< the engine accepts no more data
	serverAway,   ///< for all
};

struct Misfortune
{
	Mishap mishap;
	unsigned who; ///< number of a process or of a node of the engine; 0 where there is only one
	Instant from;
	Instant until;
	unsigned node = 0; ///< of linkCut
};

/// A process and the machine that it runs on.
struct Machine
{
	std::string name;     ///< two may have the same
	Instant starts;       ///< time of its first start
	milliseconds ahead{}; ///< of its wall clock, at the beginning
	double drift = 0;     ///< of its wall clock, per unit of time
};

struct World
{
	std::uint64_t seed = 0;
	std::vector<Machine> machines;
	unsigned issuers = 1;    ///< configured everywhere
	unsigned newIssuers = 0; ///< configured from newList on
	milliseconds lease{};    ///< L
	milliseconds reserve{};  ///< R, the least; each renewal is due up to a tenth of it earlier
	milliseconds takeover{}; ///< T
	milliseconds maxTtl{};   ///< of the first issuer's token; 0: none
	/// Three issuers each share a shard; else each has its own.
	bool sharesShards = false;
	std::size_t issuersWithoutRing = 20'000; ///< Settings::issuersWithoutRing of each host
	Instant quietFrom;                       ///< no mishap afterwards
	Instant ends;
	std::vector<Misfortune> misfortunes;

	/// Returns whether `who` has none of these mishaps at any time of [from, until).
	[[nodiscard]] bool isFreeOf(std::initializer_list<Mishap> mishaps, unsigned who, Instant from, Instant until) const;
	[[nodiscard]] bool isDuring(Mishap mishap, unsigned who, Instant now) const;
	/// Returns whether a process is cut off from a node of the engine.
	[[nodiscard]] bool isCut(unsigned machine, unsigned node, Instant now) const;
	/// Returns the number of mishaps of all kinds that overlap [from, until).
	[[nodiscard]] std::size_t mishapsIn(Instant from, Instant until) const;
	/// Returns the name of an issuer.
	[[nodiscard]] std::string nameOf(unsigned issuer) const;
	/// Returns by how much two wall clocks differ at most, without a host knowing it: a record tells a clock that is
	/// ahead only as far as it is younger than that, and is written each minute.
	[[nodiscard]] milliseconds unseenDifference() const;
	[[nodiscard]] bool happens(Mishap mishap) const;
	/// Returns the time from which on a machine has an issuer configured.
	[[nodiscard]] Instant configuredFrom(unsigned machine, unsigned issuer) const;
	/// Returns when the token of an issuer is made.
	[[nodiscard]] Instant made(unsigned issuer) const;
	/// Returns whether a process ran, with this issuer configured, throughout [from, until).
	[[nodiscard]] bool runs(unsigned machine, unsigned issuer, Instant from, Instant until) const;
};

inline constexpr Instant worldBegins{std::chrono::hours(1)};

[[nodiscard]] World worldOf(std::uint64_t seed);
[[nodiscard]] std::string_view nameOf(Mishap mishap);
/// Returns the number of an issuer of this name.
[[nodiscard]] unsigned issuerOf(const std::string& name);
std::ostream& operator<<(std::ostream& out, const World& world);

} // namespace issuer::fleets
