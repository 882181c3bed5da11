#pragma once

#include "fleet/facts.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::fleet {

/// Returns the shard of an issuer.
[[nodiscard]] Shard shardOf(std::string_view issuer);

/// Returns the number of a shard in 3 digits of hex.
[[nodiscard]] std::string shardText(Shard shard);

/// A member's claim to a shard. Among members, the greatest weight comes first.
struct Claim
{
	std::uint64_t
		weight; ///< the first 8 bytes of SHA-256 over the member's name, a zero byte, and the shard in 3 digits of hex
	std::string_view member;
};

/// The members of a fleet in the order of their claims to each shard: rendezvous hashing. Nothing is assigned or
/// stored: every host that knows the same members ranks them alike, and a member that comes or goes moves only what it
/// gains or loses. Its coming or going costs O(shards that were asked about).
class Ring
{
public:
	void add(const std::string& member);
	void remove(const std::string& member);
	/// Replaces all members.
	void assign(const std::vector<std::string>& members);

	[[nodiscard]] bool has(std::string_view member) const { return _members.contains(member); }
	[[nodiscard]] std::size_t size() const { return _members.size(); }
	/// Returns the names, sorted.
	[[nodiscard]] std::vector<std::string> members() const { return {_members.begin(), _members.end()}; }

	/// Returns the claims to a shard, the first member's first. Valid until a member comes or goes.
	[[nodiscard]] const std::vector<Claim>& ranked(Shard shard) const;

	/// Returns a member's rank, 1 for the first; none: it is no member.
	[[nodiscard]] std::optional<std::size_t> rankOf(std::string_view member, Shard shard) const;

private:
	std::set<std::string, std::less<>> _members;
	mutable std::map<Shard, std::vector<Claim>> _ranked; ///< of the shards that were asked about
};

} // namespace issuer::fleet
