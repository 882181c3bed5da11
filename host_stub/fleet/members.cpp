#include "fleet/members.h"

#include "fleet/lists.h"

#include <algorithm>
#include <utility>

namespace issuer::fleet {

Members::Members(std::string self) : _self(std::move(self))
{
	_ring.add(_self);
}

void Members::rename(const std::string& self)
{
	_ring.remove(_self);
	_self = self;
	_ring.add(_self);
}

void Members::listed(WallTime now, const std::vector<Member>& members)
{
	auto before = std::exchange(_known, {});
	std::vector<std::string> names{_self};
	for (const auto& member : members) {
		const auto& name = member.record.name;
		names.push_back(name);
		Known known{member};
		if (const auto old = before.find(name);
			old != before.end() && old->second.member.record.run == member.record.run) {
			known.ahead = old->second.ahead;
			known.latest = old->second.latest;
		}
		// The record may have been written a minute ago. So a clock is known to be ahead, and never to be behind.
		if (const auto ahead = member.record.written - now; ahead > known.ahead.value_or(milliseconds{})) {
			known.ahead = ahead;
		}
		_known.insert_or_assign(name, std::move(known));
	}
	for (const auto& [name, known] : before) {
		remember(name, known);
	}
	_ring.assign(names);
}

void Members::put(WallTime now, const Member& member)
{
	auto& known = _known[member.record.name];
	const bool goesOn = known.member.record.run == member.record.run;
	if (goesOn &&
		known.member.record.written == member.record.written) { // its list changed: that says nothing of clocks
		known.member = member;
		return;
	}
	const auto ahead = member.record.written - now;
	known = {member, ahead, std::max(ahead, goesOn ? known.latest.value_or(ahead) : ahead)};
	_ring.add(member.record.name);
}

void Members::gone(const std::string& name)
{
	if (const auto found = _known.find(name); found != _known.end()) {
		const auto known = std::move(found->second);
		_known.erase(found);
		remember(name, known);
	}
	if (name != _self) {
		_ring.remove(name);
	}
}

void Members::remember(const std::string& name, const Known& known)
{
	if (!find(name) && known.ahead && std::chrono::abs(*known.ahead) > tolerated) {
		_gone.insert_or_assign(name, *known.ahead);
	}
}

void Members::remembered(const std::vector<std::string>& names)
{
	auto all = names;
	all.push_back(_self);
	_ring.assign(all);
}

std::string Members::first(Shard shard) const
{
	return std::string(_ring.ranked(shard).front().member);
}

bool Members::isBetter(std::string_view member, Shard shard) const
{
	const auto place = _ring.rankOf(member, shard);
	return place && *place < rank(shard);
}

bool Members::hasSameList(std::string_view name, Shard shard, const ListDigests& lists) const
{
	const auto* known = find(name);
	return known && known->member.lists[digestOf(shard)] == lists[digestOf(shard)];
}

bool Members::firstHasSameList(Shard shard, const ListDigests& lists) const
{
	return hasSameList(first(shard), shard, lists);
}

std::size_t Members::betterWithSameList(Shard shard, const ListDigests& lists) const
{
	std::size_t same = 0;
	for (const auto& claim : _ring.ranked(shard)) {
		if (claim.member == _self) {
			break;
		}
		same += hasSameList(claim.member, shard, lists) ? 1U : 0U;
	}
	return same;
}

bool Members::firstKeeps(Shard shard, const ListDigests& lists) const
{
	const auto* known = find(first(shard));
	return known && known->member.record.kept[shard] && firstHasSameList(shard, lists);
}

std::optional<milliseconds> Members::ahead(const std::string& member) const
{
	if (const auto* known = find(member)) {
		return known->ahead;
	}
	const auto gone = _gone.find(member);
	return gone == _gone.end() ? std::nullopt : std::optional(gone->second);
}

State Members::translated(State state) const
{
	const auto difference =
		state.name.member == _self ? milliseconds{} : ahead(state.name.member).value_or(milliseconds{});
	for (auto* time : {&state.end, &state.next}) {
		*time = *time == WallTime{} ? *time : *time - difference;
	}
	return state;
}

const Members::Known* Members::find(std::string_view name) const
{
	const auto found = _known.find(name);
	return found == _known.end() ? nullptr : &found->second;
}

} // namespace issuer::fleet
