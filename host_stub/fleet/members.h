#pragma once

#include "fleet/facts.h"
#include "fleet/ring.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::fleet {

/// The members as the engine last showed them, with their clocks. This host always counts as one.
class Members
{
public:
	explicit Members(std::string self);

	/// Takes this host's name, after another process has taken the previous one.
	void rename(const std::string& self);
	void listed(WallTime now, const std::vector<Member>& members);
	void put(WallTime now, const Member& member);
	void gone(const std::string& name);
	/// Takes the members of an earlier process: names alone.
	void remembered(const std::vector<std::string>& names);

	[[nodiscard]] const std::string& self() const { return _self; }
	[[nodiscard]] const Ring& ring() const { return _ring; }
	/// Returns this host's rank, 1 for the first.
	[[nodiscard]] std::size_t rank(Shard shard) const { return _ring.rankOf(_self, shard).value_or(0); }
	[[nodiscard]] std::string first(Shard shard) const;
	/// Returns whether a member of better rank than this host's wrote this.
	[[nodiscard]] bool isBetter(std::string_view member, Shard shard) const;

	/// Returns whether the first of a shard has the same issuers in it as this host, as far as its digest tells.
	[[nodiscard]] bool firstHasSameList(Shard shard, const ListDigests& lists) const;
	/// Returns how many members of better rank have the same issuers in a shard as this host, as far as digests tell.
	[[nodiscard]] std::size_t betterWithSameList(Shard shard, const ListDigests& lists) const;
	/// Returns whether the first of a shard keeps each issuer that this host has in it.
	[[nodiscard]] bool firstKeeps(Shard shard, const ListDigests& lists) const;

	/// Returns by how much the clock of a member, or of one that is gone, is ahead of this host's; none: not known.
	[[nodiscard]] std::optional<milliseconds> ahead(const std::string& member) const;
	/// Returns a state in the times of this host's clock, as far as the writer's is known.
	[[nodiscard]] State translated(State state) const;

	/// Difference between two clocks of which the operator is told.
	static constexpr milliseconds tolerated{2'000};

private:
	struct Known
	{
		Member member;
		std::optional<milliseconds> latest{}; ///< difference of the clocks as the latest record alone tells it
		std::optional<milliseconds> ahead{};  ///< as the two latest tell it: the one that came faster is right
	};

	[[nodiscard]] const Known* find(std::string_view name) const;
	[[nodiscard]] bool hasSameList(std::string_view name, Shard shard, const ListDigests& lists) const;
	void remember(const std::string& name, const Known& known);

	std::string _self;
	Ring _ring;
	std::map<std::string, Known, std::less<>> _known;
	/// By how much the clocks of members that are gone were ahead, where that was more than tolerated: their states
	/// stay behind.
	std::map<std::string, milliseconds> _gone;
};

} // namespace issuer::fleet
