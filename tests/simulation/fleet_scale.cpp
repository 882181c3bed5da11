#include "fleet_scale.h"

#include "login_world.h"

#include "fleet/ring.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::fleets {

namespace {

constexpr std::size_t issuers = 1'000'000;
constexpr std::size_t members = 100;
constexpr std::size_t lease = 3'600;   ///< s
constexpr std::size_t reserve = 1'890; ///< s left at a renewal, at the usual fraction in the mean
constexpr std::size_t takeover = 10;   ///< s
constexpr std::size_t lookUpsLast = 5; ///< s over which a host spreads look-ups

using Keepers = std::vector<std::string>; ///< by shard

std::string nameOf(std::size_t member)
{
	return "member-" + std::to_string(member);
}

Keepers keepersOf(const fleet::Ring& ring)
{
	Keepers keepers;
	for (std::size_t shard = 0; shard < fleet::shardCount; ++shard) {
		keepers.emplace_back(ring.ranked(static_cast<fleet::Shard>(shard)).front().member);
	}
	return keepers;
}

struct Spread
{
	std::map<std::string, std::size_t> issuers; ///< by member
	std::string fullest;
	std::size_t least;
};

Spread spreadOf(const Keepers& keepers, const std::vector<std::size_t>& inShard)
{
	Spread spread{};
	for (std::size_t shard = 0; shard < keepers.size(); ++shard) {
		spread.issuers[keepers[shard]] += inShard[shard];
	}
	const auto less = [](const auto& one, const auto& other) { return one.second < other.second; };
	spread.fullest = std::ranges::max_element(spread.issuers, less)->first;
	spread.least = std::ranges::min_element(spread.issuers, less)->second;
	return spread;
}

/// Returns the most requests in one second, in the L after members died: each issuer is renewed when its time comes, or
/// at once if that has passed. `lookUps`: its time is not known, so an heir asks first.
std::size_t peakAfter(std::size_t moved, bool lookUps)
{
	simulation::Dice dice(1);
	std::vector<std::size_t> requests(lease + takeover + lookUpsLast);
	for (std::size_t issuer = 0; issuer < issuers; ++issuer) {
		const bool moves = issuer < moved;
		auto due = dice.below(lease - reserve); // seconds after the death
		if (moves && lookUps) {
			++requests[takeover + dice.below(lookUpsLast)];
		}
		due = moves && due < takeover ? takeover + dice.below(2) : due;
		++requests[due];
	}
	return *std::ranges::max_element(requests);
}

} // namespace

void printScale(std::ostream& out)
{
	std::vector<std::size_t> inShard(fleet::shardCount);
	for (std::size_t issuer = 0; issuer < issuers; ++issuer) {
		++inShard[fleet::shardOf("issuer-" + std::to_string(issuer))];
	}
	fleet::Ring ring;
	for (std::size_t member = 0; member < members; ++member) {
		ring.add(nameOf(member));
	}
	const auto keepers = keepersOf(ring);
	const auto spread = spreadOf(keepers, inShard);
	out << issuers << " issuers on " << members << " members: " << spread.least << " to "
		<< spread.issuers.at(spread.fullest) << " a member\n";

	std::vector<std::string> second;
	for (std::size_t shard = 0; shard < fleet::shardCount; ++shard) {
		second.emplace_back(ring.ranked(static_cast<fleet::Shard>(shard))[1].member);
	}
	ring.remove(spread.fullest);
	const auto after = keepersOf(ring);
	std::map<std::string, std::size_t> heirs;
	std::size_t moved = 0;
	bool heirWasSecond = true;
	for (std::size_t shard = 0; shard < keepers.size(); ++shard) {
		if (after[shard] != keepers[shard]) {
			moved += inShard[shard];
			heirs[after[shard]] += inShard[shard];
			heirWasSecond = heirWasSecond && after[shard] == second[shard];
		}
	}
	const auto most = std::ranges::max_element(heirs, {}, [](const auto& heir) { return heir.second; })->second;
	out << "the fullest dies: " << moved << " move, to " << heirs.size() << " heirs, at most " << most
		<< " to one; the heir was " << (heirWasSecond ? "always" : "not always") << " the second\n";
	ring.add(spread.fullest);
	ring.add(nameOf(members));
	const auto joined = spreadOf(keepersOf(ring), inShard);
	out << "one more joins: " << joined.issuers.at(nameOf(members)) << " move\n\n";

	out << "| members that die at once | requests a second, peak: from states | from look-ups over " << lookUpsLast
		<< " s |\n|---|---|---|\n";
	for (const std::size_t dead : {0U, 1U, 10U, 33U}) {
		std::size_t lost = 0;
		for (std::size_t member = 0; member < dead; ++member) {
			lost += spread.issuers.at(nameOf(member));
		}
		out << "| " << dead << " | " << peakAfter(lost, false) << " | " << peakAfter(lost, true) << " |\n";
	}
}

} // namespace issuer::fleets
