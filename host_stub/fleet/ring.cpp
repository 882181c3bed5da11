#include "fleet/ring.h"

#include "fleet/sha256.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace issuer::fleet {

namespace {

constexpr std::size_t shardBits = 12;

Claim claimOf(std::string_view member, Shard shard)
{
	std::string text(member);
	text += '\0';
	text += shardText(shard);
	return {sha256Head(text), member};
}

bool isStronger(const Claim& one, const Claim& other)
{
	return one.weight != other.weight ? one.weight > other.weight : one.member < other.member;
}

} // namespace

Shard shardOf(std::string_view issuer)
{
	return static_cast<Shard>(sha256Head(issuer) >> (64 - shardBits));
}

std::string shardText(Shard shard)
{
	constexpr std::string_view digits = "0123456789abcdef";
	std::string text;
	for (const unsigned shift : {8U, 4U, 0U}) {
		text += digits[shard >> shift & 0xFU];
	}
	return text;
}

void Ring::add(const std::string& member)
{
	const auto [place, isNew] = _members.insert(member);
	if (!isNew) {
		return;
	}
	for (auto& [shard, claims] : _ranked) {
		const auto claim = claimOf(*place, shard);
		claims.insert(std::ranges::upper_bound(claims, claim, isStronger), claim);
	}
}

void Ring::remove(const std::string& member)
{
	for (auto& [shard, claims] : _ranked) {
		std::erase_if(claims, [&](const Claim& claim) { return claim.member == member; });
	}
	_members.erase(member);
}

void Ring::assign(const std::vector<std::string>& members)
{
	const std::set<std::string, std::less<>> wanted(members.begin(), members.end());
	std::vector<std::string> gone;
	std::ranges::set_difference(_members, wanted, std::back_inserter(gone));
	for (const auto& member : gone) {
		remove(member);
	}
	for (const auto& member : wanted) {
		add(member);
	}
}

const std::vector<Claim>& Ring::ranked(Shard shard) const
{
	const auto [place, isNew] = _ranked.try_emplace(shard);
	auto& claims = place->second;
	if (isNew) {
		std::ranges::transform(
			_members, std::back_inserter(claims), [=](std::string_view member) { return claimOf(member, shard); });
		std::ranges::sort(claims, isStronger);
	}
	return claims;
}

std::optional<std::size_t> Ring::rankOf(std::string_view member, Shard shard) const
{
	const auto& claims = ranked(shard);
	const auto found = std::ranges::find(claims, member, &Claim::member);
	return found == claims.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - claims.begin()) + 1);
}

} // namespace issuer::fleet
